import { isExpression } from '../../../quantity/parseQuantity.js';

/** A run file as it is written: the plain value of its YAML, quantities still as their author gave them. */
export type RunValue = Readonly<Record<string, unknown>>;

/** What the run file says under a dotted key; undefined where it leaves that to the defaults. */
export function writtenAt(run: RunValue, key: string): unknown {
  return key.split('.').reduce<unknown>((value, step) => (isFields(value) ? value[step] : undefined), run);
}

/** A copy with the key set, or taken out where `value` is undefined; a block that becomes empty goes as well. */
export function withValue(run: RunValue, key: string, value: unknown): RunValue {
  return setAt(run, key.split('.'), value);
}

export function withValues(run: RunValue, changes: Readonly<Record<string, unknown>>): RunValue {
  return Object.entries(changes).reduce((result, [key, value]) => withValue(result, key, value), run);
}

export function sameRun(a: RunValue, b: RunValue): boolean {
  return a === b || canonical(a) === canonical(b);
}

/** The same text for the same run, in whatever order its keys stand. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    isFields(part) ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1))) : part,
  );
}

/** Whether a quantity in it must be calculated, which takes a moment. Layouts of pipelines look like formulas but are none. */
export function hasExpression(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(hasExpression);
  if (!isFields(value)) return isExpression(value);
  return Object.entries(value).some(([key, part]) => key !== 'pipelineLayout' && hasExpression(part));
}

export function isFields(value: unknown): value is RunValue {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function setAt(fields: RunValue, [step = '', ...rest]: readonly string[], value: unknown): RunValue {
  const own = fields[step];
  const next = rest.length === 0 ? value : setAt(isFields(own) ? own : {}, rest, value);
  const { [step]: _gone, ...others } = fields;
  const empty = next === undefined || (rest.length > 0 && isFields(next) && Object.keys(next).length === 0);
  if (empty) return others;
  return step in fields ? { ...fields, [step]: next } : { ...others, [step]: next };
}
