import type { Timeline } from './engine/engine.js';
import { type FrozenGraph, streamsPerRank } from './engine/taskGraph.js';

/** Where a rank that goes on alone begins its step. */
export interface RankStart {
  readonly firstPassSeconds: number;
  /** Time before the first pass in which its weights are gathered; the timeline has the gather at the start of the first rank's step. */
  readonly lateGatherSeconds: number;
}

/** A timeline, and where ranks begin their steps if not with their first task. */
export interface SpannedStep {
  readonly graph: FrozenGraph;
  readonly timeline: Timeline;
  readonly rankStarts?: readonly RankStart[];
}

/** When a rank's step begins and its last task ends. */
export interface RankSpan {
  /** Start of the first task; where ranks go on alone, of the first pass and what gathers before it. */
  readonly startSeconds: number;
  /** Of that, what passes before the first pass while weights are gathered. */
  readonly lateGatherSeconds: number;
  readonly endSeconds: number;
  /** The task that ends last, of several at once the first added; -1 for a rank without tasks. */
  readonly lastTask: number;
}

export function rankSpans(step: SpannedStep): RankSpan[] {
  const { graph, timeline, rankStarts } = step;
  const starts = new Float64Array(graph.ranks).fill(Number.POSITIVE_INFINITY);
  const ends = new Float64Array(graph.ranks);
  const lasts = new Int32Array(graph.ranks).fill(-1);
  for (let task = 0; task < graph.size; task++) {
    const rank = Math.floor((graph.streams[task] ?? 0) / streamsPerRank);
    const end = timeline.end[task] ?? 0;
    starts[rank] = Math.min(starts[rank] ?? 0, timeline.start[task] ?? 0);
    if ((lasts[rank] ?? -1) >= 0 && end <= (ends[rank] ?? 0)) continue;
    ends[rank] = end;
    lasts[rank] = task;
  }
  return Array.from(lasts, (lastTask, rank) => {
    const own = rankStarts?.[rank];
    const startSeconds = own === undefined ? (starts[rank] ?? 0) : own.firstPassSeconds - own.lateGatherSeconds;
    return {
      startSeconds: lastTask < 0 ? 0 : startSeconds,
      lateGatherSeconds: own?.lateGatherSeconds ?? 0,
      endSeconds: ends[rank] ?? 0,
      lastTask,
    };
  });
}
