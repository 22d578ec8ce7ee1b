/**
 * The accuracy loop of whoever changes a formula: `npx tsx tools/validate.ts [--family x] [--id x] [--rows] [--unknown] [file]`.
 * Prints each family's errors at once; a row that crashes is printed as a bug and the rest goes on.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { predictRun } from '../src/calibration/predict.js';
import { parseRuns } from '../src/calibration/runs.js';
import { loadShippedRuns } from '../src/calibration/shippedRuns.js';
import { type Predict, type ValidatedRun, validateRuns } from '../src/calibration/validate.js';
import { SlipwayError } from '../src/errors.js';

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    /** Only families that contain this. */
    family: { type: 'string' },
    /** List every row: id, measured, predicted, error, shares of the step. */
    rows: { type: 'boolean', default: false },
    /** Score the rows with unknown fields instead. */
    unknown: { type: 'boolean', default: false },
    /** Only rows whose id contains this. */
    id: { type: 'string' },
  },
});

const file = positionals[0];
const allRuns = file === undefined ? loadShippedRuns() : parseRuns(readFileSync(file, 'utf8'), file);
const runs = allRuns.filter((run) => run.family.includes(flags.family ?? '') && run.id.includes(flags.id ?? ''));
const idOf = new Map(runs.map((run) => [run.run, run.id]));
const bugs = new Map<string, { count: number; stack: string }>();

const predictOrReportBug: Predict = (run) => {
  try {
    const prediction = predictRun(run);
    const { feasible, stepSeconds } = prediction.evaluation;
    if (feasible && !(stepSeconds > 0 && Number.isFinite(stepSeconds)))
      throw new Error(`stepSeconds is ${stepSeconds}`);
    return prediction;
  } catch (error) {
    if (error instanceof SlipwayError) throw error;
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const title = stack.split('\n')[0] ?? stack;
    const known = bugs.get(title);
    bugs.set(title, { count: (known?.count ?? 0) + 1, stack: known?.stack ?? `${idOf.get(run)}: ${stack}` });
    throw new SlipwayError('unsupported', `BUG ${title}`);
  }
};

const started = performance.now();
const result = validateRuns(runs, predictOrReportBug);
const seconds = (performance.now() - started) / 1000;
const { summary } = result;
const shown = flags.unknown ? summary.unknownFields : summary;
const section = flags.unknown ? 'unknownFields' : 'summary';

if (flags.rows) printRows(result.runs.filter((run) => run.scoredIn === section));
printFamilies();
printSkipped(result.runs.filter((run) => run.skipped !== null));
for (const { count, stack } of bugs.values()) console.log(`\nBUG in ${count} rows, first ${stack}`);

function printFamilies(): void {
  console.log(
    `${'family'.padEnd(34)}${['rows', 'skip', 'median', 'mean', 'p90', 'bias', 'med.sgn', 'base', 'memory', 'OOM', 'regret'].map((title) => title.padStart(8)).join('')}`,
  );
  const families = Object.entries(shown.byFamily).sort(([a], [b]) => a.localeCompare(b));
  for (const [family, group] of [...families, ['all', shown] as const]) {
    const base = family === 'all' ? shown.baseline : shown.baseline.byFamily[family];
    const oom = group.outOfMemory;
    const cells = [
      String(group.stepCount),
      String(group.skipped),
      percent(group.medianAbsStepError),
      percent(group.meanAbsStepError),
      percent(group.p90AbsStepError),
      percent(group.bias),
      percent(group.medianStepError),
      percent(base?.medianAbsStepError ?? null),
      percent(group.medianAbsMemoryError),
      oom.right === oom.count ? '-' : `${oom.saidFits}/${oom.saidDoesNotFit}`,
      percent(group.ranking.medianRegret),
    ];
    console.log(family.slice(0, 33).padEnd(34) + cells.map((cell) => cell.padStart(8)).join(''));
  }
  const { outOfMemory: oom, ranking } = shown;
  console.log(
    `\nheadline ${percent(shown.familyBalancedMedianAbsStepError)} family-balanced (bias ${percent(shown.familyBalancedBias)}), ` +
      `baseline ${percent(shown.baseline.familyBalancedMedianAbsStepError)}; ` +
      `out of memory ${oom.right}/${oom.count} right, ${oom.saidFits} said fits, ${oom.saidDoesNotFit} said does not fit; ` +
      `ranking ${ranking.sweeps} sweeps, regret median ${percent(ranking.medianRegret)} worst ${percent(ranking.worstRegret)}; ` +
      `${runs.length} rows in ${seconds.toFixed(2)} s`,
  );
  for (const [kind, memory] of Object.entries(shown.memoryByKind)) {
    const figures = `median ${percent(memory.medianAbsMemoryError)}, bias ${percent(memory.bias)}`;
    console.log(`memory ${kind.padEnd(10)} ${String(memory.count).padStart(4)} rows, ${figures}`);
  }
}

function printRows(rows: readonly ValidatedRun[]): void {
  for (const row of rows) {
    if (row.skipped !== null) {
      console.log(`${row.id.padEnd(48)} skipped: ${row.skipped}`);
      continue;
    }
    const measured = row.measured.stepSeconds?.toFixed(3) ?? (row.measured.outOfMemory ? 'OOM' : '-');
    const memory =
      row.measured.peakMemoryBytes === undefined
        ? ''
        : ` mem ${gib(row.measured.peakMemoryBytes)} -> ${gib(row.predicted?.peakBytes ?? 0)} ${percent(row.memoryError)}`;
    console.log(
      `${row.id.padEnd(48)}${measured.padStart(10)}${(row.predicted?.stepSeconds ?? 0).toFixed(3).padStart(10)}` +
        `${percent(row.stepError).padStart(8)} ${row.fits ? 'fits' : 'OOM '} ${shares(row)}${memory}`,
    );
  }
}

/** Shares of the predicted step in percent, largest first, `compute 61 recompute 20 bubble 9`. */
function shares(row: ValidatedRun): string {
  if (row.predicted === null) return '';
  const { breakdown, stepSeconds } = row.predicted;
  return Object.entries(breakdown)
    .map(([key, part]) => [key.replace('Seconds', ''), Math.round((100 * part) / stepSeconds)] as const)
    .filter(([, share]) => share > 0)
    .sort(([, a], [, b]) => b - a)
    .map(([key, share]) => `${key} ${share}`)
    .join(' ');
}

function printSkipped(rows: readonly ValidatedRun[]): void {
  const reasons = new Map<string, string[]>();
  for (const row of rows) reasons.set(row.skipped ?? '', [...(reasons.get(row.skipped ?? '') ?? []), row.id]);
  if (rows.length > 0) console.log(`\nskipped ${rows.length} of ${runs.length}:`);
  for (const [reason, ids] of [...reasons].sort(([, a], [, b]) => b.length - a.length).slice(0, 25)) {
    console.log(`${String(ids.length).padStart(5)}  ${reason.slice(0, 160)}  (${ids[0]})`);
  }
}

function percent(value: number | null): string {
  return value === null ? '-' : `${(100 * value).toFixed(1)}`;
}

function gib(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1)}G`;
}
