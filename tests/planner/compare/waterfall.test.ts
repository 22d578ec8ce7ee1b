import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareEstimates } from '../../../src/planner/compare/compareEstimates.js';
import { memoryWaterfall, roundedToSum, stepWaterfall, waterfall } from '../../../src/planner/compare/waterfall.js';
import { estimate } from '../../../src/planner/estimate.js';
import type { Estimate } from '../../../src/planner/estimateResult.js';
import { compareTable } from '../../../src/report/compareTable.js';
import { resolveScenario } from '../../../src/scenario/resolveScenario.js';

function estimateOf(strategy: object, cluster = 'dgx-h100'): Estimate {
  const scenario = resolveScenario({
    model: 'llama3-8b',
    cluster,
    accelerators: 64,
    strategy: { globalBatchSize: 128, ...strategy },
  });
  return estimate(scenario, { advice: false });
}

const degrees = fc.record({
  tensorParallel: fc.constantFrom(1, 2, 4),
  pipelineParallel: fc.constantFrom(1, 2, 4),
  microBatchSize: fc.constantFrom(1, 2),
  recompute: fc.constantFrom('none' as const, 'full' as const),
  dataSharding: fc.constantFrom('ddp' as const, 'zero-1' as const),
});

describe('a waterfall', () => {
  test('of hand-made totals', () => {
    expect(waterfall({ a: 1, b: 2 }, { b: 5, c: 0.5 })).toEqual({
      before: 3,
      after: 5.5,
      delta: 2.5,
      terms: [
        { cause: 'a', before: 1, after: 0, delta: -1 },
        { cause: 'b', before: 2, after: 5, delta: 3 },
        { cause: 'c', before: 0, after: 0.5, delta: 0.5 },
      ],
    });
  });

  test('adds up: its terms are the whole difference of the steps and of the memory, between any two plans', () => {
    fc.assert(
      fc.property(degrees, degrees, fc.constantFrom('dgx-a100', 'dgx-h100'), (one, two, cluster) => {
        const [a, b] = [estimateOf(one), estimateOf(two, cluster)];
        const step = stepWaterfall(a, b);
        expect(step.terms.reduce((sum, { delta }) => sum + delta, 0)).toBe(step.delta);
        expect(step.before).toBeCloseTo(a.step.seconds, 9);
        expect(step.delta).toBeCloseTo(b.step.seconds - a.step.seconds, 9);
        const memory = memoryWaterfall(a, b);
        expect(memory.terms.reduce((sum, { delta }) => sum + delta, 0)).toBe(memory.delta);
        expect(Math.abs(memory.delta - (b.memory.peakBytes - a.memory.peakBytes))).toBeLessThan(64);
      }),
      { numRuns: 40 },
    );
  });

  test('adds up digit by digit as it is printed', () => {
    fc.assert(
      fc.property(degrees, degrees, (one, two) => {
        const named = [one, two].map((strategy, i) => ({ name: `${i}`, estimate: estimateOf(strategy) }));
        const text = compareTable(compareEstimates(named), { columns: 80, color: false });
        const blocks = text.split('\n\n').filter((block) => /^(Step|Allocated)/.test(block));
        expect(blocks).toHaveLength(2);
        for (const block of blocks) {
          const numbers = [...block.matchAll(/ ([+-]?\d+(?:\.\d+)?) (?:s|ms|us|GiB)(?: |$)/gm)].map(
            ([, digits = '']) => digits,
          );
          const scale = 10 ** (numbers[0]?.split('.')[1]?.length ?? 0);
          const whole = numbers.map((digits) => Math.round(Number(digits) * scale));
          const [first = 0, ...rest] = whole;
          const last = rest.pop() ?? 0;
          expect(rest.reduce((sum, step) => sum + step, first)).toBe(last);
        }
      }),
      { numRuns: 40 },
    );
  });
});

test('rounding to a sum moves no number by a whole unit more than it must', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: -1e3, max: 1e3, noNaN: true }), { minLength: 1, maxLength: 12 }),
      (numbers) => {
        const total = Math.round(numbers.reduce((sum, number) => sum + number, 0)) + 0;
        const rounded = roundedToSum(numbers, 1, total);
        expect(rounded.reduce((sum, number) => sum + number, 0) - total).toBe(0);
        for (const [i, number] of rounded.entries())
          expect(Math.abs(number - (numbers[i] ?? 0))).toBeLessThan(1 + 1e-9);
      },
    ),
  );
});
