import type { Architecture, LatentAttention, MixtureOfExperts } from './architecture.js';
import type { LayerKind } from './layerKinds.js';

/** Parameters of one transformer layer: by operator, and again by how a strategy may divide them. */
export interface LayerParameters extends Divisible {
  readonly kind: LayerKind;
  /** Projections with their biases, norms on queries and keys, sinks. */
  readonly attention: number;
  /** The dense feed-forward part; 0 in a layer with experts. */
  readonly mlp: number;
  readonly router: number;
  /** All routed experts together. */
  readonly routedExperts: number;
  readonly sharedExperts: number;
  /** Norms over the hidden size. */
  readonly norms: number;
  readonly total: number;
  /** What one token passes through: everything but the routed experts it does not visit. */
  readonly active: number;
}

/** The three add up to the whole. */
interface Divisible {
  /** Cut over tensor-parallel ranks: matrices, and biases on a column-parallel matrix's outputs. */
  readonly tensorParallel: number;
  /** Whole on every tensor-parallel rank: norms, router, biases after a row-parallel matrix, latent down-projections. */
  readonly replicated: number;
  /** Routed experts: cut over expert-parallel ranks, then over expert-tensor-parallel ones. */
  readonly experts: number;
}

/** Searches ask for the same two thousands of times. */
const known: Readonly<Record<LayerKind, WeakMap<Architecture, LayerParameters>>> = {
  dense: new WeakMap(),
  moe: new WeakMap(),
};

/** Counts one layer of the given kind; all layers of a kind are alike. */
export function layerParameters(architecture: Architecture, kind: LayerKind): LayerParameters {
  const cached = known[kind].get(architecture);
  if (cached !== undefined) return cached;
  const counted = countLayer(architecture, kind);
  known[kind].set(architecture, counted);
  return counted;
}

function countLayer(architecture: Architecture, kind: LayerKind): LayerParameters {
  const moe = kind === 'moe' ? architecture.moe : null;
  const attention = attentionParameters(architecture);
  const mlp = moe === null ? denseMlp(architecture) : NOTHING;
  const router = moe === null ? NOTHING : routerParameters(architecture, moe);
  const routed = moe === null ? NOTHING : routedExperts(architecture, moe);
  const shared = moe === null ? NOTHING : sharedExperts(architecture, moe);
  const norms = architecture.normsPerLayer * normParameters(architecture);
  const tensorParallel = attention.tensorParallel + mlp.tensorParallel + shared.tensorParallel;
  const replicated = attention.replicated + mlp.replicated + router.replicated + shared.replicated + norms;
  const total = tensorParallel + replicated + routed.experts;
  const unvisited = moe === null ? 0 : (routed.experts / moe.numExperts) * (moe.numExperts - moe.expertsPerToken);
  return {
    kind,
    attention: sum(attention),
    mlp: sum(mlp),
    router: sum(router),
    routedExperts: routed.experts,
    sharedExperts: sum(shared),
    norms,
    total,
    active: total - unvisited,
    tensorParallel,
    replicated,
    experts: routed.experts,
  };
}

/** A scale over the hidden size, and a bias where norms have one. */
export function normParameters({ hiddenSize, normBias }: Architecture): number {
  return hiddenSize * (normBias ? 2 : 1);
}

const NOTHING: Divisible = { tensorParallel: 0, replicated: 0, experts: 0 };

function sum({ tensorParallel, replicated, experts }: Divisible): number {
  return tensorParallel + replicated + experts;
}

/**
 * Queries h x a d, keys and values h x k d each, output a d x h, for a heads and k key-value heads of size d
 * (Vaswani et al. 2017; k < a: Ainslie et al. 2023, GQA).
 */
function attentionParameters(architecture: Architecture): Divisible {
  const { biases, headDim, hiddenSize, mla, numAttentionHeads, numKeyValueHeads } = architecture;
  const outputBias = biases.attentionOutput ? hiddenSize : 0;
  if (mla !== null) return latentAttention(architecture, mla, outputBias);
  const queries = numAttentionHeads * headDim;
  const projected = queries + 2 * numKeyValueHeads * headDim;
  const matrices = hiddenSize * projected + queries * hiddenSize;
  const vectors = (biases.queryKeyValue ? projected : 0) + (architecture.attentionSinks ? numAttentionHeads : 0);
  const { perHead, perRank } = queryKeyNorms(architecture);
  return {
    tensorParallel: matrices + vectors + perRank + relativePositions(architecture),
    replicated: outputBias + perHead,
    experts: 0,
  };
}

