import type { LayerGraph, SavedTensor } from '../model/operators.js';
import type { RankShare, RecomputeChoice } from '../parallelism/layerCost.js';

/** Bytes that one saved tensor takes on one rank for one micro-batch. */
export function savedTensorBytes(tensor: SavedTensor, share: RankShare): number {
  const t = tensor.perExpertToken ? share.expertTensorParallel : share.tensorParallel;
  const tokens = tensor.perExpertToken ? share.expertTokens : share.tokens;
  const divided =
    tensor.region === 'tensor' || (tensor.region === 'sequence' && share.sequenceParallel && !tensor.perExpertToken);
  const keys = tensor.perKey ? share.keyLength : 1;
  return (tensor.bytesPerToken * tokens * keys) / (divided ? Math.min(t, tensor.mostParts) : 1);
}

/** Activation bytes of one layer and micro-batch: what stays until backward, and what a recomputed layer needs meanwhile. */
export interface LayerActivations {
  readonly keptBytes: number;
  /** Everything the layer would keep without recomputation: alive while it is recomputed and run backward. */
  readonly fullBytes: number;
  /** Of `fullBytes`, the inputs of weight matrices and their outputs' gradients: alive until the weight gradient. */
  readonly weightBytes: number;
  /** Of both, what belongs to the feed-forward part: it runs backward first and is freed before attention does. */
  readonly feedForwardKeptBytes: number;
  readonly feedForwardFullBytes: number;
}

/**
 * Korthikanti et al. 2022, section 4: without recomputation the sum over saved tensors; with full recomputation only the
 * layer's input, 2 s b h (divided by t where it is stored sequence-parallel).
 */
export function layerActivations(graph: LayerGraph, share: RankShare, recompute: RecomputeChoice): LayerActivations {
  let fullBytes = 0;
  let keptBytes = 0;
  let weightBytes = 0;
  let attentionFullBytes = 0;
  let attentionKeptBytes = 0;
  graph.saved.forEach((tensor, position) => {
    const bytes = savedTensorBytes(tensor, share);
    fullBytes += bytes;
    // Beside the input, the weight gradient needs the gradient of the output; the outputs are about as wide as the inputs.
    if (tensor.forWeights) weightBytes += 2 * bytes;
    if (recompute === 'none' || (recompute !== 'all' && !recompute.has(tensor.module))) keptBytes += bytes;
    if (position === graph.savedByAttention - 1) {
      attentionFullBytes = fullBytes;
      attentionKeptBytes = keptBytes;
    }
  });
  const input = graph.saved[0];
  if (recompute === 'all' && input !== undefined) {
    keptBytes = savedTensorBytes(input, share);
    attentionKeptBytes = keptBytes;
  }
  return {
    keptBytes,
    fullBytes,
    weightBytes: Math.min(weightBytes, fullBytes),
    feedForwardKeptBytes: keptBytes - attentionKeptBytes,
    feedForwardFullBytes: fullBytes - attentionFullBytes,
  };
}
