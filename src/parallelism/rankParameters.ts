import type { Architecture } from '../model/architecture.js';
import { layerParameters } from '../model/parameters.js';
import type { RankParameters } from './data.js';
import type { Degrees } from './degrees.js';
import type { Stage } from './stages.js';

/**
 * Parameters that one rank holds of a layer, before sharding over data-parallel ranks. With more ranks than key-value heads each
 * rank still projects a whole head of keys and of values.
 */
export function layerRankParameters(model: Architecture, kind: 'dense' | 'moe', d: Degrees): RankParameters {
  const layer = layerParameters(model, kind);
  const copied = model.mla === null ? Math.max(0, 1 - model.numKeyValueHeads / d.tensorParallel) : 0;
  const keyValue = 2 * model.headDim * (model.hiddenSize + (model.biases.queryKeyValue ? 1 : 0));
  return {
    dense: layer.tensorParallel / d.tensorParallel + layer.replicated + copied * keyValue,
    expert: layer.experts / (d.expertParallel * d.expertTensorParallel),
  };
}

/** Parameters outside the layers: embedding and positions on the first stage, norm and head on the last. */
export function endRankParameters(
  model: Architecture,
  stage: Stage,
  d: Degrees,
  paddedVocabulary: number,
): { readonly embedding: number; readonly head: number } {
  const table = (paddedVocabulary * model.hiddenSize) / d.tensorParallel;
  const positions = model.positionEmbedding === 'learned' ? model.maxPositions * model.hiddenSize : 0;
  const norm = model.hiddenSize * (model.normBias ? 2 : 1);
  const embedding = stage.hasEmbedding ? table + positions + (model.embeddingNorm ? norm : 0) : 0;
  // A tied head is the same tensor where embedding and head share a stage, a second copy where they do not.
  const ownHead = stage.hasHead && !(model.tiedEmbeddings && stage.hasEmbedding);
  // Each prediction module joins the hidden state with the next embedding: a 2h x h projection, column-parallel, and three norms.
  const prediction =
    model.multiTokenPredictionLayers * ((2 * model.hiddenSize * model.hiddenSize) / d.tensorParallel + 3 * norm);
  const bias = model.biases.head ? paddedVocabulary / d.tensorParallel : 0;
  const head = stage.hasHead ? (ownHead ? table : 0) + bias + (model.finalNorm ? norm : 0) + prediction : 0;
  return { embedding, head };
}

/** Parameters that one rank of a stage holds. */
export function stageRankParameters(
  model: Architecture,
  stage: Stage,
  d: Degrees,
  paddedVocabulary: number,
  dense: RankParameters,
  moe: RankParameters,
): RankParameters {
  const ends = endRankParameters(model, stage, d, paddedVocabulary);
  return {
    dense: stage.denseLayers * dense.dense + stage.moeLayers * moe.dense + ends.embedding + ends.head,
    expert: stage.moeLayers * moe.expert,
  };
}
