/** `tsx tools/accuracy.ts`: writes docs/accuracy.md and validation/recorded.json, the scores that no change may worsen, from the shipped runs. */
import { readFileSync, writeFileSync } from 'node:fs';
import { parse } from 'yaml';
import { loadLeftOut } from '../src/calibration/leftOutRuns.js';
import { predictRun } from '../src/calibration/predict.js';
import type { Score } from '../src/calibration/score.js';
import { loadShippedRuns } from '../src/calibration/shippedRuns.js';
import { validateRuns } from '../src/calibration/validate.js';
import { type AccuracyNotes, accuracyMarkdown } from '../src/report/accuracyMarkdown.js';

const result = validateRuns(loadShippedRuns(), predictRun, loadLeftOut());
const notes = parse(readFileSync('validation/notes.yaml', 'utf8')) as AccuracyNotes;
writeFileSync('docs/accuracy.md', accuracyMarkdown(result, notes));
if (process.argv.includes('--record')) {
  const { summary } = result;
  const recorded = {
    summary: figures(summary),
    leftOut: summary.leftOut === null ? null : figures(summary.leftOut),
    unknownFields: figures(summary.unknownFields),
    skipped: summary.skipped,
  };
  writeFileSync('validation/recorded.json', `${JSON.stringify(recorded, null, 2)}\n`);
}

function figures(score: Score) {
  const families = Object.entries(score.byFamily).sort(([a], [b]) => (a < b ? -1 : 1));
  const decisions = score.outOfMemory;
  return {
    familyBalancedMedianAbsStepError: rounded(score.familyBalancedMedianAbsStepError),
    bias: rounded(score.bias),
    rightDecisions: decisions.count === 0 ? null : rounded(decisions.right / decisions.count),
    medianAbsStepErrorByFamily: Object.fromEntries(
      families.map(([family, { medianAbsStepError }]) => [family, rounded(medianAbsStepError)]),
    ),
    medianAbsMemoryErrorByFamily: Object.fromEntries(
      families
        .filter(([, { medianAbsMemoryError }]) => medianAbsMemoryError !== null)
        .map(([family, { medianAbsMemoryError }]) => [family, rounded(medianAbsMemoryError)]),
    ),
  };
}

function rounded(value: number | null): number | null {
  return value === null ? null : Number(value.toFixed(4));
}
