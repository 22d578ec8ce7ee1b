import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { OrderRequest, Pass, PassLengths, PipelineOrder } from '../../src/parallelism/pipeline/order.js';
import { scheduleOf } from '../../src/parallelism/pipeline/schedules.js';
import { type PipelineSchedule, pipelineSchedules } from '../../src/parallelism/strategy.js';
import { criticalPath } from '../../src/simulation/criticalPath.js';
import { rankSpans } from '../../src/simulation/rankSpans.js';
import { equal, secondsOf, type UnitStep, unitSchedule, unitStep } from './unitStep.js';

/** Seconds that the rank with the longest span idles inside it: the papers' bubble where ranks start on their own. */
function spanBubble(step: UnitStep, work: number): number {
  return Math.max(...rankSpans(step).map(({ startSeconds, endSeconds }) => endSeconds - startSeconds)) - work;
}

/** Chunk activations alive at the most on every rank: from a forward pass to the end of its gradients. */
function mostAlive({ ranks }: PipelineOrder): number[] {
  return ranks.map((passes) => {
    let alive = 0;
    let most = 0;
    for (const { kind } of passes) {
      if (kind === 'forward') most = Math.max(most, ++alive);
      if (kind === 'backward' || kind === 'weightGradient') alive--;
    }
    return most;
  });
}

const lengths = fc.record({
  forward: fc.integer({ min: 1, max: 9 }),
  inputGradient: fc.integer({ min: 1, max: 9 }),
  weightGradient: fc.integer({ min: 1, max: 9 }),
});

/** Whatever a schedule may be asked for: p, m and chunks, m not always a multiple of p. */
function requests(name: PipelineSchedule): fc.Arbitrary<OrderRequest> {
  return fc
    .record({
      stages: fc.integer({ min: 2, max: 9 }),
      microBatches: fc.integer({ min: 1, max: 30 }),
      chunks: fc.integer({ min: 1, max: 4 }),
      lengths,
    })
    .map(({ stages, microBatches, chunks, lengths: drawn }) => {
      const even = 2 * Math.ceil(stages / 2);
      if (name === 'dualpipe')
        return { stages: even, microBatches: 2 * (even + microBatches), chunks: 1, lengths: drawn };
      const interleaves = name === 'interleaved-1f1b' || name === 'breadth-first';
      if (name === 'zb-v') return { stages, microBatches, chunks: 2, lengths: drawn };
      return { stages, microBatches, chunks: interleaves ? chunks : 1, lengths: drawn };
    });
}

function passName({ kind, microBatch, chunk }: Pass): string {
  return `${kind} ${microBatch} ${chunk}`;
}

describe.each(pipelineSchedules)('%s', (name) => {
  const schedule = scheduleOf(name);
  // Known: with m not a multiple of p Megatron's order needs groups of p or more, and a warm-up as long as the largest.

  test('has every pass exactly once, on the rank that holds the chunk', () => {
    fc.assert(
      fc.property(requests(name), (request) => {
        const order = schedule.order(request);
        expect(order.ranks).toHaveLength(request.stages);
        const seen = new Set<string>();
        order.ranks.forEach((passes, rank) => {
          for (const pass of passes) {
            expect(order.rankOf(pass.chunk, pass.microBatch)).toBe(rank);
            expect(seen.has(passName(pass))).toBe(false);
            seen.add(passName(pass));
          }
        });
        for (let chunk = 0; chunk < order.chunks; chunk++) {
          for (let microBatch = 0; microBatch < request.microBatches; microBatch++) {
            const has = (kind: Pass['kind']): boolean => seen.has(passName({ kind, microBatch, chunk }));
            expect(has('forward')).toBe(true);
            // Whole, or in two parts; never both.
            expect(has('inputGradient')).toBe(!has('backward'));
            expect(has('weightGradient')).toBe(!has('backward'));
          }
        }
      }),
    );
  });

  test('runs to its end, never shorter than the work of a rank or the way through all chunks', () => {
    fc.assert(
      fc.property(requests(name), (request) => {
        const { microBatches, lengths: of } = request;
        const order = schedule.order(request);
        const step = unitStep(order, of, schedule.staggered);
        const both = of.forward + of.inputGradient + of.weightGradient;
        const perRank = (order.chunks / request.stages) * microBatches * both;
        expect(step.makespanSeconds).toBeGreaterThanOrEqual(perRank * (1 - 1e-12));
        expect(step.makespanSeconds).toBeGreaterThanOrEqual(order.chunks * (of.forward + of.inputGradient));
        const { seconds } = criticalPath(step);
        expect(seconds.computeSeconds).toBeLessThanOrEqual(step.makespanSeconds * (1 + 1e-12));
      }),
    );
  });

  test('keeps no more alive than it says', () => {
    fc.assert(
      fc.property(requests(name), (request) => {
        const chunks = name === 'dualpipe' ? 1 : request.chunks;
        const said = (stage: number): number => schedule.inFlight(stage, request.stages, request.microBatches, chunks);
        mostAlive(schedule.order(request)).forEach((alive, stage) => {
          expect(alive / chunks).toBeLessThanOrEqual(said(stage) + 1e-9);
        });
      }),
    );
  });
});

test('ZB-V with long input gradients has an order', () => {
  const uneven: PassLengths = { forward: 4, inputGradient: 7, weightGradient: 1 };
  unitSchedule('zb-v', 2, 6, 2, uneven);
});

