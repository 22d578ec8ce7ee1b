import { parseQuantity, SlipwayError } from '../../../index.js';
import { type Answer, type GoodAnswer, refusalOf } from './answer.js';
import { candidatesOf } from './candidates.js';
import type { Field } from './fields.js';
import { canonical, type RunValue, withValue } from './runValue.js';
import { currentValue } from './shown.js';

/** A change that was made, or the reason why none was. */
export interface Stepped {
  readonly run: RunValue | undefined;
  readonly message: string | undefined;
}

export interface StepContext {
  readonly run: RunValue;
  readonly answer: Answer;
  /** The last answer that was an estimate: what a broken run is measured by. */
  readonly lastGood: GoodAnswer | undefined;
  readonly baseDirectory: string;
}

/** Presets are many and nearly all legal; of numbers, illegal ones come in long rows. */
const mostTries = 40;

/** The next legal value of a field in the order of its candidates; what is skipped on the way says why. */
export function stepField(field: Field, direction: 1 | -1, context: StepContext): Stepped {
  const { run, answer, baseDirectory } = context;
  if (field.kind === 'derived') return { run: undefined, message: field.description };
  const values = candidatesOf(field, answer.ok ? answer.scenario : context.lastGood?.scenario);
  if (values.length === 0) return { run: undefined, message: `type a value: enter edits ${field.label}` };
  const now = currentValue(field, run, answer);
  const ahead = valuesAhead(values, now, direction);
  const skipped: string[] = [];
  for (const value of ahead.slice(0, mostTries)) {
    const isEmpty = Array.isArray(value) && value.length === 0;
    const next = withValue(run, field.key, isEmpty ? undefined : value);
    const refusal = refusalOf(next, baseDirectory);
    if (refusal === undefined) return { run: next, message: skippedMessage(skipped, field) };
    skipped.push(refusal.message);
  }
  const end = direction > 0 ? 'last' : 'first';
  const reason = skipped[0];
  return { run: undefined, message: reason ?? `that is the ${end} value of ${field.label}` };
}

/** Whether one value of a field could be set now, and if not, why. For lists of choices. */
export function whyNot(field: Field, value: unknown, { run, baseDirectory }: StepContext): string | undefined {
  return refusalOf(withValue(run, field.key, value), baseDirectory)?.message;
}

function skippedMessage(reasons: readonly string[], { label }: Field): string | undefined {
  if (reasons.length === 0) return undefined;
  return `skipped ${reasons.length === 1 ? 'one' : reasons.length} of ${label}: ${reasons[0]}`;
}

/** Booleans turn over; numbers go to the next larger or smaller one, also from between two candidates. */
function valuesAhead(values: readonly unknown[], now: unknown, direction: 1 | -1): readonly unknown[] {
  const ordered = direction > 0 ? values : [...values].reverse();
  if (typeof values[0] === 'boolean') return values.filter((value) => value !== (now ?? false));
  if (typeof values[0] === 'number') {
    const current = asNumber(now);
    if (current === undefined) return ordered;
    return ordered.filter((value) => (Number(value) - current) * direction > 0);
  }
  const text = canonical(now);
  const at = ordered.findIndex((value) => canonical(value) === text);
  return at < 0 ? ordered : ordered.slice(at + 1);
}

/** A number, or a quantity as a run file writes it. */
function asNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string') return undefined;
  for (const dimension of ['count', 'dollarsPerHour'] as const) {
    try {
      return parseQuantity(value, dimension);
    } catch (error) {
      if (!(error instanceof SlipwayError)) throw error;
    }
  }
  return undefined;
}
