import { greedyOrder } from './greedyOrder.js';
import { forward, inputGradient, type Pass, straight, times, weightGradient } from './order.js';
import { type Schedule, sumOthers } from './schedule.js';

/**
 * Zero bubble (Qi et al. 2023, tables 1 and 2): weight gradients fill the bubble. H1 keeps 1F1B's memory and idles
 * (p - 1)(F + B - W); H2 keeps up to 2 p - 1 micro-batches and idles (p - 1)(F + B - 2 W), zero when F = B = W.
 */
export const zeroBubbleH1: Schedule = {
  id: 'zb-h1',
  bubbleSeconds: (load, busiest) => sumOthers(load, busiest, (p) => p.forward + p.inputGradient - p.weightGradient),
  inFlight: (_stage, stages, microBatches) => Math.min(microBatches, stages),
  order: ({ stages, microBatches }) =>
    straight(
      times(stages, (rank) => postponedOrder(rank, stages, microBatches)),
      microBatches,
    ),
  staggered: true,
  chunked: false,
  splitsWeightGradient: true,
};

export const zeroBubbleH2: Schedule = {
  id: 'zb-h2',
  bubbleSeconds: (load, busiest) => sumOthers(load, busiest, (p) => p.forward + p.inputGradient - 2 * p.weightGradient),
  inFlight: (_stage, stages, microBatches) => Math.min(microBatches, 2 * stages - 1),
  order: (request) =>
    greedyOrder({ ...request, chunks: request.stages, rankOf: (c) => c, limit: () => 2 * request.stages - 1 }),
  staggered: true,
  chunked: false,
  splitsWeightGradient: true,
};

/**
 * ZB-V (Qi et al. 2024, "Pipeline parallelism with controllable memory"): two chunks per stage, there and back, so every
 * stage keeps p micro-batches at most; no bubble when F = B = W, else what the longest of them leaves over.
 */
export const zeroBubbleV: Schedule = {
  id: 'zb-v',
  bubbleSeconds: (load, busiest) =>
    sumOthers(load, busiest, (p) => (p.forward + p.inputGradient - 2 * p.weightGradient) / 2),
  inFlight: (_stage, stages, microBatches) => Math.min(microBatches, stages),
  order: (request) =>
    greedyOrder({
      ...request,
      chunks: 2 * request.stages,
      rankOf: (c) => (c < request.stages ? c : 2 * request.stages - 1 - c),
      limit: () => 2 * request.stages,
    }),
  staggered: true,
  chunked: true,
  splitsWeightGradient: true,
};

/** 1F1B with the weight gradients of rank i postponed by i micro-batches: they fill the drain, where later ranks would idle. */
function postponedOrder(rank: number, stages: number, microBatches: number): Pass[] {
  const warmUp = Math.min(microBatches, stages - rank - 1);
  const passes: Pass[] = times(warmUp, (i) => forward(i, rank));
  for (let k = 0; k < microBatches; k++) {
    if (warmUp + k < microBatches) passes.push(forward(warmUp + k, rank));
    passes.push(inputGradient(k, rank));
    if (k >= rank) passes.push(weightGradient(k - rank, rank));
  }
  const left = Math.min(rank, microBatches);
  return [...passes, ...times(left, (i) => weightGradient(microBatches - left + i, rank))];
}
