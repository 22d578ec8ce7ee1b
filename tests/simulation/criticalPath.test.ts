import { describe, expect, test } from 'vitest';
import { causes, criticalPath, type TimedStep } from '../../src/simulation/criticalPath.js';
import { stageActivities } from '../../src/simulation/stageActivity.js';
import { smallStep } from './smallStep.js';
import { unitSchedule } from './unitStep.js';

function sum(values: object): number {
  return Object.values(values).reduce((total: number, value: unknown) => total + Number(value), 0);
}

const runs: readonly (readonly [string, object])[] = [
  ['one stage', { tensorParallel: 2 }],
  ['1F1B', { pipelineParallel: 4, tensorParallel: 2 }],
  ['1F1B, nothing overlaps', { pipelineParallel: 4, overlapGradientReduce: false, overlapParameterGather: false }],
  ['interleaved', { pipelineParallel: 4, virtualStages: 2 }],
  ['ZB-H1', { pipelineParallel: 4, pipelineSchedule: 'zb-h1' }],
  ['ZB-V', { pipelineParallel: 4, pipelineSchedule: 'zb-v' }],
  ['DualPipe', { pipelineParallel: 4, pipelineSchedule: 'dualpipe', dataSharding: 'ddp' }],
  ['fully sharded', { pipelineParallel: 2, dataSharding: 'zero-3' }],
  ['recomputation', { pipelineParallel: 2, recompute: 'full' }],
];

describe('critical path', () => {
  test('1F1B: down the pipeline and back, then the last rank is always busy', () => {
    const path = criticalPath(unitSchedule('1f1b', 4, 8));
    expect(path.endSeconds).toBe((8 + 3) * 3);
    expect(path.seconds).toMatchObject({ computeSeconds: 33, waitSeconds: 0 });
    expect(sum(path.seconds)).toBe(33);
  });

  test.each(runs)(
    '%s: every task starts when the one before it ends; the seconds add up to the step',
    (_, strategy) => {
      const step = smallStep(strategy);
      const path = criticalPath(step);
      const { start, end } = step.timeline;
      path.tasks.slice(1).forEach((task, i) => {
        expect(start[task]).toBeCloseTo(end[path.tasks[i] ?? 0] ?? -1, 12);
      });
      expect(path.endSeconds - path.startSeconds).toBeCloseTo(step.stepSeconds, 9);
      expect(sum(path.seconds)).toBeCloseTo(step.stepSeconds, 9);
      expect(path.seconds.waitSeconds).toBe(0);
      expect(Math.min(...Object.values(path.seconds))).toBeGreaterThanOrEqual(0);
    },
  );

  test('names recomputation, tensor parallel traffic and messages', () => {
    const { seconds } = criticalPath(smallStep({ pipelineParallel: 2, tensorParallel: 4, recompute: 'full' }));
    expect(seconds.recomputeSeconds).toBeGreaterThan(0);
    expect(seconds.tensorParallelSeconds).toBeGreaterThan(0);
    expect(seconds.pipelineSendSeconds).toBeGreaterThan(0);
    expect(seconds.optimizerSeconds).toBeGreaterThan(0);
    expect(Object.keys(seconds)).toEqual([...causes.map((cause) => `${cause}Seconds`), 'waitSeconds']);
  });

  test('no shorter than the busiest rank, no longer than from first to last task', () => {
    for (const [, strategy] of runs) {
      const step = smallStep(strategy);
      const busiest = Math.max(...stageActivities(step).map(({ busySeconds }) => busySeconds));
      const length = sum(criticalPath(step).seconds);
      expect(length).toBeGreaterThanOrEqual(busiest * (1 - 1e-12));
      expect(length).toBeLessThanOrEqual(step.makespanSeconds * (1 + 1e-12));
    }
  });
});

describe('stage activity', () => {
  test('GPipe: every rank waits (p - 1) passes in each direction', () => {
    const step: TimedStep = unitSchedule('gpipe', 4, 8);
    for (const { busySeconds, idleSeconds, exposed } of stageActivities(step)) {
      expect(busySeconds).toBe(24);
      expect(idleSeconds).toBe(9);
      expect(exposed).toMatchObject({ computeSeconds: 24, pipelineBubbleSeconds: 9 });
    }
  });

  test.each(runs)('%s: busy and idle, and the causes, add up to the step on every rank', (_, strategy) => {
    const step = smallStep(strategy);
    for (const { busySeconds, idleSeconds, exposed } of stageActivities(step)) {
      expect(busySeconds + idleSeconds).toBeCloseTo(step.stepSeconds, 9);
      expect(sum(exposed)).toBeCloseTo(step.stepSeconds, 9);
      expect(Math.min(...Object.values(exposed))).toBeGreaterThanOrEqual(0);
    }
  });

  test('waiting for a message is not a bubble', () => {
    const activity = stageActivities(smallStep({ pipelineParallel: 4 }))[1];
    expect(activity?.exposed.pipelineSendSeconds).toBeGreaterThan(0);
    expect(activity?.exposed.pipelineBubbleSeconds).toBeGreaterThan(0);
  });
});
