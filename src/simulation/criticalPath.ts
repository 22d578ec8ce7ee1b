import { type RankSpan, type RankStart, rankSpans } from './rankSpans.js';
import type { SimulatedStep } from './simulate.js';
import { partsSeconds } from './stageCost.js';
import type { TaskInfo } from './stepTasks.js';

/** As much of a simulated step as its timeline needs. */
export interface TimedStep
  extends Pick<SimulatedStep, 'graph' | 'timeline' | 'tasks' | 'makespanSeconds' | 'stepSeconds'> {
  readonly schedule: Pick<SimulatedStep['schedule'], 'staggered'>;
  readonly rankStarts?: readonly RankStart[];
}

/** What a second of a step goes to. `other` is waiting for the host to launch kernels. */
export const causes = [
  'compute',
  'recompute',
  'tensorParallel',
  'contextParallel',
  'expertParallel',
  'pipelineSend',
  'dataParallel',
  'optimizer',
  'offload',
  'other',
] as const;
export type Cause = (typeof causes)[number];
export type CauseSeconds = { [cause in `${Cause}Seconds`]: number };

/** The chain of tasks, each of which starts the moment the one before it ends, that makes the step as long as it is. */
export interface CriticalPath {
  /** Task numbers in order of time. */
  readonly tasks: readonly number[];
  readonly startSeconds: number;
  readonly endSeconds: number;
  /** Adds up to the length of the path. */
  readonly seconds: CauseSeconds & { waitSeconds: number };
}

export function noSeconds(): CauseSeconds {
  return {
    computeSeconds: 0,
    recomputeSeconds: 0,
    tensorParallelSeconds: 0,
    contextParallelSeconds: 0,
    expertParallelSeconds: 0,
    pipelineSendSeconds: 0,
    dataParallelSeconds: 0,
    optimizerSeconds: 0,
    offloadSeconds: 0,
    otherSeconds: 0,
  };
}

/** Adds `seconds` of a task to what they went to; a pass that contention stretched is stretched in all its parts alike. */
export function addTaskSeconds(sum: CauseSeconds, info: TaskInfo, seconds: number): void {
  const { kind, parts } = info;
  if (kind === 'optimizer') sum.optimizerSeconds += seconds;
  else if (kind === 'send') sum.pipelineSendSeconds += seconds;
  else if (kind === 'checkpoint') sum.offloadSeconds += seconds;
  else if (kind === 'gather' || kind === 'reduce') sum.dataParallelSeconds += seconds;
  else if (parts === undefined) sum.computeSeconds += seconds;
  else {
    const { compute, recompute, tensor, context, expert, offload, host, data } = parts;
    const alone = partsSeconds(parts);
    const scale = alone > 0 ? seconds / alone : 0;
    sum.computeSeconds += compute * scale;
    sum.recomputeSeconds += recompute * scale;
    sum.tensorParallelSeconds += tensor * scale;
    sum.contextParallelSeconds += context * scale;
    sum.expertParallelSeconds += expert * scale;
    sum.dataParallelSeconds += data * scale;
    sum.offloadSeconds += offload * scale;
    sum.otherSeconds += host * scale;
  }
}

/**
 * Follows what started each task back from the last one; where ranks start the next step on their own (`staggered`), from
 * the end of the rank that takes longest back to its start.
 */
export function criticalPath(step: TimedStep): CriticalPath {
  const { graph, timeline, tasks: infos } = step;
  const spans = rankSpans(step);
  const staggered = step.schedule.staggered;
  const length = (span: RankSpan): number => span.endSeconds - (staggered ? span.startSeconds : 0);
  const last = spans.reduce((a, b) => (length(b) > length(a) ? b : a));
  const startSeconds = staggered ? last.startSeconds : 0;
  const firstPass = startSeconds + (staggered ? last.lateGatherSeconds : 0);
  const tasks: number[] = [];
  const sum = noSeconds();
  sum.dataParallelSeconds += firstPass - startSeconds;
  let covered = firstPass - startSeconds;
  for (let task = last.lastTask; task >= 0; task = timeline.cause[task] ?? -1) {
    const end = timeline.end[task] ?? 0;
    if (end <= firstPass && tasks.length > 0) break;
    const seconds = end - Math.max(firstPass, timeline.start[task] ?? 0);
    const info = infos[graph.labels[task] ?? 0];
    if (info !== undefined) addTaskSeconds(sum, info, seconds);
    covered += seconds;
    tasks.push(task);
  }
  const left = last.endSeconds - startSeconds - covered;
  const waitSeconds = left > 1e-9 * covered ? left : 0;
  return { tasks: tasks.reverse(), startSeconds, endSeconds: last.endSeconds, seconds: { ...sum, waitSeconds } };
}
