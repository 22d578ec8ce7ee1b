import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { loadLeftOut } from '../../src/calibration/leftOutRuns.js';
import { predictRun } from '../../src/calibration/predict.js';
import type { Score } from '../../src/calibration/score.js';
import { loadShippedRuns } from '../../src/calibration/shippedRuns.js';
import { validateRuns } from '../../src/calibration/validate.js';
import { type AccuracyNotes, accuracyMarkdown } from '../../src/report/accuracyMarkdown.js';

/** Scores that were reached (`npx tsx tools/accuracy.ts --record`); a change may trade this much of one family's for another's. */
const recorded = JSON.parse(readFileSync('validation/recorded.json', 'utf8')) as Recorded;
const ofAFamily = 0.01;
const ofTheWhole = 0.003;

interface Figures {
  readonly familyBalancedMedianAbsStepError: number;
  readonly bias: number;
  readonly rightDecisions: number;
  readonly medianAbsStepErrorByFamily: Readonly<Record<string, number>>;
  readonly medianAbsMemoryErrorByFamily: Readonly<Record<string, number>>;
}
interface Recorded {
  readonly summary: Figures;
  readonly unknownFields: Figures;
  readonly skipped: number;
}

const leftOut = loadLeftOut();
const result = validateRuns(loadShippedRuns(), predictRun, leftOut);
const { summary } = result;

describe.each([
  ['known layouts', summary, recorded.summary],
  ['layouts with open fields', summary.unknownFields, recorded.unknownFields],
] as const)('%s: no score is worse than recorded', (_, score: Score, before) => {
  test.each(Object.entries(before.medianAbsStepErrorByFamily))('step time of %s', (family, error) => {
    expect(score.byFamily[family]?.medianAbsStepError).toBeLessThanOrEqual(error + ofAFamily);
  });

  test.each(Object.entries(before.medianAbsMemoryErrorByFamily))('memory of %s', (family, error) => {
    expect(score.byFamily[family]?.medianAbsMemoryError).toBeLessThanOrEqual(error + ofAFamily);
  });

  test('the whole', () => {
    const { familyBalancedMedianAbsStepError: error, bias, outOfMemory } = score;
    expect(error).toBeLessThanOrEqual(before.familyBalancedMedianAbsStepError + ofTheWhole);
    expect(Math.abs(bias ?? 1)).toBeLessThanOrEqual(Math.abs(before.bias) + ofTheWhole);
    expect(outOfMemory.right / outOfMemory.count).toBeGreaterThanOrEqual(before.rightDecisions - ofTheWhole);
  });
});

test('no more rows are skipped than recorded', () => {
  expect(summary.skipped).toBeLessThanOrEqual(recorded.skipped);
});

test('the left-out predictions are there for every row that is predicted', () => {
  const predicted = result.runs.filter(({ scoredIn, skipped }) => scoredIn !== 'none' && skipped === null);
  expect(predicted.filter(({ id }) => !leftOut.has(id)).map(({ id }) => id)).toEqual([]);
});

test('docs/accuracy.md is that of these rows', () => {
  const notes = parse(readFileSync('validation/notes.yaml', 'utf8')) as AccuracyNotes;
  expect(readFileSync('docs/accuracy.md', 'utf8')).toBe(accuracyMarkdown(result, notes));
});
