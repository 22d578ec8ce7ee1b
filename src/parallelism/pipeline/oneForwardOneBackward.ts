import { backward, forward, type Pass, straight, times } from './order.js';
import { passSeconds, type Schedule, sumOthers } from './schedule.js';

/** PipeDream-flush (Narayanan et al. 2021, section 2.2.1): GPipe's bubble, but stage i keeps at most p - i micro-batches. */
export const oneForwardOneBackward: Schedule = {
  id: '1f1b',
  bubbleSeconds: (load, busiest) => sumOthers(load, busiest, passSeconds),
  inFlight: (stage, stages, microBatches) => Math.min(microBatches, stages - stage),
  order: ({ stages, microBatches }) =>
    straight(
      times(stages, (rank) => rankOrder(rank, stages, microBatches)),
      microBatches,
    ),
  staggered: false,
  chunked: false,
  forwardFirst: false,
  splitsWeightGradient: false,
};

/** Warm-up of p - i - 1 forwards, then one forward and one backward in turn, then the backwards that are left. */
function rankOrder(rank: number, stages: number, microBatches: number): Pass[] {
  const warmUp = Math.min(microBatches, stages - rank - 1);
  const steady = microBatches - warmUp;
  return [
    ...times(warmUp, (i) => forward(i, rank)),
    ...times(steady, (i) => [forward(warmUp + i, rank), backward(i, rank)]).flat(),
    ...times(warmUp, (i) => backward(steady + i, rank)),
  ];
}
