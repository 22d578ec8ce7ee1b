import { formatCount, grouped } from '../../../quantity/format.js';
import type { Answer } from './answer.js';
import type { Field } from './fields.js';
import { isFields, type RunValue, writtenAt } from './runValue.js';

/** A field's value as the pane shows it, and whether the run file says so or a default does. */
export interface ShownValue {
  readonly text: string;
  readonly written: boolean;
}

export function shownValue(field: Field, run: RunValue, answer: Answer): ShownValue {
  const written = writtenAt(run, field.key);
  if (written !== undefined) return { text: textOf(written, field), written: true };
  return { text: textOf(resolvedValue(field.key, answer), field), written: false };
}

/** The value that holds: the run file's, else what the defaults filled in; undefined where neither is known. */
export function currentValue(field: Field, run: RunValue, answer: Answer): unknown {
  return writtenAt(run, field.key) ?? resolvedValue(field.key, answer);
}

function resolvedValue(key: string, answer: Answer): unknown {
  if (!answer.ok) return undefined;
  const filled: unknown = writtenAt(answer.estimate.run as unknown as RunValue, key);
  return key === 'frameworkVersion' && filled === '' ? undefined : filled;
}

function textOf(value: unknown, { key }: Field): string {
  if (value === undefined || value === null) return 'default';
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  if (Array.isArray(value)) return value.length === 0 ? 'default' : value.join(',');
  if (isFields(value)) return typeof value.name === 'string' ? value.name : 'written out';
  if (typeof value !== 'number') return String(value);
  if (key === 'training.tokens') return formatCount(value);
  return Number.isInteger(value) ? grouped(value) : String(value);
}

/** What typing starts from: the value as a run file would have it. */
export function editableText(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (Array.isArray(value)) return value.join(',');
  return isFields(value) ? JSON.stringify(value) : String(value);
}
