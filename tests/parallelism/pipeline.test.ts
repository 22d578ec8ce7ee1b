import { describe, expect, test } from 'vitest';
import type { StagePass } from '../../src/parallelism/pipeline/schedule.js';
import { scheduleOf } from '../../src/parallelism/pipeline/schedules.js';
import { type PipelineSchedule, pipelineSchedules } from '../../src/parallelism/strategy.js';

/** p equal stages: forward, input gradient and weight gradient of one micro-batch. */
function even(p: number, forward: number, inputGradient: number, weightGradient: number): StagePass[] {
  return Array.from({ length: p }, () => ({ forward, inputGradient, weightGradient }));
}

/** Idle seconds of the busiest stage in a step. */
function bubble(
  name: PipelineSchedule,
  passes: readonly StagePass[],
  microBatches: number,
  chunks = 1,
  busiest = 0,
): number {
  return scheduleOf(name).bubbleSeconds({ passes, microBatches, chunks }, busiest);
}

/** Micro-batches alive on each stage. */
function inFlight(name: PipelineSchedule, stages: number, microBatches: number, chunks = 1): number[] {
  return Array.from({ length: stages }, (_, stage) => scheduleOf(name).inFlight(stage, stages, microBatches, chunks));
}

describe('bubbles of even stages', () => {
  const p = 4;
  const m = 16;
  const passes = even(p, 1, 1, 1);
  const work = m * 3;

  test.each(['gpipe', '1f1b'] as const)('%s: (p - 1) / m of the work', (name) => {
    expect(bubble(name, passes, m) / work).toBeCloseTo((p - 1) / m, 12);
  });

  test.each([1, 2, 4])('interleaved with %i chunks: (p - 1) / (m v)', (v) => {
    expect(bubble('interleaved-1f1b', passes, m, v) / work).toBeCloseTo((p - 1) / (m * v), 12);
    expect(bubble('breadth-first', passes, m, v) / work).toBeCloseTo((p - 1) / (m * v), 12);
  });

  test('zero bubble: (p - 1)(F + B - W), and nothing where the three are equal and memory is doubled', () => {
    expect(bubble('zb-h1', passes, m)).toBe(3 * (1 + 1 - 1));
    expect(bubble('zb-h2', passes, m)).toBe(0);
    expect(bubble('zb-v', passes, m, 2)).toBe(0);
    // Longer input gradients (attention, recomputation) leave some of it open: F = 2, B = 3, W = 1.
    expect(bubble('zb-h1', even(p, 2, 3, 1), m)).toBe(3 * (2 + 3 - 1));
    expect(bubble('zb-h2', even(p, 2, 3, 1), m)).toBe(3 * (2 + 3 - 2));
    expect(bubble('zb-v', even(p, 2, 3, 1), m, 2)).toBe((3 * (2 + 3 - 2)) / 2);
  });

  test('DualPipe: (p / 2 - 1)(F&B + B - 3 W), B the whole backward pass', () => {
    // F&B = 1 + 2, B = 2, W = 1.
    expect(bubble('dualpipe', even(8, 1, 1, 1), m)).toBe((8 / 2 - 1) * (3 + 2 - 3));
    expect(bubble('dualpipe', even(2, 1, 1, 1), m)).toBe(0);
  });

  test.each(pipelineSchedules)('%s: none with one stage, and never negative', (name) => {
    expect(bubble(name, even(1, 1, 2, 3), m)).toBe(0);
    expect(bubble(name, even(8, 1, 1, 100), m)).toBeGreaterThanOrEqual(0);
  });
});

test('uneven stages: the busiest waits for what the others do', () => {
  const passes = [
    { forward: 1, inputGradient: 1, weightGradient: 1 },
    { forward: 2, inputGradient: 2, weightGradient: 2 },
    { forward: 1, inputGradient: 1, weightGradient: 0 },
  ];
  expect(bubble('1f1b', passes, 8, 1, 1)).toBe(3 + 2);
  expect(bubble('zb-h1', passes, 8, 1, 1)).toBe(1 + 2);
});

describe('micro-batches alive', () => {
  test('GPipe and breadth-first keep all, 1F1B one for each stage still to come', () => {
    expect(inFlight('gpipe', 4, 16)).toEqual([16, 16, 16, 16]);
    expect(inFlight('breadth-first', 4, 16, 2)).toEqual([16, 16, 16, 16]);
    expect(inFlight('1f1b', 4, 16)).toEqual([4, 3, 2, 1]);
    expect(inFlight('1f1b', 4, 2)).toEqual([2, 2, 2, 1]);
  });

  /** Weight gradients that wait keep what they need alive on the later stages, too (Qi et al. 2023, figures 2 and 3). */
  test('on every stage alike: ZB-H1 keeps p, ZB-H2 2 p - 1, ZB-V p, DualPipe p + 1', () => {
    expect(inFlight('zb-h1', 4, 16)).toEqual([4, 4, 4, 4]);
    expect(inFlight('zb-h1', 4, 3)).toEqual([3, 3, 3, 3]);
    expect(inFlight('zb-h2', 4, 16)).toEqual([7, 7, 7, 7]);
    expect(inFlight('zb-h2', 4, 5)).toEqual([5, 5, 5, 5]);
    expect(inFlight('zb-v', 4, 16, 2)).toEqual([4, 4, 4, 4]);
    expect(inFlight('dualpipe', 4, 16)).toEqual([5, 5, 5, 5]);
  });

  /** Korthikanti et al. 2022, section 4.2.3: interleaving needs 1 + (p - 1) / (p v) times the memory of p micro-batches. */
  test.each([
    { p: 8, v: 3 },
    { p: 35, v: 3 },
    { p: 64, v: 2 },
  ])('interleaved on $p stages of $v chunks: p (1 + (p - 1) / (p v)) on the first', ({ p, v }) => {
    const [first] = inFlight('interleaved-1f1b', p, 4 * p, v);
    expect(first).toBeCloseTo(p * (1 + (p - 1) / (p * v)), 12);
  });

  test('interleaved, in chunks: 2 (p - i - 1) + (v - 1) p + 1', () => {
    expect(inFlight('interleaved-1f1b', 4, 16, 2).map((alive) => 2 * alive)).toEqual([11, 9, 7, 5]);
    expect(inFlight('interleaved-1f1b', 4, 4, 2).map((alive) => 2 * alive)).toEqual([8, 8, 7, 5]);
  });

  test.each(pipelineSchedules)('%s: never more than there are, never none', (name) => {
    for (const m of [1, 2, 7, 64]) {
      for (const alive of inFlight(name, 8, m, name === 'zb-v' ? 2 : 1)) {
        expect(alive).toBeGreaterThan(0);
        expect(alive).toBeLessThanOrEqual(m);
      }
    }
  });
});
