import { z } from 'zod';
import { SlipwayError } from '../errors.js';
import { type RunFile, runFileSchema } from './runFileSchema.js';
import { parseRunFileText, type RunFileText } from './runFileText.js';
import { type Locate, schemaError } from './schemaErrors.js';

const nowhere: Locate = () => ({});

/** The text of a run file (YAML or JSON) as a checked run file. `file` only serves messages. */
export async function parseRunFile(text: string, file = 'run.yaml'): Promise<RunFile> {
  const parsed = parseRunFileText(text, file);
  return checkRunFileWithExpressions(parsed.value, locateIn(parsed));
}

/** Checks a run file that is already an object, as validation rows and library callers have it. No expressions. */
export function checkRunFile(value: unknown, locate: Locate = nowhere): RunFile {
  const result = checkedNow(value);
  if (result.success) return result.data;
  throw schemaError(result.error, value, runFileSchema, locate);
}

function checkedNow(value: unknown): ReturnType<typeof runFileSchema.safeParse> {
  try {
    return runFileSchema.safeParse(value);
  } catch {
    return interpreted(value);
  }
}

/** zod's compiled checks trip over the promise of an expression's value; the interpreted ones name it. */
function interpreted(value: unknown): ReturnType<typeof runFileSchema.safeParse> {
  try {
    return runFileSchema.safeParse(value, { jitless: true });
  } catch (error) {
    if (!(error instanceof z.core.$ZodAsyncError)) throw error;
    const message = 'a quantity is calculated, such as 8 * 400 Gbit/s, which needs parseRunFile';
    throw new SlipwayError('invalid-quantity', message);
  }
}

/** The same, and quantities may be calculated (`8 * 400 Gbit/s`): mathjs is loaded only then. */
export async function checkRunFileWithExpressions(value: unknown, locate: Locate = nowhere): Promise<RunFile> {
  const result = await runFileSchema.safeParseAsync(value);
  if (result.success) return result.data;
  throw schemaError(result.error, value, runFileSchema, locate);
}

export function locateIn(text: RunFileText): Locate {
  return (path) => {
    const line = text.lineOf(path);
    return line === undefined ? { file: text.file } : { file: text.file, line };
  };
}
