import type { HeldParameters, MemoryContext } from '../memory/stageMemory.js';
import type { Schedule } from '../parallelism/pipeline/schedule.js';
import { endRankParameters, layerRankParameters, stageRankParameters } from '../parallelism/rankParameters.js';
import type { Stage } from '../parallelism/stages.js';
import type { Prepared } from './prepare.js';
import type { LayerTable } from './stageCost.js';

/** What memory needs of a prepared scenario. */
export function memoryContext(p: Prepared, layers: LayerTable, schedule: Schedule): MemoryContext {
  const denseLayer = layerRankParameters(p.model, 'dense', p.degrees);
  return {
    model: p.model,
    strategy: p.strategy,
    framework: p.framework,
    degrees: p.degrees,
    share: p.share,
    execution: p.execution,
    schedule,
    recompute: layers.recompute,
    denseGraph: layers.dense.graph,
    moeGraph: layers.moe.graph,
    denseLayer,
    moeLayer: p.model.moe === null ? denseLayer : layerRankParameters(p.model, 'moe', p.degrees),
    paddedVocabulary: p.paddedVocabulary,
  };
}

/** Parameters that a rank of a stage holds; DualPipe holds those of its mirror image as well. */
export function stageParameters(p: Prepared, context: MemoryContext, stage: Stage): HeldParameters {
  const own = heldParameters(p, context, stage);
  const mirrored = p.strategy.pipelineSchedule === 'dualpipe' && p.degrees.pipelineParallel > 1;
  const mirror = mirrored ? p.stages[p.degrees.pipelineParallel - 1 - stage.stage] : undefined;
  if (mirror === undefined) return own;
  const other = heldParameters(p, context, mirror);
  return {
    parameters: {
      dense: own.parameters.dense + other.parameters.dense,
      expert: own.parameters.expert + other.parameters.expert,
    },
    embedding: own.embedding + other.embedding,
    head: own.head + other.head,
  };
}

/** Parameters of one piece of a model: a stage or a chunk. */
export function heldParameters(p: Prepared, context: MemoryContext, one: Stage): HeldParameters {
  const { model, degrees, paddedVocabulary } = p;
  const { denseLayer, moeLayer } = context;
  return {
    parameters: stageRankParameters(model, one, degrees, paddedVocabulary, denseLayer, moeLayer),
    ...endRankParameters(model, one, degrees, paddedVocabulary),
  };
}
