import { greedyOrder, type Preference } from './greedyOrder.js';
import {
  forward,
  inputGradient,
  type OrderRequest,
  type Pass,
  type PipelineOrder,
  straight,
  times,
  weightGradient,
} from './order.js';
import { orderSpan } from './orderSpan.js';
import { type Schedule, sumOthers } from './schedule.js';
import { builtOrderV, rankOfV } from './zeroBubbleV.js';

/**
 * Zero bubble (Qi et al. 2023, tables 1 and 2): weight gradients fill the bubble. H1 keeps 1F1B's memory and idles
 * (p - 1)(F + B - W); H2 keeps up to 2 p - 1 micro-batches and idles (p - 1)(F + B - 2 W), zero when F = B = W.
 */
export const zeroBubbleH1: Schedule = {
  id: 'zb-h1',
  bubbleSeconds: (load, busiest) => sumOthers(load, busiest, (p) => p.forward + p.inputGradient - p.weightGradient),
  // Stage i has p - i micro-batches on their way and i that wait for their weight gradient.
  inFlight: (stage, stages, microBatches, _chunks, weightShare = 1) =>
    Math.min(microBatches, stages - stage) +
    weightShare * Math.max(0, Math.min(microBatches, stages) - (stages - stage)),
  order: ({ stages, microBatches }) =>
    straight(
      times(stages, (rank) => postponedOrder(rank, stages, microBatches)),
      microBatches,
    ),
  staggered: true,
  chunked: false,
  forwardFirst: false,
  splitsWeightGradient: true,
};

export const zeroBubbleH2: Schedule = {
  id: 'zb-h2',
  bubbleSeconds: (load, busiest) => sumOthers(load, busiest, (p) => p.forward + p.inputGradient - 2 * p.weightGradient),
  inFlight: (_stage, stages, microBatches) => Math.min(microBatches, 2 * stages - 1),
  order: memoryForTimeOrder,
  staggered: true,
  chunked: false,
  forwardFirst: false,
  splitsWeightGradient: true,
};

/**
 * ZB-V (Qi et al. 2024, "Pipeline parallelism with controllable memory"): two chunks per stage, there and back, so every
 * stage keeps p micro-batches at most; no bubble when F = B = W and m >= 2 p - 1, else what the longest of them leaves over.
 */
export const zeroBubbleV: Schedule = {
  id: 'zb-v',
  bubbleSeconds: (load, busiest) =>
    sumOthers(load, busiest, (p) => (p.forward + p.inputGradient - 2 * p.weightGradient) / 2),
  inFlight: (_stage, stages, microBatches) => Math.min(microBatches, stages),
  order: orderV,
  staggered: true,
  chunked: true,
  forwardFirst: false,
  splitsWeightGradient: true,
};

/** The authors' construction; list scheduling where that does not fit, or is shorter for a short step. */
function orderV(request: OrderRequest): PipelineOrder {
  const { stages, microBatches, lengths } = request;
  const built = builtOrderV(request);
  if (built !== undefined && stages * microBatches > mostCompared) return built;
  const listed = greedyOrder({
    ...request,
    chunks: 2 * stages,
    rankOf: (chunk) => rankOfV(chunk, stages),
    prefer: vPreferences(stages),
    limit: () => 2 * stages,
  });
  return built !== undefined && orderSpan(built, lengths) <= orderSpan(listed, lengths) ? built : listed;
}

function forwardOf(local: number, leave = 0): Preference {
  return { pass: 'forward', local, leave };
}

function backwardOf(local: number): Preference {
  return { pass: 'backward', local };
}

/** Stages times micro-batches up to which two orders are compared. */
const mostCompared = 1024;

/** List scheduling within 2 p - 1 micro-batches, unless H1's order, which needs less memory, is as fast. */
function memoryForTimeOrder(request: OrderRequest): PipelineOrder {
  const { stages, microBatches, lengths } = request;
  const greedy = greedyOrder({
    ...request,
    chunks: stages,
    rankOf: (c) => c,
    prefer: [[backwardOf(0), forwardOf(0)]],
    limit: () => 2 * stages - 1,
  });
  // In a long steady state the two differ by the same few passes at the ends.
  if (stages * microBatches > mostCompared) return greedy;
  const postponed = zeroBubbleH1.order({ ...request, stages, microBatches });
  return orderSpan(postponed, lengths) < orderSpan(greedy, lengths) ? postponed : greedy;
}

/** Lists that each win somewhere, by the lengths of the passes and the number of stages. */
function vPreferences(stages: number): readonly (readonly Preference[])[] {
  const weight: Preference = { pass: 'weight', postponed: stages };
  const [f0, f1, b0, b1] = [forwardOf(0, 1), forwardOf(1), backwardOf(0), backwardOf(1)];
  return [
    [b0, f1, b1, weight, f0],
    [f1, b1, b0, weight, f0],
    [f1, f0, b0, b1],
    [f1, f0, b1, b0],
    [b1, b0, f1, f0],
  ];
}

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
