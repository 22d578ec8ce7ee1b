import { collectiveSeconds } from '../hardware/collectives/collective.js';
import type { RankGroup } from '../hardware/collectives/group.js';
import type { Framework } from './framework.js';
import type { Mesh } from './mesh.js';
import type { Strategy } from './strategy.js';

/** Parameters that one rank of a stage works with, before sharding over data-parallel ranks. */
export interface RankParameters {
  readonly dense: number;
  readonly expert: number;
}

/** Bytes per parameter of the weights that travel: what the GEMMs read. */
export function gatherBytes(strategy: Strategy, framework: Framework): number {
  const { precision } = strategy;
  if (precision === 'fp32' || precision === 'tf32') return 4;
  return framework.lowPrecisionWeights && (precision === 'fp8' || precision === 'mxfp8') ? 1 : 2;
}

function reduceBytes(strategy: Strategy, framework: Framework): number {
  return strategy.gradientDtype === 'fp32' ? framework.gradientReduceBytes : 2;
}

/**
 * Data-parallel traffic of replicated weights (ddp, zero-1, zero-2) before any overlap: gradients are reduced once a step, with sharded
 * gradients once a micro-batch, and updated weights gathered once a step (Rajbhandari et al. 2020, section 7).
 */
export interface ReplicatedTraffic {
  /** One reduction of all gradients. */
  readonly reduceSeconds: number;
  /** One gather of all weights; 0 with ddp. */
  readonly gatherSeconds: number;
  /** Gradients are sharded, so every micro-batch reduces its own. */
  readonly everyMicroBatch: boolean;
  /** The last bucket's share of the traffic. */
  readonly tailShare: number;
}

/**
 * Sharded gradients (zero-2) need a reduction every micro-batch. In a pipeline that would multiply the traffic by its micro-batches, so
 * gradients stay whole there until the last one (torchtitan and Llama 3 hold back the synchronisation; DeepSpeed refuses the mix).
 */
export function shardsGradients(strategy: Strategy): boolean {
  return strategy.dataSharding === 'zero-2' && strategy.pipelineParallel === 1;
}

export function replicatedTraffic(
  mesh: Mesh,
  parameters: RankParameters,
  strategy: Strategy,
  framework: Framework,
): ReplicatedTraffic {
  const sharded = strategy.dataSharding !== 'ddp';
  const gradientBytes = reduceBytes(strategy, framework);
  const kind = sharded && !framework.gradientAllReduce ? 'reduceScatter' : 'allReduce';
  const reduceSeconds =
    collectiveSeconds(mesh.gradient, kind, parameters.dense * gradientBytes) +
    collectiveSeconds(mesh.expertGradient, kind, parameters.expert * gradientBytes);
  const everyMicroBatch = shardsGradients(strategy) && mesh.gradient.ranks > 1;
  const gatherSeconds = sharded
    ? collectiveSeconds(mesh.gradient, 'allGather', parameters.dense * gatherBytes(strategy, framework)) +
      collectiveSeconds(mesh.expertGradient, 'allGather', parameters.expert * gatherBytes(strategy, framework))
    : 0;
  const size = (parameters.dense + parameters.expert) * gradientBytes;
  const tailShare = Math.min(1, framework.gradientBucketBytes / Math.max(1, size));
  return { reduceSeconds, gatherSeconds, everyMicroBatch, tailShare };
}

/** Traffic of one unit of fully sharded training: a layer, or the embedding and head. */
export interface ShardedUnit {
  readonly gatherSeconds: number;
  /** The second gather of its weights, before the backward pass; 0 where they stay gathered. */
  readonly againSeconds: number;
  readonly reduceSeconds: number;
}

/**
 * Fully sharded weights (zero-3, FSDP): every unit is gathered before its forward, again before its backward, and its
 * gradients are reduce-scattered after it, each micro-batch; weights that stay gathered (`reshardAfterForward` false) travel once
 * (Zhao et al. 2023, section 3.3). With copies of the shard group (HSDP) the reduced shards are averaged over these.
 */
export function shardedUnit(
  mesh: Mesh,
  parameters: RankParameters,
  strategy: Strategy,
  framework: Framework,
): ShardedUnit {
  const { shard, expertGradient } = mesh;
  const gatherSeconds = unitSeconds(shard, expertGradient, 'allGather', parameters, gatherBytes(strategy, framework));
  const bytes = reduceBytes(strategy, framework);
  return {
    gatherSeconds,
    againSeconds: strategy.reshardAfterForward ? gatherSeconds : 0,
    reduceSeconds:
      unitSeconds(shard, expertGradient, 'reduceScatter', parameters, bytes) +
      replicaReduction(mesh, parameters, bytes),
  };
}

function unitSeconds(
  dense: RankGroup,
  expert: RankGroup,
  kind: 'allGather' | 'reduceScatter',
  parameters: RankParameters,
  bytes: number,
): number {
  return (
    collectiveSeconds(dense, kind, parameters.dense * bytes) +
    collectiveSeconds(expert, kind, parameters.expert * bytes)
  );
}

/** HSDP: the reduced shards are averaged over the copies of the shard group. */
function replicaReduction(mesh: Mesh, parameters: RankParameters, bytes: number): number {
  if (mesh.replicate.ranks <= 1) return 0;
  return collectiveSeconds(mesh.replicate, 'allReduce', (parameters.dense * bytes) / mesh.shard.ranks);
}
