import { collectiveSeconds } from '../hardware/collectives/collective.js';
import type { RankGroup } from '../hardware/collectives/group.js';

/** Collectives of one column-row pair of a layer and micro-batch: seconds on the link, and what they may run beside. */
export interface TensorTraffic {
  readonly ranks: number;
  /** Forward: before the column-cut matrices, and after the row-cut one. */
  readonly gatherSeconds: number;
  readonly sumSeconds: number;
  /** Backward: before the row-cut matrix, beside the column-cut ones, and after these. */
  readonly gradientGatherSeconds: number;
  readonly inputGatherSeconds: number;
  readonly gradientSumSeconds: number;
  /** Collectives run piece by piece beside the GEMMs that they feed (Transformer Engine's user buffers). */
  readonly chunks: boolean;
  /** The backward collectives of the column-cut matrices run beside their gradients. */
  readonly async: boolean;
}

export interface TensorOptions {
  /** Bytes of one activation of the block: tokens x hidden x element. */
  readonly bytes: number;
  /** The same as the all-gathers of sequence parallelism carry it: quantised where the GEMM behind them is. */
  readonly gatherBytes: number;
  readonly sequenceParallel: boolean;
  readonly chunkedOverlap: boolean;
  readonly asyncBackward: boolean;
  /** Gathered inputs are kept for the weight gradient, so that the backward pass gathers only output gradients. */
  readonly keepsGathered: boolean;
}

/**
 * Without sequence parallelism: one all-reduce per pair forward, one backward (Shoeybi et al. 2019). With it: all-gather
 * and reduce-scatter instead, the same volume, and one more all-gather backward to restore the input for the weight
 * gradient (Korthikanti et al. 2022, section 4.2.2), which runs beside the input gradient. Transformer Engine quantises
 * before it gathers; partial sums travel in 16 bits. Undefined for one rank.
 */
export function tensorTraffic(group: RankGroup, options: TensorOptions): TensorTraffic | undefined {
  if (group.ranks <= 1) return undefined;
  const { bytes, gatherBytes, sequenceParallel, asyncBackward, chunkedOverlap } = options;
  if (!sequenceParallel) {
    const reduce = collectiveSeconds(group, 'allReduce', bytes);
    return {
      ranks: group.ranks,
      gatherSeconds: 0,
      sumSeconds: reduce,
      gradientGatherSeconds: 0,
      inputGatherSeconds: 0,
      gradientSumSeconds: reduce,
      chunks: false,
      async: asyncBackward,
    };
  }
  const gather = collectiveSeconds(group, 'allGather', gatherBytes);
  const scatter = collectiveSeconds(group, 'reduceScatter', bytes);
  return {
    ranks: group.ranks,
    gatherSeconds: gather,
    sumSeconds: scatter,
    gradientGatherSeconds: gather,
    inputGatherSeconds: options.keepsGathered ? 0 : gather,
    gradientSumSeconds: scatter,
    chunks: chunkedOverlap,
    async: asyncBackward,
  };
}
