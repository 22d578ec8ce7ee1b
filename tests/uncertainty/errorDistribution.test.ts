import { describe, expect, test } from 'vitest';
import { errorsLike, middleOf, type RunKind, shareAbove } from '../../src/uncertainty/errorDistribution.js';
import type { ResidualCell } from '../../src/uncertainty/residualCell.js';

const kind: RunKind = {
  accelerator: 'h100-sxm-80',
  generation: 'hopper',
  framework: 'megatron',
  mixtureOfExperts: false,
  accelerators: 1024,
};

function cell(changes: Partial<ResidualCell>): ResidualCell {
  const { accelerators: _, ...same } = kind;
  return { family: 'a', ...same, log2Accelerators: 10, weight: 10, errors: [0], ...changes };
}

describe('runs that are alike', () => {
  test('count more the more alike they are', () => {
    const weights = (changes: Partial<ResidualCell>) => errorsLike(kind, [cell(changes)])[0]?.[1] ?? 0;
    const same = weights({});
    expect(same).toBe(10);
    expect(weights({ accelerator: 'h200-sxm-141' })).toBeLessThan(same);
    expect(weights({ accelerator: 'a100-sxm-80', generation: 'ampere' })).toBeLessThan(
      weights({ accelerator: 'h200-sxm-141' }),
    );
    expect(weights({ framework: 'fsdp' })).toBeLessThan(same);
    expect(weights({ mixtureOfExperts: true })).toBeLessThan(same);
    expect(weights({ log2Accelerators: 3 })).toBeLessThan(weights({ log2Accelerators: 8 }));
  });

  test('share the weight of their cell, and a family can be left out', () => {
    const cells = [cell({ errors: [0.1, 0.2] }), cell({ family: 'b', errors: [0.3] })];
    expect(errorsLike(kind, cells)).toEqual([
      [0.1, 5],
      [0.2, 5],
      [0.3, 10],
    ]);
    expect(errorsLike(kind, cells, 'a')).toEqual([[0.3, 10]]);
  });
});

describe('the middle 80 %', () => {
  const even = Array.from({ length: 100 }, (_, i) => [(i - 49.5) / 100, 1] as const);

  test('leaves a tenth at each end', () => {
    const { low, high } = middleOf(even);
    expect(low).toBeCloseTo(-0.4, 1);
    expect(high).toBeCloseTo(0.4, 1);
  });

  test('always lies around the prediction', () => {
    expect(middleOf([[0.2, 1]])).toEqual({ low: -0.02, high: 0.2 });
    expect(middleOf([])).toEqual({ low: -0.02, high: 0.02 });
  });
});

describe('the chance of being above a limit', () => {
  const errors = [
    [-0.1, 1],
    [0, 1],
    [0.1, 2],
  ] as const;

  test('is the weight of the errors above it', () => {
    expect(shareAbove(errors, 0.05, 1)).toBeCloseTo(0.5, 2);
    expect(shareAbove(errors, -0.05, 1)).toBeCloseTo(0.75, 2);
    expect(shareAbove(errors, 1, 1)).toBeLessThan(1e-6);
    expect(shareAbove(errors, -1, 1)).toBeGreaterThan(1 - 1e-6);
  });

  test('grows with the spread where there is room', () => {
    expect(shareAbove(errors, 0.15, 2)).toBeGreaterThan(shareAbove(errors, 0.15, 1));
  });
});
