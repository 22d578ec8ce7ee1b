import { addTaskSeconds, type CauseSeconds, noSeconds, type TimedStep } from './criticalPath.js';
import { streamsPerRank } from './engine/taskGraph.js';
import { rankSpans } from './rankSpans.js';

/** What the compute stream of one rank does over a step. */
export interface StageActivity {
  readonly stage: number;
  /** Start of the rank's step: 0, or its first task where ranks start on their own. */
  readonly startSeconds: number;
  readonly busySeconds: number;
  readonly idleSeconds: number;
  /** Where the time goes, idle time included; adds up to the step. */
  readonly exposed: CauseSeconds & { pipelineBubbleSeconds: number };
}

/**
 * Busy and idle seconds of every rank. An idle gap counts as communication for as long as the message, gather or reduction
 * that ended it was on its way; the rest of it is waiting for another rank's passes: the bubble.
 */
export function stageActivities(step: TimedStep): StageActivity[] {
  const { graph, timeline, tasks, schedule, stepSeconds } = step;
  const spans = rankSpans(step);
  const starts = spans.map((span) => (schedule.staggered ? span.startSeconds : 0));
  const gathers = spans.map((span) => (schedule.staggered ? span.lateGatherSeconds : 0));
  const sums = gathers.map((seconds) => ({ ...noSeconds(), dataParallelSeconds: seconds, pipelineBubbleSeconds: 0 }));
  const busy = starts.map(() => 0);
  const freeAt = starts.map((start, rank) => start + (gathers[rank] ?? 0));
  for (let task = 0; task < graph.size; task++) {
    const stream = graph.streams[task] ?? 0;
    // The compute stream is the first of each rank; its tasks are numbered in the order in which they run.
    if (stream % streamsPerRank !== 0) continue;
    const rank = stream / streamsPerRank;
    const sum = sums[rank];
    const info = tasks[graph.labels[task] ?? 0];
    if (sum === undefined || info === undefined) continue;
    const start = timeline.start[task] ?? 0;
    const end = timeline.end[task] ?? 0;
    if (start > (freeAt[rank] ?? 0)) addGap(sum, step, task, freeAt[rank] ?? 0, start);
    addTaskSeconds(sum, info, end - start);
    busy[rank] = (busy[rank] ?? 0) + end - start;
    freeAt[rank] = end;
  }
  return sums.map((exposed, stage) => {
    const startSeconds = starts[stage] ?? 0;
    const busySeconds = busy[stage] ?? 0;
    exposed.pipelineBubbleSeconds += Math.max(0, stepSeconds - ((freeAt[stage] ?? 0) - startSeconds));
    return { stage, startSeconds, busySeconds, idleSeconds: Math.max(0, stepSeconds - busySeconds), exposed };
  });
}

function addGap(
  sum: CauseSeconds & { pipelineBubbleSeconds: number },
  { graph, timeline, tasks }: TimedStep,
  task: number,
  from: number,
  to: number,
): void {
  const cause = timeline.cause[task] ?? -1;
  const kind = cause < 0 ? undefined : tasks[graph.labels[cause] ?? 0]?.kind;
  const travelling = kind === 'send' || kind === 'gather' || kind === 'reduce' || kind === 'checkpoint';
  const seconds = travelling ? to - Math.max(from, timeline.start[cause] ?? to) : 0;
  if (kind === 'send') sum.pipelineSendSeconds += seconds;
  else if (kind === 'checkpoint') sum.offloadSeconds += seconds;
  else sum.dataParallelSeconds += seconds;
  sum.pipelineBubbleSeconds += to - from - seconds;
}
