import { describe, expect, test } from 'vitest';
import { validateRuns } from '../../src/calibration/validate.js';
import { SlipwayError } from '../../src/errors.js';
import { validationTable } from '../../src/report/validationTable.js';
import { measuredRun, prediction, scenario } from './fixtures.js';

const run = (stepSeconds: number, overrides = {}) => measuredRun({ measured: { stepSeconds }, ...overrides });

describe('validateRuns', () => {
  test('gives each run both sides, its error and whether it fits', () => {
    const { runs } = validateRuns([run(2)], () => prediction({ stepSeconds: 3, fits: false }));
    expect(runs[0]).toMatchObject({ stepError: 0.5, memoryError: null, fits: false, skipped: null });
    expect(runs[0]?.predicted?.stepSeconds).toBe(3);
  });

  test('puts 80 % intervals around what it predicts', () => {
    const [row] = validateRuns([run(2)], () => prediction({ stepSeconds: 3 })).runs;
    const [low = 0, high = 0] = row?.predicted?.stepSecondsInterval ?? [];
    expect(low).toBeGreaterThan(0);
    expect(low).toBeLessThan(3);
    expect(high).toBeGreaterThan(3);
  });

  test('scores what was predicted without the family of a run beside it, where that is known', () => {
    const rows = [run(2, { id: 'known' }), run(2, { id: 'other' })];
    const leftOut = new Map([['known', { stepSeconds: 3, peakBytes: 1, fits: true }]]);
    expect(validateRuns(rows, () => prediction({ stepSeconds: 2 }), leftOut).summary.leftOut).toMatchObject({
      stepCount: 1,
      medianAbsStepError: 0.5,
    });
    expect(validateRuns(rows, () => prediction({ stepSeconds: 2 })).summary.leftOut).toBeNull();
  });

  test.each([
    ['allocated', 10],
    ['reserved', 20],
    ['nvidia-smi', 30],
    ['unstated', 20],
    [undefined, 20],
  ] as const)('compares a peak read from %s with its like', (memoryKind, peakBytes) => {
    const measured = { peakMemoryBytes: 10, ...(memoryKind === undefined ? {} : { memoryKind }) };
    const evaluation = { allocatedBytes: 10, reservedBytes: 20, deviceBytes: 30 };
    const [row] = validateRuns([measuredRun({ measured })], () => prediction(evaluation)).runs;
    expect(row?.predicted?.peakBytes).toBe(peakBytes);
    expect(row?.memoryError).toBe(peakBytes / 10 - 1);
  });

  test('reports rows with open fields apart and leaves contradictory ones out', () => {
    const rows = [run(1), run(1, { unknown: ['recompute'] }), run(1, { problems: ['sums to 101 %'] })];
    const { summary, runs } = validateRuns(rows, () => prediction({}));
    expect([summary.count, summary.unknownFields.count, summary.excluded]).toEqual([1, 1, 1]);
    expect(runs.map((row) => row.scoredIn)).toEqual(['summary', 'unknownFields', 'none']);
  });

  test('a mistake in a row skips the row with the reason; a bug of ours does not hide', () => {
    const unknownPreset = () => {
      throw new SlipwayError('unknown-preset', 'no model gpt5');
    };
    const { runs, summary } = validateRuns([run(1)], unknownPreset);
    expect(runs[0]).toMatchObject({ skipped: 'no model gpt5', predicted: null, fits: null, stepError: null });
    expect(summary).toMatchObject({ count: 0, skipped: 1, familyBalancedMedianAbsStepError: null });
    expect(() =>
      validateRuns([run(1)], () => {
        throw new TypeError('undefined is not a function');
      }),
    ).toThrow(TypeError);
    expect(() => validateRuns([run(1)], () => prediction({ stepSeconds: Number.NaN }))).toThrow(/internal error/);
  });

  test('a plan that cannot run is skipped with its reasons', () => {
    const reasons = [{ code: 'layers', numbers: {}, message: '3 stages do not divide 4 layers' }];
    const { runs } = validateRuns([run(1)], () => prediction({ feasible: false, reasons, stepSeconds: 0 }));
    expect(runs[0]?.skipped).toBe('3 stages do not divide 4 layers');
  });

  test('the baseline is fitted to the same rows and scored on them', () => {
    const batch = { globalBatchSize: 1 };
    const rows = [run(1, { run: batch }), run(2, { run: batch }), run(4, { run: batch })];
    const { baseline } = validateRuns(rows, () => prediction({}, scenario())).summary;
    // One constant for three equal questions: it answers 2 s to all of them.
    expect(baseline.medianAbsStepError).toBeCloseTo(0.5);
    expect(baseline.bias).toBeCloseTo((1 + 0 - 0.5) / 3);
    expect(baseline.stepCount).toBe(3);
    expect(baseline.outOfMemory.count).toBe(0);
  });
});

describe('validationTable', () => {
  const rows = [
    ...Array.from({ length: 4 }, (_, index) =>
      run(10 + index, { family: 'a-family-with-a-name-longer-than-its-column' }),
    ),
    ...Array.from({ length: 3 }, () => run(1e-3, { family: 'tiny', id: `${'long'.repeat(30)}${Math.random()}` })),
    measuredRun({ family: 'tiny', measured: { outOfMemory: true } }),
    measuredRun({ family: 'tiny', measured: { peakMemoryBytes: 8e10, memoryKind: 'reserved' } }),
    run(1, { unknown: ['recompute'] }),
    run(1, { problems: ['?'] }),
  ];
  const result = validateRuns(rows, () => prediction({ stepSeconds: 11, reservedBytes: 7e10 }));

  test('keeps to 80 columns', () => {
    const lines = validationTable(result, { worst: 10 }).split('\n');
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
  });

  test('shows every section that has rows, baseline beside it', () => {
    const text = validationTable(result, { worst: 3 });
    for (const title of [
      'STEP TIME',
      'one-line',
      'FAMILY',
      'PEAK MEMORY',
      'FITS OR NOT',
      'NOT IN THE SCORE',
      'WORST',
    ]) {
      expect(text).toContain(title);
    }
  });

  test('prints dashes, not NaN, when everything was skipped', () => {
    const skipped = validateRuns([run(1), run(2)], () => {
      throw new SlipwayError('unsupported', 'torus of 3 x 5 is not known');
    });
    const text = validationTable(skipped, { worst: 3 });
    expect(text).toMatch(/2 {2}torus of 3 x 5 is not known/);
    expect(text).not.toMatch(/NaN|Infinity|undefined|null/);
  });
});
