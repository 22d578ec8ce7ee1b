import type { Architecture } from '../model/architecture.js';
import type { RankShare, RecomputeChoice } from '../parallelism/layerCost.js';
import type { LayerActivations } from './activations.js';

/**
 * What one layer needs beyond what it keeps while it runs backward: what recomputation brings back, and gradients of activations
 * until both sides of an operator have used them. Two moments can be the fullest.
 *
 * In the feed-forward part, the gradient of the activation's output replaces the saved output itself, then the gradient of the
 * up-projection's output comes on top (both halves of a gated one), beside the gradients of the layer's output and input.
 * In attention, what the feed-forward part kept is gone; an unfused softmax has the gradients of its output and its input.
 */
export function workingSetBytes(
  model: Architecture,
  share: RankShare,
  activations: LayerActivations,
  recompute: RecomputeChoice,
  kind: 'dense' | 'moe',
): number {
  const { keptBytes, fullBytes, feedForwardKeptBytes, feedForwardFullBytes } = activations;
  const again = fullBytes - keptBytes;
  const feedForwardAgain = recompute === 'all' ? again : feedForwardFullBytes - feedForwardKeptBytes;
  const attentionAgain = again - feedForwardAgain;
  // A layer that is recomputed as one has all of it back, then frees what the feed-forward part took.
  const atAttention = recompute === 'all' ? again - feedForwardFullBytes : attentionAgain - feedForwardKeptBytes;
  return Math.max(
    feedForwardAgain + feedForwardGradients(model, share, kind),
    atAttention + attentionGradients(model, share),
    0,
  );
}

function feedForwardGradients(model: Architecture, share: RankShare, kind: 'dense' | 'moe'): number {
  const { activationBytes: e, tokens, expertTokens, tensorParallel, expertTensorParallel } = share;
  const halves = model.gatedMlp ? 2 : 1;
  const ends = e * tokens * 2 * model.hiddenSize;
  if (kind === 'dense' || model.moe === null) {
    return ends + (e * tokens * halves * model.intermediateSize) / tensorParallel;
  }
  const { expertIntermediateSize } = model.moe;
  const permuted = (halves * expertIntermediateSize) / expertTensorParallel + model.hiddenSize;
  return ends + e * expertTokens * permuted;
}

function attentionGradients(model: Architecture, share: RankShare): number {
  const { activationBytes: e, tokens, keyLength, tensorParallel } = share;
  const heads = model.numAttentionHeads / tensorParallel;
  const square = share.flash ? 0 : 2 * e * tokens * keyLength * heads;
  const projections = (model.numAttentionHeads + 2 * model.numKeyValueHeads) * model.headDim;
  return square + e * tokens * (2 * model.hiddenSize + projections / tensorParallel);
}
