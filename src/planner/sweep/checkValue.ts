import { SlipwayError } from '../../errors.js';
import { checkRunFileWithExpressions } from '../../scenario/parseRunFile.js';
import { type RunFile, runFileSchema } from '../../scenario/runFileSchema.js';
import { schemaAt, schemaError } from '../../scenario/schemaErrors.js';
import { type Axis, keyOf } from './axis.js';
import { valueAt, withValue } from './runPaths.js';

/** The value as the run file's schema takes it: units read, names and ranges checked. Quantities may be calculated. */
export async function checkValue(run: RunFile, axis: Axis, value: unknown): Promise<unknown> {
  try {
    return valueAt(await checkRunFileWithExpressions(onlyWith(run, axis.path, value)), axis.path);
  } catch (error) {
    if (isAboutOthers(error, axis)) return value;
    throw refusedValue(error, axis);
  }
}

/** What the schema says at one key, found once: checking a calculated number needs nothing around it. */
export function numberCheck(axis: Axis): (value: number) => unknown {
  const [schema] = schemaAt(runFileSchema, axis.path);
  if (schema === undefined) return (value) => value;
  return (value) => {
    const result = schema.safeParse(value);
    if (result.success) return result.data;
    const { code, message } = schemaError(result.error, value, schema, () => ({}));
    throw new SlipwayError(code, message, { key: keyOf(axis) });
  };
}

/** A run file that holds nothing but the part in question, because the rest was checked already. */
function onlyWith(run: RunFile, path: readonly string[], value: unknown): object {
  const [root = '', ...rest] = path;
  const part = root === 'model' || root === 'cluster' ? Reflect.get(run, root) : {};
  return { model: 'm', cluster: 'c', [root]: withValue(part, rest, value) };
}

/** What only goes wrong together with other keys, such as heads that do not divide the width, may be right at another point. */
function isAboutOthers(error: unknown, axis: Axis): boolean {
  if (!(error instanceof SlipwayError) || error.place.key === undefined) return false;
  const key = keyOf(axis);
  return error.place.key !== key && !error.place.key.startsWith(`${key}.`);
}

/** A value that no point could take is a mistake of whoever wrote the axis. */
function refusedValue(error: unknown, axis: Axis): unknown {
  if (!(error instanceof SlipwayError)) return error;
  const key = error.place.key ?? keyOf(axis);
  return new SlipwayError(error.code, `${key}: ${error.message}`, { key: '--vary' });
}
