import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { score } from '../../src/calibration/score.js';
import { measuredRun, outcome } from './fixtures.js';

describe('step errors', () => {
  test('are signed fractions of the measured time', () => {
    const result = score([outcome('paper', 10, 9), outcome('paper', 10, 12), outcome('paper', 10, 10)]);
    expect(result.medianAbsStepError).toBeCloseTo(0.1);
    expect(result.meanAbsStepError).toBeCloseTo(0.1);
    expect(result.p90AbsStepError).toBeCloseTo(0.18);
    expect(result.bias).toBeCloseTo(0.1 / 3);
    expect(result.medianStepError).toBeCloseTo(0);
  });

  test('of a large family do not outvote a small one', () => {
    const large = Array.from({ length: 50 }, () => outcome('large', 10, 10));
    const small = Array.from({ length: 3 }, () => outcome('small', 10, 14));
    const result = score([...large, ...small]);
    expect(result.medianAbsStepError).toBeCloseTo(0);
    expect(result.familyBalancedMedianAbsStepError).toBeCloseTo(0.2);
    expect(result.familyBalancedBias).toBeCloseTo(0.2);
  });

  test('of families of one or two rows are pooled', () => {
    const rows = [outcome('one', 1, 1.1), outcome('two', 1, 1.2), outcome('two', 1, 1.3)];
    const big = Array.from({ length: 3 }, () => outcome('three', 1, 1));
    const { byFamily } = score([...rows, ...big]);
    expect(Object.keys(byFamily).sort()).toEqual(['other', 'three']);
    expect(byFamily.other?.stepCount).toBe(3);
    expect(byFamily.other?.medianAbsStepError).toBeCloseTo(0.2);
  });
});

test('a skipped row is counted and scores nothing', () => {
  const skipped = outcome('paper', 10, 0, { skipped: 'no such model', predictedSeconds: null, fits: null });
  const result = score([outcome('paper', 10, 11), skipped, skipped]);
  expect(result).toMatchObject({ count: 1, skipped: 2, stepCount: 1 });
  expect(result.outOfMemory.count).toBe(1);
  expect(result.medianAbsStepError).toBeCloseTo(0.1);
});

test('memory is compared by the counter that the source read', () => {
  const row = (memoryKind: 'allocated' | 'nvidia-smi', predictedPeakBytes: number) =>
    outcome('paper', 1, 1, {
      run: measuredRun({ measured: { peakMemoryBytes: 100, memoryKind } }),
      predictedPeakBytes,
    });
  const { memoryByKind, medianAbsMemoryError } = score([row('allocated', 90), row('nvidia-smi', 130)]);
  expect(memoryByKind.allocated?.bias).toBeCloseTo(-0.1);
  expect(memoryByKind['nvidia-smi']?.medianAbsMemoryError).toBeCloseTo(0.3);
  expect(memoryByKind.reserved).toBeUndefined();
  expect(medianAbsMemoryError).toBeCloseTo(0.2);
});

test('out-of-memory decisions tell the costly mistake from the cautious one', () => {
  const ranOut = measuredRun({ measured: { outOfMemory: true } });
  const ran = measuredRun({ measured: { stepSeconds: 1 } });
  const decision = (run: typeof ran, fits: boolean) => outcome('sweep', 1, 1, { run, fits });
  const rows = [decision(ran, true), decision(ran, false), decision(ranOut, true), decision(ranOut, false)];
  expect(score(rows).outOfMemory).toEqual({ count: 4, right: 2, saidFits: 1, saidDoesNotFit: 1 });
});

describe('ranking', () => {
  const layout = (measured: number, predicted: number, strategy: object = {}) => {
    const file = { model: 'gpt2-xl', strategy: { globalBatchSize: 8, ...strategy } };
    return outcome('sweep', measured, predicted, {
      run: measuredRun({ run: file, measured: { stepSeconds: measured } }),
    });
  };

  test('regret is the time lost with the plan that the model puts first', () => {
    const sweep = [layout(10, 3), layout(12, 2), layout(20, 4)];
    expect(score(sweep).ranking).toMatchObject({ sweeps: 1 });
    expect(score(sweep).ranking.medianRegret).toBeCloseTo(0.2);
  });

  test('is perfect when the order is right, however wrong the times are', () => {
    expect(score([layout(10, 1), layout(12, 2), layout(20, 3)]).ranking.worstRegret).toBe(0);
  });

  test('does not reward a tie for luck', () => {
    expect(score([layout(10, 1), layout(20, 1), layout(30, 2)]).ranking.worstRegret).toBeCloseTo(0.5);
  });

  test('needs three rows of the same question', () => {
    const rows = [layout(10, 1), layout(12, 2), layout(20, 3, { globalBatchSize: 16 })];
    expect(score(rows).ranking).toEqual({ sweeps: 0, medianRegret: null, worstRegret: null });
  });
});

describe('for any outcomes', () => {
  const seconds = fc.double({ min: 1e-3, max: 1e4, noNaN: true });
  const outcomes = fc.array(
    fc
      .tuple(fc.constantFrom('a', 'b', 'c', 'd'), seconds, seconds, fc.boolean())
      .map(([family, measured, predicted, fits]) => outcome(family, measured, predicted, { fits })),
  );

  test('families add up to the whole and decisions to their count', () => {
    fc.assert(
      fc.property(outcomes, (rows) => {
        const result = score(rows);
        const families = Object.values(result.byFamily);
        const { right, saidFits, saidDoesNotFit, count } = result.outOfMemory;
        expect(families.reduce((sum, family) => sum + family.stepCount, 0)).toBe(rows.length);
        expect(right + saidFits + saidDoesNotFit).toBe(count);
        expect(result.ranking.worstRegret ?? 0).toBeGreaterThanOrEqual(result.ranking.medianRegret ?? 0);
      }),
    );
  });

  test('the order of the rows does not matter', () => {
    fc.assert(
      fc.property(outcomes, (rows) => {
        const [one, other] = [score(rows), score(rows.toReversed())];
        expect(other.familyBalancedMedianAbsStepError).toBe(one.familyBalancedMedianAbsStepError);
        expect(other.ranking.worstRegret ?? 0).toBeCloseTo(one.ranking.worstRegret ?? 0);
      }),
    );
  });
});
