import type { Accelerator } from '../hardware/accelerator.js';
import type { Architecture } from '../model/architecture.js';
import { type EndOperators, endOperators } from '../model/endOperators.js';
import type { Execution } from '../model/operators.js';
import { chunksPerStage, type Degrees, degreesOf, deriveDegrees } from '../parallelism/degrees.js';
import type { Framework } from '../parallelism/framework.js';
import type { RankShare } from '../parallelism/layerCost.js';
import { type Mesh, makeMesh } from '../parallelism/mesh.js';
import { executionOf, rankShare } from '../parallelism/rankShare.js';
import { type Chunk, gatherStages, type Stage, splitChunks } from '../parallelism/stages.js';
import type { Strategy } from '../parallelism/strategy.js';
import { makeTimers, type Timers } from '../parallelism/timers.js';
import type { Scenario } from '../scenario/scenario.js';
import { type ChunkKinds, chunkKinds } from './chunkKinds.js';

/** A scenario with everything derived that operators, memory and schedules need; shared by all evaluators. */
export interface Prepared {
  readonly scenario: Scenario;
  readonly model: Architecture;
  readonly accelerator: Accelerator;
  readonly strategy: Strategy;
  readonly framework: Framework;
  readonly degrees: Degrees;
  readonly mesh: Mesh;
  readonly timers: Timers;
  readonly execution: Execution;
  readonly share: RankShare;
  /** Model chunks in depth order, and the stages that they make up. */
  readonly chunks: readonly Chunk[];
  readonly stages: readonly Stage[];
  readonly kinds: ChunkKinds;
  readonly paddedVocabulary: number;
  readonly ends: EndOperators;
  /** Slow-down of compute and communication that run side by side. */
  readonly contention: number;
}

/** Megatron pads the vocabulary so that every rank gets a multiple of 128 rows. */
export function paddedVocabularySize(model: Architecture, framework: Framework, tensorParallel: number): number {
  const multiple = framework.vocabularyPadding * tensorParallel;
  return Math.ceil(model.vocabSize / multiple) * multiple;
}

/** Derives; throws `SlipwayError` where degrees break a rule. */
export function prepare(scenario: Scenario): Prepared {
  return prepareWith(scenario, deriveDegrees(scenario));
}

/** The same without checks, for callers that did them or ask about a single layer only. */
export function prepareWith(scenario: Scenario, degrees: Degrees): Prepared {
  const { model, cluster, strategy, framework, sequenceLength } = scenario;
  const execution = executionOf(strategy, framework);
  const paddedVocabulary = paddedVocabularySize(model, framework, strategy.tensorParallel);
  return {
    scenario,
    model,
    accelerator: cluster.accelerator,
    strategy,
    framework,
    degrees,
    mesh: makeMesh(cluster, degrees, framework.networkShare),
    timers: makeTimers(cluster, framework, strategy, model),
    execution,
    share: rankShare(model, strategy, framework, degrees, sequenceLength, execution),
    ...layoutOf(model, strategy, degrees),
    paddedVocabulary,
    ends: endOperators(model, execution, paddedVocabulary, strategy.fusedCrossEntropy),
    contention: cluster.accelerator.overlapContention,
  };
}

/** How the layers lie on chunks and stages. */
export type Layout = Pick<Prepared, 'chunks' | 'stages' | 'kinds'>;

export function layoutOf(model: Architecture, strategy: Strategy, degrees: Degrees): Layout {
  const chunks = splitChunks(model, strategy, degrees);
  const { pipelineParallel } = degrees;
  return { chunks, stages: gatherStages(chunks, pipelineParallel), kinds: chunkKinds(chunks, pipelineParallel) };
}

/**
 * The same layers under another number of stages, for searches: what that does not change is shared. `strategy` must have the precision,
 * tensor, context and expert degrees and the micro-batch of `p`, and legal degrees: nothing is checked.
 */
export function withPipeline(p: Prepared, strategy: Strategy): Prepared {
  const scenario: Scenario = { ...p.scenario, strategy };
  const degrees = degreesOf(scenario);
  return { ...p, scenario, strategy, degrees, mesh: makeMesh(scenario.cluster, degrees, p.framework.networkShare) };
}

/** The same layers with experts split in another way, likewise. */
export function withExperts(p: Prepared, strategy: Strategy): Prepared {
  const other = withPipeline(p, strategy);
  const { model, framework, degrees, scenario, execution } = other;
  return { ...other, share: rankShare(model, strategy, framework, degrees, scenario.sequenceLength, execution) };
}

/** The same stages under another schedule, with other chunks or layers on them. */
export function withLayout(p: Prepared, strategy: Strategy, layout: Layout): Prepared {
  const degrees = { ...p.degrees, virtualStages: chunksPerStage(strategy) };
  return { ...p, scenario: { ...p.scenario, strategy }, strategy, degrees, ...layout };
}

/** The same pipeline under another sharding, recomputation or offload. Only hybrid sharding changes groups. */
export function withStates(p: Prepared, strategy: Strategy): Prepared {
  if (strategy.shardGroupSize !== p.strategy.shardGroupSize) return withPipeline(p, strategy);
  return { ...p, scenario: { ...p.scenario, strategy }, strategy };
}
