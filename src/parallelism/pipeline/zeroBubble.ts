import { type Schedule, sumOthers } from './schedule.js';

/**
 * Zero bubble (Qi et al. 2023, tables 1 and 2): weight gradients fill the bubble. H1 keeps 1F1B's memory and idles
 * (p - 1)(F + B - W); H2 keeps up to 2 p - 1 micro-batches and idles (p - 1)(F + B - 2 W), zero when F = B = W.
 */
export const zeroBubbleH1: Schedule = {
  id: 'zb-h1',
  bubbleSeconds: (load, busiest) => sumOthers(load, busiest, (p) => p.forward + p.inputGradient - p.weightGradient),
  inFlight: (stage, stages, microBatches) => Math.min(microBatches, stages - stage),
  chunked: false,
  splitsWeightGradient: true,
};

export const zeroBubbleH2: Schedule = {
  id: 'zb-h2',
  bubbleSeconds: (load, busiest) => sumOthers(load, busiest, (p) => p.forward + p.inputGradient - 2 * p.weightGradient),
  inFlight: (stage, stages, microBatches) => Math.min(microBatches, 2 * (stages - stage) - 1),
  chunked: false,
  splitsWeightGradient: true,
};

/**
 * ZB-V (Qi et al. 2024, "Pipeline parallelism with controllable memory"): two chunks per stage, there and back, so every
 * stage keeps p micro-batches at most; no bubble when F = B = W, else what the longest of them leaves over.
 */
export const zeroBubbleV: Schedule = {
  id: 'zb-v',
  bubbleSeconds: (load, busiest) => sumOthers(load, busiest, (p) => (p.forward + p.inputGradient - 2 * p.weightGradient) / 2),
  inFlight: (_stage, stages, microBatches) => Math.min(microBatches, stages),
  chunked: true,
  splitsWeightGradient: true,
};