describe('bubbles, to the second', () => {
  const cases = fc.record({ p: fc.integer({ min: 2, max: 10 }), m: fc.integer({ min: 1, max: 40 }), of: lengths });

  test.each(['gpipe', '1f1b'] as const)('%s: (p - 1)(F + B)', (name) => {
    fc.assert(
      fc.property(cases, ({ p, m, of }) => {
        const pass = of.forward + secondsOf('backward', of);
        // With fewer micro-batches than stages 1F1B is a shorter GPipe.
        expect(unitSchedule(name, p, m, 1, of).makespanSeconds).toBe((m + p - 1) * pass);
      }),
    );
  });

  test.each(['interleaved-1f1b', 'breadth-first'] as const)(
    '%s: (p - 1)(F + B) of one chunk, where p divides m',
    (name) => {
      fc.assert(
        fc.property(cases, fc.integer({ min: 1, max: 4 }), ({ p, m, of }, v) => {
          const groups = 1 + (m % 5);
          const pass = of.forward + secondsOf('backward', of);
          // A backward pass as long as a forward pass or longer; else the cool-down waits for forwards.
          fc.pre(secondsOf('backward', of) >= of.forward);
          const { makespanSeconds } = unitSchedule(name, p, groups * p, v, of);
          expect(makespanSeconds).toBe((groups * p * v + p - 1) * pass);
        }),
      );
    },
  );

  test('interleaved as a share of the work: (p - 1) / (m v)', () => {
    const work = 16 * 3 * 2;
    expect(unitSchedule('interleaved-1f1b', 8, 16, 2).makespanSeconds / work - 1).toBeCloseTo(7 / (16 * 2), 12);
  });

  test('ZB-H1: (p - 1)(F + B - W) with even passes', () => {
    for (const p of [2, 4, 8]) {
      for (const m of [p, 2 * p, 3 * p]) expect(spanBubble(unitSchedule('zb-h1', p, m), 3 * m)).toBe(p - 1);
    }
  });

  test('ZB-H2: none with even passes, from 2 p - 1 micro-batches', () => {
    for (const p of [2, 4, 8]) {
      for (const m of [2 * p - 1, 2 * p, 4 * p]) expect(spanBubble(unitSchedule('zb-h2', p, m), 3 * m)).toBe(0);
    }
  });

  test('ZB-V: none with even passes, from 2 p - 1 micro-batches, within p of them', () => {
    for (const p of [2, 3, 4, 5, 6, 7, 8, 12, 16]) {
      for (const m of [2 * p - 1, 2 * p, 3 * p, 4 * p]) {
        expect(spanBubble(unitSchedule('zb-v', p, m, 2), 6 * m)).toBe(0);
        const order = scheduleOf('zb-v').order({ stages: p, microBatches: m, chunks: 2, lengths: equal });
        expect(Math.max(...mostAlive(order))).toBe(2 * p);
      }
    }
  });

  test('DualPipe: (p / 2 - 1)(F&B + B - 3 W), where no pass is longer than the input gradient', () => {
    fc.assert(
      fc.property(fc.constantFrom(2, 4, 6, 8, 10), fc.integer({ min: 2, max: 5 }), lengths, (p, groups, drawn) => {
        const m = p * groups;
        const inputGradient = Math.max(drawn.forward, drawn.inputGradient, drawn.weightGradient);
        const of = { ...drawn, inputGradient };
        const both = of.forward + inputGradient + of.weightGradient;
        const bubble = (p / 2 - 1) * (both + inputGradient + of.weightGradient - 3 * of.weightGradient);
        expect(unitSchedule('dualpipe', p, m, 1, of).makespanSeconds).toBe(m * both + bubble);
      }),
    );
  });

  test('zero-bubble schedules are never slower than 1F1B', () => {
    fc.assert(
      fc.property(cases, ({ p, m, of }) => {
        const limit = unitSchedule('1f1b', p, m, 1, of).makespanSeconds;
        for (const name of ['zb-h1', 'zb-h2'] as const) {
          const spans = rankSpans(unitSchedule(name, p, m, 1, of));
          const longest = Math.max(...spans.map(({ startSeconds, endSeconds }) => endSeconds - startSeconds));
          expect(longest).toBeLessThanOrEqual(limit);
        }
      }),
    );
  });
});

describe('micro-batches alive, as the papers state', () => {
  const alive = (name: PipelineSchedule, p: number, m: number, v = 1, of: PassLengths = equal): number[] =>
    mostAlive(scheduleOf(name).order({ stages: p, microBatches: m, chunks: v, lengths: of }));

  test('GPipe and breadth-first keep all; 1F1B and ZB-H1 p - i', () => {
    expect(alive('gpipe', 4, 12)).toEqual([12, 12, 12, 12]);
    expect(alive('breadth-first', 4, 12, 2)).toEqual([24, 24, 24, 24]);
    expect(alive('1f1b', 4, 12)).toEqual([4, 3, 2, 1]);
    // ZB-H1 keeps p on every rank: what waits for its weight gradient fills what 1F1B leaves free (Qi et al. 2023, figure 2).
    expect(Math.max(...alive('zb-h1', 4, 12))).toBe(4);
  });

  test('interleaved: 2 (p - i - 1) + (v - 1) p + 1 chunks', () => {
    expect(alive('interleaved-1f1b', 4, 16, 2)).toEqual([11, 9, 7, 5]);
    expect(alive('interleaved-1f1b', 4, 16, 3)).toEqual([15, 13, 11, 9]);
  });

  test('ZB-H2 up to 2 p - 1, ZB-V up to 2 p chunks of half a stage, DualPipe p + 1', () => {
    expect(Math.max(...alive('zb-h2', 4, 16))).toBe(7);
    expect(Math.max(...alive('zb-v', 4, 16, 2))).toBe(8);
    expect(Math.max(...alive('dualpipe', 4, 16))).toBe(5);
  });
});
