import { backward, forward, straight, times } from './order.js';
import { passSeconds, type Schedule, sumOthers } from './schedule.js';

/** All forwards, then all backwards (Huang et al. 2019): bubble (p - 1) / m of the work, all micro-batches alive. */
export const gpipe: Schedule = {
  id: 'gpipe',
  bubbleSeconds: (load, busiest) => sumOthers(load, busiest, passSeconds),
  inFlight: (_stage, _stages, microBatches) => microBatches,
  order: ({ stages, microBatches: m }) =>
    straight(
      times(stages, (rank) => [...times(m, (i) => forward(i, rank)), ...times(m, (i) => backward(i, rank))]),
      m,
    ),
  staggered: false,
  chunked: false,
  forwardFirst: true,
  splitsWeightGradient: false,
};
