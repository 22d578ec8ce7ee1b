import type { Architecture } from './architecture.js';
import { hasExperts, layerCounts } from './layerKinds.js';

/**
 * Conventions for "model FLOPs" in use by published tables:
 * `megatron`: 2 FLOPs per weight and token in every matrix multiplication, forward and twice that backward, attention
 *   counted over the full square. For a GPT it is 72 b s l h^2 (1 + s/6h + V/12lh) (Narayanan et al. 2021, eq. 2 without
 *   recomputation; Korthikanti et al. 2022, eq. 7).
 * `palm`: (6 N + 12 l a d s) per token with N all parameters (Chowdhery et al. 2022, appendix B).
 * `causal`: as `megatron` with the masked half of attention left out.
 */
export type FlopsConvention = 'megatron' | 'palm' | 'causal';

/** Forward FLOPs of one token, by where they arise; backward is twice each. */
export interface TokenFlops {
  /** Matrix multiplications of all transformer layers. */
  readonly layers: number;
  /** Attention scores and values over the full square of the sequence. */
  readonly attentionCore: number;
  /** Output projection to the vocabulary, multi-token-prediction heads included. */
  readonly head: number;
}

/** Weights of one layer's attention that multiply every token (2 FLOPs each, forward). */
export function attentionWeights(a: Architecture): number {
  const h = a.hiddenSize;
  const mla = a.mla;
  if (mla !== null) {
    const queryDim = a.numAttentionHeads * (mla.queryKeyNopeHeadDim + mla.queryKeyRopeHeadDim);
    const query = mla.queryLoraRank > 0 ? mla.queryLoraRank * (h + queryDim) : h * queryDim;
    const keyValue =
      h * (mla.keyValueLoraRank + mla.queryKeyRopeHeadDim) +
      mla.keyValueLoraRank * a.numAttentionHeads * (mla.queryKeyNopeHeadDim + mla.valueHeadDim);
    return query + keyValue + a.numAttentionHeads * mla.valueHeadDim * h;
  }
  const projections = 2 * a.numAttentionHeads + 2 * a.numKeyValueHeads;
  return h * projections * a.headDim;
}

/** Weights of one layer's feed-forward part that multiply a token; for experts those that one token visits, and the router. */
export function feedForwardWeights(a: Architecture, kind: 'dense' | 'moe'): number {
  const matrices = a.gatedMlp ? 3 : 2;
  const moe = a.moe;
  if (kind === 'dense' || moe === null) return matrices * a.hiddenSize * a.intermediateSize;
  const widths = moe.expertsPerToken * moe.expertIntermediateSize + moe.sharedExpertIntermediateSize;
  return matrices * a.hiddenSize * widths + a.hiddenSize * moe.numExperts;
}

/** Sum of query-key and value widths over the heads: attention costs `2 * width` FLOPs per query and key. */
export function attentionCoreWidth(a: Architecture): number {
  const mla = a.mla;
  if (mla === null) return 2 * a.numAttentionHeads * a.headDim;
  return a.numAttentionHeads * (mla.queryKeyNopeHeadDim + mla.queryKeyRopeHeadDim + mla.valueHeadDim);
}

/** Mean number of keys that a query of this layer multiplies when nothing masked is computed twice over. */
export function visibleKeys(a: Architecture, layer: number, sequenceLength: number, causal: boolean): number {
  const window = a.slidingWindow;
  const full = causal ? sequenceLength / 2 : sequenceLength;
  if (window === null || window.size >= sequenceLength) return full;
  if (window.fullAttentionEvery > 0 && (layer + 1) % window.fullAttentionEvery === 0) return full;
  return Math.min(full, window.size * (1 - window.size / (2 * sequenceLength)));
}

/** Forward FLOPs of one token of a sequence, full square unless `causal`. */
export function tokenFlops(a: Architecture, sequenceLength: number, causal = false): TokenFlops {
  const counts = layerCounts(a);
  const attention = attentionWeights(a);
  let layers = 0;
  if (counts.dense > 0) layers += counts.dense * 2 * (attention + feedForwardWeights(a, 'dense'));
  if (counts.moe > 0) layers += counts.moe * 2 * (attention + feedForwardWeights(a, 'moe'));
  const core = 2 * attentionCoreWidth(a);
  let attentionCore = 0;
  if (causal && a.slidingWindow !== null) {
    for (let layer = 0; layer < a.numLayers; layer++)
      attentionCore += core * visibleKeys(a, layer, sequenceLength, true);
  } else attentionCore = a.numLayers * core * (causal ? sequenceLength / 2 : sequenceLength);
  const depth = a.multiTokenPredictionLayers;
  if (depth > 0) {
    const kind = hasExperts(a, a.numLayers - 1) ? 'moe' : 'dense';
    layers += depth * 2 * (attentionWeights(a) + feedForwardWeights(a, kind) + 2 * a.hiddenSize * a.hiddenSize);
    attentionCore += depth * core * (causal ? sequenceLength / 2 : sequenceLength);
  }
  return { layers, attentionCore, head: 2 * a.hiddenSize * a.vocabSize * (1 + depth) };
}

/** FLOPs of training on `sequences` sequences, forward and backward, no recomputation. */
export function modelFlops(
  a: Architecture,
  sequenceLength: number,
  sequences: number,
  convention: FlopsConvention,
  activeParameters: number,
): number {
  const tokens = sequences * sequenceLength;
  if (convention === 'palm') {
    const attention = 6 * attentionCoreWidth(a) * a.numLayers * sequenceLength;
    return tokens * (6 * activeParameters + attention);
  }
  const flops = tokenFlops(a, sequenceLength, convention === 'causal');
  return 3 * tokens * (flops.layers + flops.attentionCore + flops.head);
}
