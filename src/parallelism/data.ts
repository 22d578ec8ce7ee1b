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

/** What data-parallel traffic can hide behind. */
export interface OverlapWindow {
  /** Backward compute that runs while the step's last gradients become ready. */
  readonly backwardSeconds: number;
  /** First forward pass, beside which parameters are gathered. */
  readonly forwardSeconds: number;
}

export interface DataParallelCost {
  /** On the link. */
  readonly totalSeconds: number;
  readonly exposedSeconds: number;
}

/** Bytes per parameter of the weights that travel: what the GEMMs read. */
export function gatherBytes(strategy: Strategy): number {
  return strategy.precision === 'fp32' || strategy.precision === 'tf32' ? 4 : 2;
}

function reduceBytes(strategy: Strategy, framework: Framework): number {
  return strategy.gradientDtype === 'fp32' ? framework.gradientReduceBytes : 2;
}

/** What a transfer adds to a step when it may run beside `window` seconds of compute, all but its last bucket. */
export function exposedBeside(transfer: number, window: number, tail: number, contention: number): number {
  const hidden = Math.min(Math.max(0, transfer - tail), window);
  return transfer - hidden + hidden * (contention - 1);
}

/**
 * Replicated weights (ddp, zero-1, zero-2): gradients are reduced once a step (in DeepSpeed's zero-2 once a micro-batch),
 * weights gathered once with zero-1 and zero-2 (Rajbhandari et al. 2020, section 7).
 */
export function replicatedCost(
  mesh: Mesh,
  parameters: RankParameters,
  strategy: Strategy,
  framework: Framework,
  window: OverlapWindow,
  microBatches: number,
  contention: number,
): DataParallelCost {
  const { reduceSeconds, gatherSeconds, reductions, tailShare } = replicatedTraffic(
    mesh,
    parameters,
    strategy,
    framework,
    microBatches,
  );
  const reduceExposed = strategy.overlapGradientReduce
    ? exposedBeside(reduceSeconds, window.backwardSeconds, reduceSeconds * tailShare, contention)
    : reduceSeconds;
  const gatherExposed = strategy.overlapParameterGather
    ? exposedBeside(gatherSeconds, window.forwardSeconds, gatherSeconds * tailShare, contention)
    : gatherSeconds;
  return {
    totalSeconds: reduceSeconds * reductions + gatherSeconds,
    exposedSeconds: reduceExposed * reductions + gatherExposed,
  };
}

/** Data-parallel traffic of replicated weights before any overlap. */
export interface ReplicatedTraffic {
  /** One reduction of all gradients. */
  readonly reduceSeconds: number;
  /** One gather of all weights; 0 with ddp. */
  readonly gatherSeconds: number;
  /** Reductions in a step. */
  readonly reductions: number;
  /** The last bucket's share of the traffic. */
  readonly tailShare: number;
}

export function replicatedTraffic(
  mesh: Mesh,
  parameters: RankParameters,
  strategy: Strategy,
  framework: Framework,
  microBatches: number,
): ReplicatedTraffic {
  const sharded = strategy.dataSharding !== 'ddp';
  const gradientBytes = reduceBytes(strategy, framework);
  const kind = sharded && !framework.gradientAllReduce ? 'reduceScatter' : 'allReduce';
  const reduceSeconds =
    collectiveSeconds(mesh.gradient, kind, parameters.dense * gradientBytes) +
    collectiveSeconds(mesh.expertGradient, kind, parameters.expert * gradientBytes);
  const everyMicroBatch = framework.id === 'deepspeed' && strategy.dataSharding === 'zero-2';
  const gatherSeconds = sharded
    ? collectiveSeconds(mesh.gradient, 'allGather', parameters.dense * gatherBytes(strategy)) +
      collectiveSeconds(mesh.expertGradient, 'allGather', parameters.expert * gatherBytes(strategy))
    : 0;
  const size = (parameters.dense + parameters.expert) * gradientBytes;
  const tailShare = Math.min(1, framework.gradientBucketBytes / Math.max(1, size));
  return { reduceSeconds, gatherSeconds, reductions: everyMicroBatch ? microBatches : 1, tailShare };
}

/** One unit of fully sharded training: a layer, or the embedding and head. */
export interface ShardedUnit {
  readonly count: number;
  readonly parameters: RankParameters;
  readonly forwardSeconds: number;
  readonly backwardSeconds: number;
}

/**
 * Fully sharded weights (zero-3, FSDP): every unit is gathered before its forward, again before its backward, and its
 * gradients are reduce-scattered after it, each micro-batch. One unit is fetched ahead, so a unit's traffic hides behind
 * its neighbour's compute (Zhao et al. 2023, section 3.3). The first gather and the last reduction stay exposed.
 */
export function shardedCost(
  mesh: Mesh,
  units: readonly ShardedUnit[],
  strategy: Strategy,
  framework: Framework,
  contention: number,
): DataParallelCost & ShardedExposure {
  let totalSeconds = 0;
  let forwardSeconds = 0;
  let backwardSeconds = 0;
  let edgeSeconds = 0;
  for (const unit of units) {
    const gather = unitSeconds(mesh.shard, mesh.expertGradient, 'allGather', unit.parameters, gatherBytes(strategy));
    const reduce =
      unitSeconds(mesh.shard, mesh.expertGradient, 'reduceScatter', unit.parameters, reduceBytes(strategy, framework)) +
      replicaReduction(mesh, unit.parameters, reduceBytes(strategy, framework));
    totalSeconds += unit.count * (2 * gather + reduce);
    forwardSeconds += unit.count * exposedBeside(gather, unit.forwardSeconds, 0, contention);
    backwardSeconds += unit.count * exposedBeside(gather + reduce, unit.backwardSeconds, 0, contention);
    edgeSeconds = Math.max(edgeSeconds, gather + reduce);
  }
  const exposedSeconds = forwardSeconds + backwardSeconds + edgeSeconds;
  return { totalSeconds, exposedSeconds, forwardSeconds, backwardSeconds, edgeSeconds };
}

/** Exposed traffic of fully sharded units by pass: within forward, within backward, and at the ends where nothing hides it. */
export interface ShardedExposure {
  readonly forwardSeconds: number;
  readonly backwardSeconds: number;
  readonly edgeSeconds: number;
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
