import type { Architecture, LatentAttention, MixtureOfExperts, SlidingWindow } from './architecture.js';
import type { ArchitectureInput } from './architectureSchema.js';

/** GPT-2's vocabulary: what a published run means when it names none. */
export const DEFAULT_VOCAB_SIZE = 50257;
/** GPT-2's and Megatron-LM's; a framework's recipes may say otherwise. */
const DEFAULT_DROPOUT = 0.1;
/** Context length of GPT-3; only sizes the position table of a model that gives neither. */
const DEFAULT_MAX_POSITIONS = 2048;
/** Head size of nearly every large model since GPT-3 13B. */
const DEFAULT_HEAD_DIM = 128;
/** The window as published runs write it. */
export const ALTERNATE_LAYERS = /^(\d+)( on alternate layers)?$/;

/**
 * Fills in what the input leaves out. A model with a gated feed-forward layer is taken to be LLaMA-shaped (rotary,
 * untied, RMS norm, SiLU, no biases, no dropout), any other GPT-shaped (learned positions, tied, layer norm and biases,
 * GELU, dropout 0.1). Expects input that `architectureInputSchema` accepted.
 */
export function resolveArchitecture(
  input: ArchitectureInput,
  run: { sequenceLength?: number; dropout?: number; gatedDropout?: number } = {},
): Architecture {
  const gatedMlp = input.gatedMlp ?? false;
  const norm = input.norm ?? (gatedMlp ? 'rms' : 'layer');
  const heads = input.numAttentionHeads ?? defaultHeads(input.hiddenSize);
  const intermediateSize = input.intermediateSize ?? defaultIntermediateSize(input.hiddenSize, gatedMlp);
  const positionEmbedding = input.positionEmbedding ?? defaultPositions(input.learnedPositions ?? !gatedMlp);
  const mla = input.mla ?? null;
  return {
    name: input.name ?? 'unnamed',
    numLayers: input.numLayers,
    hiddenSize: input.hiddenSize,
    numAttentionHeads: heads,
    numKeyValueHeads: input.numKeyValueHeads ?? heads,
    headDim: input.headDim ?? defaultHeadDim(input.hiddenSize, heads, mla),
    intermediateSize,
    vocabSize: input.vocabSize ?? DEFAULT_VOCAB_SIZE,
    gatedMlp,
    activation: input.activation ?? (gatedMlp ? 'silu' : 'gelu'),
    tiedEmbeddings: input.tiedEmbeddings ?? !gatedMlp,
    positionEmbedding,
    maxPositions:
      positionEmbedding === 'learned' ? (input.maxPositions ?? run.sequenceLength ?? DEFAULT_MAX_POSITIONS) : 0,
    norm,
    normsPerLayer: input.normsPerLayer ?? 2,
    normBias: input.normBias ?? norm === 'layer',
    finalNorm: input.finalNorm ?? true,
    embeddingNorm: input.embeddingNorm ?? false,
    queryKeyNorm: input.queryKeyNorm ?? 'none',
    biases: {
      queryKeyValue: input.biases?.queryKeyValue ?? !gatedMlp,
      attentionOutput: input.biases?.attentionOutput ?? !gatedMlp,
      mlp: input.biases?.mlp ?? !gatedMlp,
      head: input.biases?.head ?? false,
    },
    parallelLayers: input.parallelLayers ?? false,
    attentionSinks: input.attentionSinks ?? false,
    mla,
    moe: input.moe ? resolveExperts(input.moe, intermediateSize) : null,
    slidingWindow: resolveWindow(input.slidingWindow ?? null),
    multiTokenPredictionLayers: Number(input.multiTokenPredictionLayers ?? 0),
    dropout: input.dropout ?? (gatedMlp ? (run.gatedDropout ?? 0) : (run.dropout ?? DEFAULT_DROPOUT)),
  };
}

/** The number of heads that divides the hidden size and comes closest to heads of 128. */
export function defaultHeads(hiddenSize: number): number {
  const ideal = hiddenSize / DEFAULT_HEAD_DIM;
  for (let distance = 0; distance < ideal; distance++) {
    const fewer = Math.floor(ideal) - distance;
    const more = Math.floor(ideal) + 1 + distance;
    const nearestFirst = ideal - fewer <= more - ideal ? [fewer, more] : [more, fewer];
    const heads = nearestFirst.find((number) => number > 0 && hiddenSize % number === 0);
    if (heads !== undefined) return heads;
  }
  return 1;
}

/** A latent-attention head is its two query-key parts; `hiddenSize / heads` means nothing there. */
function defaultHeadDim(hiddenSize: number, heads: number, mla: LatentAttention | null): number {
  return mla ? mla.queryKeyNopeHeadDim + mla.queryKeyRopeHeadDim : hiddenSize / heads;
}

/** Three matrices of 8/3 h hold as much as two of 4 h; LLaMA rounds that up to a multiple of 256. */
function defaultIntermediateSize(hiddenSize: number, gatedMlp: boolean): number {
  return gatedMlp ? Math.ceil((8 * hiddenSize) / 3 / 256) * 256 : 4 * hiddenSize;
}

function defaultPositions(learned: boolean): 'learned' | 'rotary' {
  return learned ? 'learned' : 'rotary';
}

function resolveExperts(input: NonNullable<ArchitectureInput['moe']>, intermediateSize: number): MixtureOfExperts {
  const expertIntermediateSize = input.expertIntermediateSize ?? intermediateSize;
  const sharedExperts = input.sharedExperts ?? (input.sharedExpertIntermediateSize ? 1 : 0);
  return {
    numExperts: input.numExperts,
    expertsPerToken: input.expertsPerToken,
    expertIntermediateSize,
    sharedExperts,
    sharedExpertIntermediateSize: input.sharedExpertIntermediateSize ?? sharedExperts * expertIntermediateSize,
    numDenseLayers: input.numDenseLayers ?? 0,
    every: input.every ?? 1,
    routerBias: input.routerBias ?? false,
    expertBias: input.expertBias ?? false,
    sharedExpertGate: input.sharedExpertGate ?? false,
    nodeLimit: input.nodeLimit ?? 0,
  };
}

function resolveWindow(input: NonNullable<ArchitectureInput['slidingWindow']> | null): SlidingWindow | null {
  if (input === null) return null;
  if (typeof input === 'number') return { size: input, fullAttentionEvery: 0 };
  if (typeof input === 'object') return { size: input.size, fullAttentionEvery: input.fullAttentionEvery ?? 0 };
  const [, size, alternate] = ALTERNATE_LAYERS.exec(input) ?? [];
  return { size: Number(size), fullAttentionEvery: alternate ? 2 : 0 };
}
