import type { Architecture } from './architecture.js';
import { layerCounts, layerKinds } from './layerKinds.js';
import { type LayerParameters, layerParameters, normParameters } from './layerParameters.js';

export { layerKinds, moeLayerIndices } from './layerKinds.js';
export { type LayerParameters, layerParameters } from './layerParameters.js';

/** Exact counts of a whole model, undivided. */
export interface ParameterCounts {
  /** The model itself; multi-token-prediction modules are counted beside it, as their authors do. */
  readonly total: number;
  /** Of `total`, what one token passes through; the embedding counts whole. Equal to `total` without experts. */
  readonly active: number;
  readonly embedding: number;
  /** Output matrix and its bias; a tied matrix counts under `embedding` only. */
  readonly head: number;
  /** The learned position table. */
  readonly positions: number;
  readonly embeddingNorm: number;
  readonly finalNorm: number;
  readonly denseLayers: number;
  readonly moeLayers: number;
  /** One dense layer; null where there is none. */
  readonly denseLayer: LayerParameters | null;
  /** One layer with experts; null where there is none. */
  readonly moeLayer: LayerParameters | null;
  /** All multi-token-prediction modules; embedding and head are the model's own. */
  readonly multiTokenPrediction: number;
}

export interface CountOptions {
  /** Rows of the embedding and head come in multiples of this: 128 x tensorParallel in Megatron-LM. Default: 1. */
  readonly vocabularyPadding?: number;
}

export function countParameters(architecture: Architecture, options: CountOptions = {}): ParameterCounts {
  const { biases, hiddenSize, maxPositions } = architecture;
  const vocabulary = paddedVocabulary(architecture.vocabSize, options.vocabularyPadding ?? 1);
  const norm = normParameters(architecture);
  const layers = layerCounts(architecture);
  const denseLayer = layers.dense > 0 ? layerParameters(architecture, 'dense') : null;
  const moeLayer = layers.moe > 0 ? layerParameters(architecture, 'moe') : null;
  const ends = {
    embedding: vocabulary * hiddenSize,
    head: (architecture.tiedEmbeddings ? 0 : vocabulary * hiddenSize) + (biases.head ? vocabulary : 0),
    positions: architecture.positionEmbedding === 'learned' ? maxPositions * hiddenSize : 0,
    embeddingNorm: architecture.embeddingNorm ? norm : 0,
    finalNorm: architecture.finalNorm ? norm : 0,
  };
  const outside = ends.embedding + ends.head + ends.positions + ends.embeddingNorm + ends.finalNorm;
  return {
    ...ends,
    total: outside + layers.dense * (denseLayer?.total ?? 0) + layers.moe * (moeLayer?.total ?? 0),
    active: outside + layers.dense * (denseLayer?.active ?? 0) + layers.moe * (moeLayer?.active ?? 0),
    denseLayers: layers.dense,
    moeLayers: layers.moe,
    denseLayer,
    moeLayer,
    multiTokenPrediction: architecture.multiTokenPredictionLayers * predictionModule(architecture),
  };
}

export function paddedVocabulary(vocabSize: number, multiple: number): number {
  return Math.ceil(vocabSize / multiple) * multiple;
}

/**
 * One module: a layer like the model's last, a 2h x h projection of the previous state and the next token's embedding,
 * a norm on each of the two and one before the shared head (DeepSeek-V3, section 2.2 and its published weights).
 */
function predictionModule(architecture: Architecture): number {
  const kind = layerKinds(architecture).at(-1) ?? 'dense';
  const { total } = layerParameters(architecture, kind);
  return total + 2 * architecture.hiddenSize ** 2 + 3 * normParameters(architecture);
}
