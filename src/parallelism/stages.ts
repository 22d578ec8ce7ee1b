import type { Architecture } from '../model/architecture.js';
import { layerKinds } from '../model/parameters.js';
import type { Degrees } from './degrees.js';
import type { Strategy } from './strategy.js';

/** Layers of one pipeline stage, all its chunks together. */
export interface Stage {
  readonly stage: number;
  /** Layers of each kind, multi-token-prediction modules among those of the last chunk. */
  readonly denseLayers: number;
  readonly moeLayers: number;
  readonly hasEmbedding: boolean;
  readonly hasHead: boolean;
}

/**
 * Layers per chunk, in depth order. Where the layers do not divide, the embedding and the head each take the place of one
 * layer if that evens it out (Llama 3: 126 layers + 2 on 128 chunks); else the first and last chunks get the fewer layers,
 * because they also carry embedding and head.
 */
export function layersPerChunk(numLayers: number, chunks: number, given: readonly number[]): readonly number[] {
  if (given.length > 0) return given;
  const result = new Array<number>(chunks).fill(Math.floor(numLayers / chunks));
  if (numLayers % chunks === 0) return result;
  if ((numLayers + 2) % chunks === 0 && chunks > 1) {
    const even = (numLayers + 2) / chunks;
    return result.map((_, i) => (i === 0 || i === chunks - 1 ? even - 1 : even));
  }
  let remainder = numLayers % chunks;
  for (let i = 1; remainder > 0; i = (i + 1) % chunks) {
    result[i] = (result[i] ?? 0) + 1;
    remainder--;
  }
  return result;
}

/** The stage on which chunk `j` (in depth order) runs: round robin, or there and back for V-shaped schedules. */
export function stageOfChunk(chunk: number, stages: number, vShaped: boolean): number {
  const lap = Math.floor(chunk / stages);
  const position = chunk % stages;
  return vShaped && lap % 2 === 1 ? stages - 1 - position : position;
}

/** One model chunk as the work of a stage: what it holds, on which stage it runs. */
export interface Chunk extends Stage {
  /** Position in depth order. */
  readonly chunk: number;
}

/** Splits the layers over model chunks, in depth order. */
export function splitChunks(model: Architecture, strategy: Strategy, degrees: Degrees): readonly Chunk[] {
  const stages = degrees.pipelineParallel;
  const chunks = stages * degrees.virtualStages;
  const sizes = layersPerChunk(model.numLayers, chunks, strategy.stageLayers);
  const kinds = layerKinds(model);
  const vShaped = strategy.pipelineSchedule === 'zb-v';
  let layer = 0;
  return sizes.map((size, chunk) => {
    let moeLayers = 0;
    for (const end = layer + size; layer < end; layer++) if (kinds[layer] === 'moe') moeLayers++;
    // A prediction module is one more layer like the model's last.
    const extra = chunk === chunks - 1 ? model.multiTokenPredictionLayers : 0;
    const extraMoe = kinds[kinds.length - 1] === 'moe' ? extra : 0;
    return {
      chunk,
      stage: stageOfChunk(chunk, stages, vShaped),
      denseLayers: size - moeLayers + extra - extraMoe,
      moeLayers: moeLayers + extraMoe,
      hasEmbedding: chunk === 0,
      hasHead: chunk === chunks - 1,
    };
  });
}

/** Gathers chunks to pipeline stages. */
export function gatherStages(chunks: readonly Chunk[], stages: number): readonly Stage[] {
  const counts: { -readonly [Key in keyof Stage]: Stage[Key] }[] = [];
  for (let stage = 0; stage < stages; stage++)
    counts.push({ stage, denseLayers: 0, moeLayers: 0, hasEmbedding: false, hasHead: false });
  for (const chunk of chunks) {
    const stage = counts[chunk.stage];
    if (stage === undefined) continue;
    stage.denseLayers += chunk.denseLayers;
    stage.moeLayers += chunk.moeLayers;
    stage.hasEmbedding ||= chunk.hasEmbedding;
    stage.hasHead ||= chunk.hasHead;
  }
  return counts;
}

/** Splits the layers over pipeline stages. */
export function splitStages(model: Architecture, strategy: Strategy, degrees: Degrees): readonly Stage[] {
  return gatherStages(splitChunks(model, strategy, degrees), degrees.pipelineParallel);
}
