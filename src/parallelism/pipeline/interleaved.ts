import { backward, forward, type OrderRequest, type Pass, type PipelineOrder, times } from './order.js';
import { passSeconds, type Schedule, sumOthers } from './schedule.js';

/**
 * Interleaved 1F1B (Narayanan et al. 2021, section 2.2.2): v chunks per stage, bubble (p - 1) / (m v). Stage i runs
 * 2 (p - i - 1) + (v - 1) g forward chunks before its first backward, and one more is alive then; g is p, or the largest group where
 * p does not divide the micro-batches.
 */
export const interleaved: Schedule = {
  id: 'interleaved-1f1b',
  bubbleSeconds: (load, busiest) => sumOthers(load, busiest, passSeconds) / load.chunks,
  inFlight: (stage, stages, microBatches, chunks) =>
    Math.min(microBatches * chunks, interleavedWarmUp(stage, stages, microBatches, chunks) + 1) / chunks,
  order: interleavedOrder,
  staggered: false,
  chunked: true,
  forwardFirst: false,
  splitsWeightGradient: false,
};

/** Breadth-first (Lamy-Poirier 2023): all micro-batches through a chunk before the next; the interleaved bubble, GPipe's memory. */
export const breadthFirst: Schedule = {
  id: 'breadth-first',
  bubbleSeconds: interleaved.bubbleSeconds,
  inFlight: (_stage, _stages, microBatches) => microBatches,
  order: breadthFirstOrder,
  staggered: false,
  chunked: true,
  forwardFirst: true,
  splitsWeightGradient: false,
};

/** Which chunk of its own and which micro-batch a rank turns to, in order. */
interface Visit {
  readonly local: number;
  readonly microBatch: number;
}

/** Sizes of the groups of micro-batches that go through all chunks together: p each, the rest spread where p does not divide. */
function groupSizes(stages: number, microBatches: number): number[] {
  const groups = Math.max(1, Math.floor(microBatches / stages));
  const size = Math.floor(microBatches / groups);
  const larger = microBatches % groups;
  return times(groups, (i) => (i < larger ? size + 1 : size));
}

/** Forward chunks of a rank before its first backward chunk, beyond the first (Megatron's `num_warmup_microbatches`). */
export function interleavedWarmUp(stage: number, stages: number, microBatches: number, chunks: number): number {
  const groups = Math.max(1, Math.floor(microBatches / stages));
  const largest = Math.ceil(microBatches / groups);
  return 2 * (stages - stage - 1) + (chunks - 1) * largest;
}

/** Megatron's order of virtual micro-batches: a group through all chunks of the rank before the next group. */
function visits({ stages, microBatches, chunks }: OrderRequest): Visit[] {
  const order: Visit[] = [];
  let first = 0;
  for (const size of groupSizes(stages, microBatches)) {
    for (let local = 0; local < chunks; local++) {
      for (let microBatch = first; microBatch < first + size; microBatch++) order.push({ local, microBatch });
    }
    first += size;
  }
  return order;
}

function roundRobin(
  ranks: readonly (readonly Pass[])[],
  { stages, microBatches, chunks }: OrderRequest,
): PipelineOrder {
  return { ranks, microBatches, chunks: stages * chunks, rankOf: (chunk) => chunk % stages };
}

/** Orders of the last questions: searches ask for the same few with thousands of costs, which this order does not depend on. */
const lastOrders: PipelineOrder[] = [];
/** Passes that are remembered in all: some tens of megabytes. */
const mostRemembered = 400_000;

function interleavedOrder(request: OrderRequest): PipelineOrder {
  const { stages, microBatches, chunks } = request;
  const at = lastOrders.findIndex(
    (one) => one.microBatches === microBatches && one.ranks.length === stages && one.chunks === stages * chunks,
  );
  const order = (at < 0 ? undefined : lastOrders.splice(at, 1)[0]) ?? makeInterleavedOrder(request);
  lastOrders.unshift(order);
  let passes = 0;
  const kept = lastOrders.findIndex((one) => {
    passes += 2 * one.chunks * one.microBatches;
    return passes > mostRemembered;
  });
  if (kept >= 0) lastOrders.length = kept;
  return order;
}

function makeInterleavedOrder(request: OrderRequest): PipelineOrder {
  const { stages, microBatches, chunks } = request;
  const order = visits(request);
  const total = order.length;
  const rankOrder = (rank: number): Pass[] => {
    const warmUp = Math.min(total, interleavedWarmUp(rank, stages, microBatches, chunks));
    const passes: Pass[] = [];
    for (let i = 0; i < total + warmUp; i++) {
      const down = order[i];
      if (down !== undefined) passes.push(forward(down.microBatch, down.local * stages + rank));
      const up = order[i - warmUp];
      if (up !== undefined) passes.push(backward(up.microBatch, (chunks - 1 - up.local) * stages + rank));
    }
    return passes;
  };
  return roundRobin(times(stages, rankOrder), request);
}

function breadthFirstOrder(request: OrderRequest): PipelineOrder {
  const { stages, microBatches: m, chunks } = request;
  const rankOrder = (rank: number): Pass[] => [
    ...times(chunks, (local) => times(m, (i) => forward(i, local * stages + rank))).flat(),
    ...times(chunks, (local) => times(m, (i) => backward(i, (chunks - 1 - local) * stages + rank))).flat(),
  ];
  return roundRobin(times(stages, rankOrder), request);
}
