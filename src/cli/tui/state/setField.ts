import { SlipwayError } from '../../../index.js';
import { parseValue } from '../../../scenario/setPath.js';
import { refusalOf } from '../scenario/answer.js';
import type { Field } from '../scenario/fields.js';
import { hasExpression, withValue } from '../scenario/runValue.js';
import { changeRun } from './change.js';
import type { Effect, State } from './state.js';

/** What became of a typed value: a new state, or why it is refused. */
export type Set =
  | { readonly state: State; readonly effects: readonly Effect[]; readonly problem?: undefined }
  | { readonly problem: string };

/** Sets a field to what was typed. A value that cannot run is refused and says why; nothing typed is the default. */
export function setTyped(state: State, field: Field, text: string): Set {
  if (field.kind === 'derived') return { problem: field.description };
  const { document } = state;
  let value: unknown;
  try {
    value = text.trim() === '' ? undefined : typedValue(field, text.trim());
  } catch (error) {
    if (error instanceof SlipwayError) return { problem: error.message };
    throw error;
  }
  const run = withValue(document.run, field.key, value);
  if (field.key !== 'strategy.pipelineLayout' && hasExpression(value))
    return { state, effects: [{ do: 'calculate', run, label: field.label }] };
  const refusal = refusalOf(run, document.baseDirectory);
  // While the run is broken elsewhere, repairing it one field at a time must be possible.
  const elsewhere = !state.answer.ok && state.answer.message === refusal?.message;
  if (refusal !== undefined && !elsewhere) return { problem: refusal.message };
  return { state: changeRun(state, run), effects: [] };
}

function typedValue(field: Field, text: string): unknown {
  if (field.kind === 'boolean') {
    if (/^(on|true|yes|y|1)$/i.test(text)) return true;
    if (/^(off|false|no|n|0)$/i.test(text)) return false;
    throw new SlipwayError('invalid-run-file', `${field.label} is on or off, not '${text}'`);
  }
  if (field.kind === 'list' && !text.startsWith('[')) return text.split(',').map((part) => parseValue(part.trim()));
  if (field.kind === 'choice') return text;
  if (field.kind === 'text' || field.kind === 'preset') return text.startsWith('{') ? parseValue(text) : text;
  const plain = text.replaceAll(/(?<=\d)[,_](?=\d{3})/g, '');
  const counts = /^(\d+(?:\.\d+)?)\s*([kKM])$/.exec(plain);
  // 8k tokens of context and 16k accelerators are powers of two; the run file's own quantities have their units.
  if (counts !== null && !field.key.startsWith('training.')) {
    return Number(counts[1]) * (counts[2] === 'M' ? 1 << 20 : 1024);
  }
  return parseValue(plain);
}
