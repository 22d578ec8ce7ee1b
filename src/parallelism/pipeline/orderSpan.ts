import type { Pass, PassLengths, PipelineOrder } from './order.js';

/**
 * The longest time from a rank's first pass to its last when every pass runs as soon as it can and messages take none; infinite
 * for an order that locks. What staggered schedules are compared by.
 */
export function orderSpan(order: PipelineOrder, lengths: PassLengths): number {
  const done = new Map<string, number>();
  const next = order.ranks.map(() => 0);
  const time = order.ranks.map(() => 0);
  const start = order.ranks.map(() => -1);
  const advance = (rank: number): boolean => {
    const pass = order.ranks[rank]?.[next[rank] ?? 0];
    if (pass === undefined) return false;
    const ready = readyAt(pass, order, done);
    if (ready === undefined) return false;
    const from = Math.max(ready, time[rank] ?? 0);
    if ((start[rank] ?? -1) < 0) start[rank] = from;
    time[rank] = from + lengthOf(pass, lengths);
    if (pass.kind !== 'weightGradient')
      done.set(keyOf(pass.kind === 'forward', pass.microBatch, pass.chunk), time[rank] ?? 0);
    next[rank] = (next[rank] ?? 0) + 1;
    return true;
  };
  for (let moved = true; moved; ) {
    moved = false;
    for (let rank = 0; rank < order.ranks.length; rank++) while (advance(rank)) moved = true;
  }
  if (order.ranks.some((passes, rank) => (next[rank] ?? 0) < passes.length)) return Number.POSITIVE_INFINITY;
  return Math.max(...time.map((end, rank) => end - Math.max(0, start[rank] ?? 0)));
}

function keyOf(forward: boolean, microBatch: number, chunk: number): string {
  return `${forward ? 'f' : 'b'}${microBatch}/${chunk}`;
}

function lengthOf(pass: Pass, { forward, inputGradient, weightGradient }: PassLengths): number {
  if (pass.kind === 'forward') return forward;
  if (pass.kind === 'inputGradient') return inputGradient;
  return pass.kind === 'weightGradient' ? weightGradient : inputGradient + weightGradient;
}

/** When all that a pass needs is there; undefined while some of it has not run. */
function readyAt(pass: Pass, order: PipelineOrder, done: ReadonlyMap<string, number>): number | undefined {
  const { kind, microBatch, chunk } = pass;
  if (kind === 'weightGradient') return 0;
  if (kind === 'forward') return chunk === 0 ? 0 : done.get(keyOf(true, microBatch, chunk - 1));
  const own = done.get(keyOf(true, microBatch, chunk));
  if (own === undefined || chunk === order.chunks - 1) return own;
  const after = done.get(keyOf(false, microBatch, chunk + 1));
  return after === undefined ? undefined : Math.max(own, after);
}
