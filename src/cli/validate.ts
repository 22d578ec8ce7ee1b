import { readFileSync } from 'node:fs';
import { loadLeftOut } from '../calibration/leftOutRuns.js';
import { predictRun } from '../calibration/predict.js';
import { type MeasuredRun, parseRuns } from '../calibration/runs.js';
import { loadShippedRuns } from '../calibration/shippedRuns.js';
import { validateRuns } from '../calibration/validate.js';
import { SlipwayError } from '../errors.js';
import { nearest } from '../quantity/nearest.js';
import { validationTable } from '../report/validationTable.js';
import type { CommandOutput } from './program.js';

export interface ValidateOptions {
  readonly json?: boolean | undefined;
  readonly family?: string | undefined;
  /** How many of the worst runs the table lists. */
  readonly worst?: number | undefined;
}

/** `slipway validate [runs.jsonl|-]`: without a file, the published runs that ship. Exits 1 if none can be predicted. */
export function validate(file: string | undefined, options: ValidateOptions): CommandOutput {
  const runs = ofFamily(file === undefined ? loadShippedRuns() : readRuns(file), options.family);
  const result = validateRuns(runs, predictRun, file === undefined ? loadLeftOut() : new Map());
  const text = options.json
    ? `${JSON.stringify(result, null, 2)}\n`
    : validationTable(result, { worst: options.worst ?? 5 });
  return { text, exitCode: result.runs.every((run) => run.skipped !== null) ? 1 : 0 };
}

function readRuns(file: string): MeasuredRun[] {
  return parseRuns(readText(file), file === '-' ? 'standard input' : file);
}

function readText(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    throw new SlipwayError('unreadable-file', readingProblems[code] ?? `cannot be read (${code})`, { file });
  }
}

const readingProblems: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  EISDIR: 'is a directory; give a file of JSON lines',
  EACCES: 'may not be read by this user',
};

function ofFamily(runs: readonly MeasuredRun[], family: string | undefined): readonly MeasuredRun[] {
  if (family === undefined) return runs;
  const chosen = runs.filter((run) => run.family === family);
  if (chosen.length > 0) return chosen;
  const known = [...new Set(runs.map((run) => run.family))].sort();
  const suggestion = nearest(family, known);
  const wayOut = suggestion === undefined ? `there are ${known.join(', ')}` : `did you mean ${suggestion}?`;
  const place = { key: '--family', ...(suggestion === undefined ? {} : { suggestion }) };
  throw new SlipwayError('unknown-preset', `no run is of the family '${family}'; ${wayOut}`, place);
}
