import { invariant } from '../errors.js';
import { sendSeconds } from '../hardware/collectives/collective.js';
import { type RankParameters, type ReplicatedTraffic, replicatedTraffic } from '../parallelism/data.js';
import { endRankParameters, layerRankParameters, stageRankParameters } from '../parallelism/rankParameters.js';
import type { Chunk, Stage } from '../parallelism/stages.js';
import { type ChunkTraffic, chunkTraffic, noTraffic } from './pass/passTraffic.js';
import { SimulatedPasses } from './pass/simulatedPasses.js';
import type { Prepared } from './prepare.js';
import { type LayerTable, type StageCost, stageCost } from './stageCost.js';

/** What a model chunk (or a whole stage) costs: passes, parameters on a rank, data-parallel traffic. */
export interface WorkCost {
  readonly cost: StageCost;
  readonly parameters: RankParameters;
  readonly endParameters: number;
  /** Replicated weights: one gather and one reduction of a step; 0 where they travel with every micro-batch, inside the passes. */
  readonly gatherSeconds: number;
  readonly reduceSeconds: number;
  /** Buckets in which the reduction can start early, a divisor of `gradientPieces`. */
  readonly reducePieces: number;
}

/** A model chunk in its place, its passes simulated layer by layer. */
export interface ChunkCost extends WorkCost {
  readonly chunk: Chunk;
  readonly passes: SimulatedPasses;
}

/** Passes beside which gradients or weights travel are cut into this many pieces; what cannot hide is then below 13 %. */
export const gradientPieces = 8;

/** Where a search keeps what many of its candidates share; they are worked out each time where there is no such place. */
export interface SharedWork {
  /** Of passes in which nothing crosses from layer to layer. */
  stageCost(p: Prepared, layers: LayerTable, work: Stage): StageCost;
  /** Traffic of replicated weights: not for zero-3. */
  traffic(p: Prepared, work: Stage, parameters: RankParameters): ReplicatedTraffic;
}

const unshared: SharedWork = {
  stageCost: (p, layers, work) => stageCost(p, layers, work, noTraffic),
  traffic: ({ mesh, strategy, framework }, _work, parameters) =>
    replicatedTraffic(mesh, parameters, strategy, framework),
};

/** Costs of the kinds of chunks of a pipeline, in the order of `p.kinds`. */
export function kindCosts(p: Prepared, layers: LayerTable, shared: SharedWork = unshared): readonly WorkCost[] {
  const costs = new KindCosts(p, layers, shared);
  return p.kinds.examples.map((chunk) => costs.of(chunk));
}

class KindCosts {
  private readonly dense: RankParameters;
  private readonly moe: RankParameters;

  constructor(
    private readonly p: Prepared,
    private readonly layers: LayerTable,
    private readonly shared: SharedWork,
  ) {
    this.dense = layerRankParameters(p.model, 'dense', p.degrees);
    this.moe = p.model.moe === null ? this.dense : layerRankParameters(p.model, 'moe', p.degrees);
  }

  of(work: Stage): WorkCost {
    const { p, layers, shared } = this;
    const { degrees, strategy } = p;
    const { embedding, head } = endRankParameters(p.model, work, degrees, p.paddedVocabulary);
    const endParameters = embedding + head;
    const parameters = stageRankParameters(p.model, work, degrees, p.paddedVocabulary, this.dense, this.moe);
    const crossing = this.crossing(work, endParameters);
    const cost = crossing === noTraffic ? shared.stageCost(p, layers, work) : stageCost(p, layers, work, crossing);
    const common = { cost, parameters, endParameters };
    if (strategy.dataSharding === 'zero-3') return { ...common, gatherSeconds: 0, reduceSeconds: 0, reducePieces: 1 };
    const { gatherSeconds, reduceSeconds, tailShare, everyMicroBatch } = shared.traffic(p, work, parameters);
    return {
      ...common,
      gatherSeconds,
      reduceSeconds: everyMicroBatch ? 0 : reduceSeconds,
      reducePieces: bucketPieces(tailShare),
    };
  }

  private crossing(work: Stage, ends: number): ChunkTraffic {
    return chunkTraffic(this.p, this.layers, work, { dense: this.dense, moe: this.moe, ends });
  }

  passesOf(work: Stage, { endParameters }: WorkCost): SimulatedPasses {
    return new SimulatedPasses(this.p, this.layers, work, this.crossing(work, endParameters));
  }
}

/** Buckets as a power of two up to `gradientPieces`. */
function bucketPieces(tailShare: number): number {
  let pieces = 1;
  while (pieces < gradientPieces && pieces * 2 * tailShare <= 1) pieces *= 2;
  return pieces;
}

export function chunkCosts(p: Prepared, layers: LayerTable, shared: SharedWork = unshared): readonly ChunkCost[] {
  const costs = new KindCosts(p, layers, shared);
  const kinds = p.kinds.examples.map((example) => {
    const cost = costs.of(example);
    return { ...cost, passes: costs.passesOf(example, cost) };
  });
  return p.chunks.map((chunk, i) => {
    const kind = kinds[p.kinds.kindOf[i] ?? 0];
    invariant(kind !== undefined, 'every chunk is of a kind');
    return { ...kind, chunk };
  });
}

/** What weights gathered beside a first forward pass add to it: only its last piece waits for all of them. */
export function exposedGather(p: Prepared, gather: number, forward: number): number {
  if (!p.strategy.overlapParameterGather) return gather;
  const hidden = Math.min(gather, (1 - 1 / gradientPieces) * forward);
  return gather - hidden + hidden * (p.contention - 1);
}

/**
 * One message between neighbouring stages: an activation of the micro-batch, scattered over tensor-parallel ranks or whole. Where
 * receiving blocks too, every stage waits for its neighbours' messages as long as for its own.
 */
export function messageSeconds(p: Prepared): number {
  const { share, strategy, framework, model, mesh } = p;
  const scattered = strategy.sequenceParallel || framework.scatterGatherPipeline;
  const bytes = (share.tokens * model.hiddenSize * share.activationBytes) / (scattered ? share.tensorParallel : 1);
  return sendSeconds(mesh.pipeline, bytes) * (framework.blockingReceive && !strategy.overlapPipelineSend ? 2 : 1);
}

/**
 * What a transfer adds to a pass of `window` seconds beside which it runs piece by piece: the last piece has nothing to hide
 * behind, and both slow each other while they overlap.
 */
export function exposedPieces(transfer: number, window: number, pieces: number, contention: number): number {
  const hidden = (1 - 1 / pieces) * Math.min(transfer, window);
  return transfer - hidden + hidden * (contention - 1);
}

/** Parameters that a pipeline rank updates: those of its chunks, with DualPipe also those of its mirror image. */
export function rankParameters(p: Prepared, chunks: readonly ChunkCost[], rank: number): RankParameters {
  const stages = p.degrees.pipelineParallel;
  const mirror = p.strategy.pipelineSchedule === 'dualpipe' && stages > 1 ? stages - 1 - rank : rank;
  let dense = 0;
  let expert = 0;
  for (const { chunk, parameters } of chunks) {
    if (chunk.stage !== rank && chunk.stage !== mirror) continue;
    dense += parameters.dense;
    expert += parameters.expert;
  }
  return { dense, expert };
}
