/**
 * `npm run fit`: fits the constants of accelerators and frameworks to the shipped runs (src/calibration/fit/constants.ts says which, and
 * what is expected of each) and writes them into the presets with the rows they rest on. A minute or two on one core; the result
 * depends on the runs and on the model only, not on what the presets hold.
 *
 *     npm run fit                  fit and write
 *     npm run fit -- --dry-run     fit and show
 *     npm run fit -- --check       exit 1 if the presets are not the fit
 *     npm run fit -- --leave-out   also refit without each family, predict its rows, and keep the errors (validation/left-out.json)
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { parse } from 'yaml';
import type { Fitter } from '../src/calibration/fit/fit.js';
import { leftOutErrors, leftOutOutcomes, leftOutPredictions } from '../src/calibration/fit/leaveOut.js';
import { shippedFitter } from '../src/calibration/fit/shippedFit.js';
import { leftOutText, loadLeftOut } from '../src/calibration/leftOutRuns.js';
import { residualTable } from '../src/calibration/residuals.js';
import { type Score, score } from '../src/calibration/score.js';
import { type FittedFigure, fittedFigures, withFrameworkFigures, withSustainedRates } from './fittedPresets.js';
import { residualTableText } from './residualTableText.js';

const { values: flags } = parseArgs({
  options: {
    'dry-run': { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
    'leave-out': { type: 'boolean', default: false },
  },
});

const fitter = shippedFitter();
const result = fitter.fit();
const figures = fittedFigures(fitter.parameters, result);
printFigures(figures);
const stale = presetTexts(figures).filter(({ file, text }) => readFileSync(file, 'utf8') !== text);
if (flags.check) {
  for (const { file } of stale) console.log(`${file} is not the fit; run npm run fit`);
  process.exitCode = stale.length === 0 ? 0 : 1;
} else if (!flags['dry-run']) {
  for (const { file, text } of stale) writeFileSync(file, text);
  console.log(`wrote ${stale.length} presets`);
}
if (flags['leave-out']) leaveOut(fitter, result.values);

function presetTexts(all: readonly FittedFigure[]): { file: string; text: string }[] {
  const frameworks = [...new Set(all.map(({ parameter }) => parameter))].filter(({ kind }) => kind === 'framework');
  const owners = [...new Set(frameworks.map(({ owner }) => owner))];
  return [
    ...owners.map((owner) => {
      const file = `presets/frameworks/${owner}.yaml`;
      const own = all.filter(({ parameter }) => parameter.owner === owner);
      return { file, text: withFrameworkFigures(readFileSync(file, 'utf8'), own) };
    }),
    ...readdirSync('presets/accelerators').map((name) => {
      const file = `presets/accelerators/${name}`;
      const text = readFileSync(file, 'utf8');
      return { file, text: withSustainedRates(text, ratesOf(parse(text) as AcceleratorText, all)) };
    }),
  ];
}

interface AcceleratorText {
  readonly id: string;
  readonly generation: string;
  readonly peakFlopsPerSecond: Readonly<Record<string, unknown>>;
}

/** Rates of one accelerator, by family that it has: its own where runs tell, else its generation's, else that of all. */
function ratesOf(
  { id, generation, peakFlopsPerSecond }: AcceleratorText,
  all: readonly FittedFigure[],
): FittedFigure[] {
  return ['bf16', 'fp8', 'mxfp8', 'fp4', 'attention'].flatMap((family) => {
    if (family.startsWith('fp') && peakFlopsPerSecond[family] === undefined) return [];
    const of = (owner: string): FittedFigure | undefined =>
      all.find(({ parameter }) => parameter.owner === owner && parameter.path[1] === family);
    const own = of(id);
    if (own?.kind === 'fitted') return [own];
    // Left out, it is what fp8 sustains.
    if (family === 'mxfp8') return [];
    const inherited = of(`generation ${generation}`) ?? of('all');
    if (inherited === undefined) return [];
    const words = inherited.parameter.kind === 'generation' ? `the ${generation} generation` : 'all accelerators';
    const origin = `No shipped run tells it: what ${words} sustain${inherited.parameter.kind === 'generation' ? 's' : ''}, fitted by npm run fit`;
    return [{ ...inherited, kind: 'estimate' as const, origin }];
  });
}

function printFigures(all: readonly FittedFigure[]): void {
  for (const { parameter, value, origin } of all) {
    const count = / on (\d+) of/.exec(origin)?.[1] ?? '0';
    const inherits = parameter.kind === 'generation' || parameter.kind === 'all-accelerators';
    const rows = inherits ? '' : `${count.padStart(5)} rows`;
    console.log(`${parameter.id.padEnd(68)}${String(Number(value.toPrecision(3))).padStart(10)}${rows}`);
  }
}

/** Predicts every family without its own rows; keeps what came out, and the error bars that follow from it. */
function leaveOut(all: Fitter, values: Float64Array): void {
  const outcomes = leftOutOutcomes(all);
  printLeftOut(score(all.rows.flatMap((_, row) => all.outcome(row, values))), score(outcomes));
  if (flags['dry-run'] || flags.check) return;
  const predictions = leftOutPredictions(outcomes);
  writeFileSync('validation/left-out.json', leftOutText(predictions));
  const { step, memory } = leftOutErrors(all.rows, loadLeftOut());
  writeFileSync('src/uncertainty/residualTable.ts', residualTableText(residualTable(step), residualTable(memory)));
}

/** Fitted beside left out, family by family. */
function printLeftOut(fitted: Score, leftOut: Score): void {
  console.log(`\n${'family'.padEnd(42)}${['rows', 'fitted', 'bias', 'left out', 'bias'].map(cell).join('')}`);
  for (const [family, group] of Object.entries(fitted.byFamily)) {
    const other = leftOut.byFamily[family];
    const cells = [group.medianAbsStepError, group.medianStepError, other?.medianAbsStepError, other?.medianStepError];
    console.log(`${family.padEnd(42)}${cell(String(group.stepCount))}${cells.map(percent).map(cell).join('')}`);
  }
  console.log(
    `family-balanced median: fitted ${percent(fitted.familyBalancedMedianAbsStepError)}, left out ${percent(leftOut.familyBalancedMedianAbsStepError)}`,
  );
}

function cell(text: string): string {
  return text.padStart(10);
}

function percent(value: number | null | undefined): string {
  return value === null || value === undefined ? '-' : `${(100 * value).toFixed(1)} %`;
}
