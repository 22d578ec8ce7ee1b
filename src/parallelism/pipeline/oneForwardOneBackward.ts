import { passSeconds, type Schedule, sumOthers } from './schedule.js';

/** PipeDream-flush (Narayanan et al. 2021, section 2.2.1): GPipe's bubble, but stage i keeps at most p - i micro-batches. */
export const oneForwardOneBackward: Schedule = {
  id: '1f1b',
  bubbleSeconds: (load, busiest) => sumOthers(load, busiest, passSeconds),
  inFlight: (stage, stages, microBatches) => Math.min(microBatches, stages - stage),
  chunked: false,
  splitsWeightGradient: false,
};
