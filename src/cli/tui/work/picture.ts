import type { Span } from '../../../report/timelineSpans.js';
import type { CauseSeconds } from '../../../simulation/criticalPath.js';
import { taskKinds } from '../../../simulation/stepTasks.js';

/** What one stream of a rank does in a step, as arrays: they go from a worker thread to the UI without a copy. */
export interface StreamPicture {
  readonly stream: string;
  /** Index into `taskKinds`. */
  readonly kinds: Uint8Array;
  readonly microBatches: Int32Array;
  readonly chunks: Int32Array;
  readonly starts: Float64Array;
  readonly ends: Float64Array;
  /** 1 where the span is on the critical path. */
  readonly critical: Uint8Array;
}

export interface RankPicture {
  /** The compute stream first, then the others that are in use. */
  readonly streams: readonly StreamPicture[];
  readonly busySeconds: number;
  readonly memory: MemoryCurve;
}

/** Bytes of a rank over the step in equal parts of time, the most of each part. */
export interface MemoryCurve {
  readonly mostBytes: Float64Array;
  readonly stateBytes: number;
  readonly peakBytes: number;
  readonly peakSeconds: number;
  readonly inFlightMicroBatches: number;
}

/** A simulated step as the UI shows it. */
export interface StepPicture {
  readonly makespanSeconds: number;
  readonly stepSeconds: number;
  readonly events: number;
  readonly ranks: readonly RankPicture[];
  /** Seconds by cause of one pass, by `kind:chunk`. */
  readonly parts: Readonly<Record<string, CauseSeconds>>;
  /** Micro-batches that were simulated, and how many the step has: fewer where the step is very long. */
  readonly microBatches: number;
  readonly allMicroBatches: number;
}

/** Index of the span that runs at a moment, else of the last one that began before; -1 before the first. */
export function spanIndexAt({ starts }: StreamPicture, seconds: number): number {
  let low = 0;
  let high = starts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((starts[middle] ?? 0) <= seconds) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** The spans that touch a window of time. */
export function spansBetween(stream: StreamPicture, fromSeconds: number, toSeconds: number): Span[] {
  const spans: Span[] = [];
  const first = Math.max(0, spanIndexAt(stream, fromSeconds));
  for (let index = first; index < stream.starts.length; index++) {
    const span = spanAt(stream, index);
    if (span === undefined || span.startSeconds >= toSeconds) break;
    spans.push(span);
  }
  return spans;
}

export function spanAt(stream: StreamPicture, index: number): Span | undefined {
  const kind = taskKinds[stream.kinds[index] ?? -1];
  if (kind === undefined) return undefined;
  return {
    kind,
    microBatch: stream.microBatches[index] ?? 0,
    chunk: stream.chunks[index] ?? 0,
    startSeconds: stream.starts[index] ?? 0,
    endSeconds: stream.ends[index] ?? 0,
  };
}
