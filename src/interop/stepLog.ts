import { SlipwayError } from '../errors.js';
import { deepSpeedLog } from './deepSpeedLog.js';
import { megatronLog } from './megatronLog.js';
import { stepCsv } from './stepCsv.js';
import { torchtitanLog } from './torchtitanLog.js';

/** One optimizer step as a log tells it. */
export interface StepSample {
  /** Of the file, from 1. */
  readonly line: number;
  readonly step: number;
  readonly seconds: number;
}

/** A measurement that cannot be used, or that another one contradicts. */
export interface MeasurementProblem {
  readonly line: number;
  readonly why: string;
}

export interface StepLog {
  readonly samples: readonly StepSample[];
  readonly problems: readonly MeasurementProblem[];
}

/** What a log leaves to the run file: logs give rates where steps are asked for. */
export interface LoggedRun {
  readonly sequencesPerStep: number;
  readonly tokensPerStep: number;
  readonly accelerators: number;
}

/** One line's step and time; a problem where the line is about a step and cannot be used; undefined where it is about something else. */
export type LineReader = (line: string, run: LoggedRun) => { step: number; seconds: number } | string | undefined;

export interface StepLogFormat {
  readonly name: string;
  readonly readLine: LineReader;
}

const formats: readonly StepLogFormat[] = [megatronLog, torchtitanLog, deepSpeedLog, stepCsv];

/** Step times of a log in whichever of the known formats finds any. Throws `SlipwayError` where none does. */
export function readStepLog(text: string, file: string, run: LoggedRun): StepLog & { readonly format: string } {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: logs of coloured terminals
  const lines = text.replaceAll(/\u001b\[[\d;]*m/g, '').split(/\r?\n/);
  for (const { name, readLine } of formats) {
    const log = readLines(lines, (line) => readLine(line, run));
    if (log.samples.length > 0) return { format: name, ...log };
    const [first] = log.problems;
    if (first !== undefined) throw new SlipwayError('invalid-syntax', first.why, { file, line: first.line });
  }
  const known = formats.map(({ name }) => name).join(', ');
  throw new SlipwayError('invalid-syntax', `holds no step times; known are logs of ${known}`, { file });
}

/** Two times of one step that differ by more than this are two runs in one file, or two ranks that do not agree. */
const sameStepTolerance = 0.05;

function readLines(lines: readonly string[], read: (line: string) => ReturnType<LineReader>): StepLog {
  const samples: StepSample[] = [];
  const problems: MeasurementProblem[] = [];
  const byStep = new Map<number, StepSample>();
  lines.forEach((text, index) => {
    const found = read(text);
    const line = index + 1;
    if (found === undefined) return;
    if (typeof found === 'string') {
      problems.push({ line, why: found });
      return;
    }
    if (!(found.seconds > 0 && Number.isFinite(found.seconds))) {
      problems.push({ line, why: `step ${found.step} takes ${found.seconds} s; expected more than 0` });
      return;
    }
    const earlier = byStep.get(found.step);
    if (earlier !== undefined) {
      // Every rank may log the same step.
      if (Math.abs(found.seconds / earlier.seconds - 1) > sameStepTolerance) {
        const times = `${found.seconds.toPrecision(3)} s here and ${earlier.seconds.toPrecision(3)} s on line ${earlier.line}`;
        problems.push({ line, why: `step ${found.step} takes ${times}; the first counts` });
      }
      return;
    }
    const sample = { line, ...found };
    byStep.set(found.step, sample);
    samples.push(sample);
  });
  return { samples, problems };
}
