import { passSeconds, type Schedule, sumOthers } from './schedule.js';

/**
 * Interleaved 1F1B (Narayanan et al. 2021, section 2.2.2): v chunks per stage, bubble (p - 1) / (m v). Stage i runs
 * 2 (p - i - 1) + (v - 1) p forward chunks before its first backward, and one more is alive then.
 */
export const interleaved: Schedule = {
  id: 'interleaved-1f1b',
  bubbleSeconds: (load, busiest) => sumOthers(load, busiest, passSeconds) / load.chunks,
  inFlight: (stage, stages, microBatches, chunks) =>
    Math.min(microBatches * chunks, 2 * (stages - stage - 1) + (chunks - 1) * stages + 1) / chunks,
  chunked: true,
  splitsWeightGradient: false,
};

/** Breadth-first (Lamy-Poirier 2023): all micro-batches through a chunk before the next; the interleaved bubble, GPipe's memory. */
export const breadthFirst: Schedule = {
  id: 'breadth-first',
  bubbleSeconds: interleaved.bubbleSeconds,
  inFlight: (_stage, _stages, microBatches) => microBatches,
  chunked: true,
  splitsWeightGradient: false,
};
