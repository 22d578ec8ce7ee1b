import { collectiveSeconds } from '../hardware/collectives/collective.js';
import type { RankGroup } from '../hardware/collectives/group.js';
import type { LayerCost } from './layerCost.js';

/** Tensor-parallel collectives of one layer and micro-batch: total time on the link and what stays exposed. */
export interface TensorCost {
  readonly forwardSeconds: number;
  readonly backwardSeconds: number;
  readonly exposedForwardSeconds: number;
  readonly exposedBackwardSeconds: number;
}

export interface TensorOptions {
  /** Bytes of one activation of the block: tokens x hidden x element. */
  readonly bytes: number;
  /** The same as the all-gathers of sequence parallelism carry it: quantised where the GEMM behind them is. */
  readonly gatherBytes: number;
  /** Column-row pairs in the layer: 2, or 1 for parallel layers and layers with unsplit experts. */
  readonly blocks: number;
  readonly sequenceParallel: boolean;
  /** Collectives run chunk by chunk beside the GEMMs they feed (Transformer Engine's user buffers). */
  readonly chunkedOverlap: boolean;
  /** The backward collectives of the column GEMM run beside its gradients. */
  readonly asyncBackward: boolean;
  readonly contention: number;
}

/**
 * Without sequence parallelism: one all-reduce per block forward, one backward (Shoeybi et al. 2019). With it: all-gather
 * and reduce-scatter instead, the same volume, and one more all-gather backward to restore the input for the weight
 * gradient (Korthikanti et al. 2022, section 4.2.2), which runs beside the input gradient. Transformer Engine quantises
 * before it gathers; partial sums travel in 16 bits.
 */
export function tensorCost(group: RankGroup, layer: LayerCost, options: TensorOptions): TensorCost {
  if (group.ranks <= 1)
    return { forwardSeconds: 0, backwardSeconds: 0, exposedForwardSeconds: 0, exposedBackwardSeconds: 0 };
  const { bytes, blocks, contention } = options;
  if (!options.sequenceParallel) {
    const reduce = blocks * collectiveSeconds(group, 'allReduce', bytes);
    const hidden = options.asyncBackward ? Math.min(reduce, layer.columnWeightGradientSeconds / contention) : 0;
    return {
      forwardSeconds: reduce,
      backwardSeconds: reduce,
      exposedForwardSeconds: reduce,
      exposedBackwardSeconds: reduce - hidden,
    };
  }
  const gather = blocks * collectiveSeconds(group, 'allGather', options.gatherBytes);
  const scatter = blocks * collectiveSeconds(group, 'reduceScatter', bytes);
  const hiddenScatter = options.asyncBackward ? Math.min(scatter, layer.columnWeightGradientSeconds / contention) : 0;
  const hiddenGather = options.asyncBackward ? Math.min(gather, layer.columnWeightGradientSeconds / contention) : 0;
  const forward = gather + scatter;
  const backward = 2 * gather + scatter;
  if (options.chunkedOverlap) {
    const exposed = chunked(forward, layer.collectiveGemmSeconds, group.ranks, contention);
    return {
      forwardSeconds: forward,
      backwardSeconds: backward,
      exposedForwardSeconds: exposed,
      exposedBackwardSeconds: chunked(backward - gather, layer.collectiveGemmSeconds, group.ranks, contention),
    };
  }
  return {
    forwardSeconds: forward,
    backwardSeconds: backward,
    exposedForwardSeconds: forward,
    exposedBackwardSeconds: backward - hiddenGather - hiddenScatter,
  };
}

/** One chunk of the collective cannot overlap; the rest hides behind the GEMM, slowed by contention. */
function chunked(collective: number, compute: number, chunks: number, contention: number): number {
  const first = collective / chunks;
  const rest = collective - first;
  const hidden = Math.min(rest, compute);
  return first + (rest - hidden) + hidden * (contention - 1);
}