/**
 * Multi-head latent attention (DeepSeek-V2, section 2.1): tokens go down to a small latent, a norm, then up to the heads.
 * The down-projections and norms are whole on every rank, as in Megatron-LM and in DeepSeek's own code.
 */
function latentAttention(architecture: Architecture, mla: LatentAttention, outputBias: number): Divisible {
  const { biases, hiddenSize, numAttentionHeads } = architecture;
  const queryWidth = numAttentionHeads * (mla.queryKeyNopeHeadDim + mla.queryKeyRopeHeadDim);
  const keyValueWidth = numAttentionHeads * (mla.queryKeyNopeHeadDim + mla.valueHeadDim);
  const down = mla.queryLoraRank + mla.keyValueLoraRank + mla.queryKeyRopeHeadDim;
  const queryUp = (mla.queryLoraRank > 0 ? mla.queryLoraRank : hiddenSize) * queryWidth;
  const keyValueUp = mla.keyValueLoraRank * keyValueWidth;
  const output = numAttentionHeads * mla.valueHeadDim * hiddenSize;
  const norms = mla.queryLoraRank + mla.keyValueLoraRank;
  const downBias = biases.queryKeyValue ? down : 0;
  return {
    tensorParallel: queryUp + keyValueUp + output,
    replicated: hiddenSize * down + downBias + norms + outputBias,
    experts: 0,
  };
}

/** One scale per head size, shared by the heads; or one over all heads (OLMo 2), of which a rank keeps its heads' part. */
function queryKeyNorms({ headDim, numAttentionHeads, numKeyValueHeads, queryKeyNorm }: Architecture) {
  return {
    perHead: queryKeyNorm === 'head' ? 2 * headDim : 0,
    perRank: queryKeyNorm === 'full' ? (numAttentionHeads + numKeyValueHeads) * headDim : 0,
  };
}

/** W_kR and the vectors u and v of Transformer-XL (Dai et al. 2019, section 3.3), a set per layer (Gopher, Chinchilla). */
function relativePositions({ headDim, hiddenSize, numAttentionHeads, positionEmbedding }: Architecture): number {
  return positionEmbedding === 'transformer-xl' ? (hiddenSize + 2) * numAttentionHeads * headDim : 0;
}

function denseMlp(architecture: Architecture): Divisible {
  return feedForward(architecture, architecture.intermediateSize, architecture.biases.mlp);
}

/** Up and down, h x w and w x h; a gated layer has the up matrix twice (Shazeer 2020, GLU variants). */
function feedForward({ gatedMlp, hiddenSize }: Architecture, width: number, biased: boolean): Divisible {
  const ups = gatedMlp ? 2 : 1;
  return {
    tensorParallel: (ups + 1) * hiddenSize * width + (biased ? ups * width : 0),
    replicated: biased ? hiddenSize : 0,
    experts: 0,
  };
}

/** One row per expert. */
function routerParameters({ hiddenSize }: Architecture, { numExperts, routerBias }: MixtureOfExperts): Divisible {
  return { tensorParallel: 0, replicated: numExperts * (hiddenSize + (routerBias ? 1 : 0)), experts: 0 };
}

function routedExperts(architecture: Architecture, moe: MixtureOfExperts): Divisible {
  const expert = sum(feedForward(architecture, moe.expertIntermediateSize, moe.expertBias));
  return { tensorParallel: 0, replicated: 0, experts: moe.numExperts * expert };
}

function sharedExperts(architecture: Architecture, moe: MixtureOfExperts): Divisible {
  if (moe.sharedExpertIntermediateSize === 0) return NOTHING;
  const { tensorParallel, replicated } = feedForward(architecture, moe.sharedExpertIntermediateSize, moe.expertBias);
  const gate = moe.sharedExpertGate ? architecture.hiddenSize : 0;
  return { tensorParallel, replicated: replicated + gate, experts: 0 };
}
