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

export interface DataParallelCost {
  /** On the link. */
  readonly totalSeconds: number;
  readonly exposedSeconds: number;
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

/** What a transfer adds to a step when it may run beside `window` seconds of compute, all but its last bucket. */
export function exposedBeside(transfer: number, window: number, tail: number, contention: number): number {
  const hidden = Math.min(Math.max(0, transfer - tail), window);
  return transfer - hidden + hidden * (contention - 1);
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

/** The mesh as data-parallel traffic of this framework sees it: its groups reach only a share of the network. */
function dataMesh(mesh: Mesh, { dataNetworkShare: share }: Framework): Mesh {
  if (share === 1) return mesh;
  const slowed = (group: RankGroup): RankGroup => ({
    ...group,
    scaleOutBytesPerSecond: group.scaleOutBytesPerSecond * share,
  });
  return {
    ...mesh,
    gradient: slowed(mesh.gradient),
    shard: slowed(mesh.shard),
    replicate: slowed(mesh.replicate),
    expertGradient: slowed(mesh.expertGradient),
  };
}

export function replicatedTraffic(
  wholeMesh: Mesh,
  parameters: RankParameters,
  strategy: Strategy,
  framework: Framework,
): ReplicatedTraffic {
  const mesh = dataMesh(wholeMesh, framework);
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

/** One unit of fully sharded training: a layer, or the embedding and head. */
export interface ShardedUnit {
  readonly count: number;
  readonly parameters: RankParameters;
  readonly forwardSeconds: number;
  readonly backwardSeconds: number;
}

/**
 * Fully sharded weights (zero-3, FSDP): every unit is gathered before its forward, again before its backward, and its
 * gradients are reduce-scattered after it, each micro-batch; weights that stay gathered (`reshardAfterForward` false) travel once. One unit is fetched ahead, so a unit's traffic hides behind
 * its neighbour's compute (Zhao et al. 2023, section 3.3). The first gather and the last reduction stay exposed.
 */
export function shardedCost(
  wholeMesh: Mesh,
  units: readonly ShardedUnit[],
  strategy: Strategy,
  framework: Framework,
  contention: number,
): DataParallelCost & ShardedExposure {
  const mesh = dataMesh(wholeMesh, framework);
  let totalSeconds = 0;
  let forwardSeconds = 0;
  let backwardSeconds = 0;
  let edgeSeconds = 0;
  for (const unit of units) {
    const gather = unitSeconds(
      mesh.shard,
      mesh.expertGradient,
      'allGather',
      unit.parameters,
      gatherBytes(strategy, framework),
    );
    const reduce =
      unitSeconds(mesh.shard, mesh.expertGradient, 'reduceScatter', unit.parameters, reduceBytes(strategy, framework)) +
      replicaReduction(mesh, unit.parameters, reduceBytes(strategy, framework));
    const again = strategy.reshardAfterForward ? gather : 0;
    totalSeconds += unit.count * (gather + again + reduce);
    const prefetched = strategy.overlapParameterGather ? unit.forwardSeconds : 0;
    const forward = exposedBeside(gather, prefetched, 0, contention);
    const backward = backwardExposure(again, reduce, unit.backwardSeconds, strategy, contention);
    forwardSeconds += unit.count * forward;
    backwardSeconds += unit.count * backward;
    // What the first gather and the last reduction had nothing to hide behind, as far as it is not exposed anyway.
    edgeSeconds = Math.max(edgeSeconds, Math.max(0, gather - forward) + Math.max(0, again + reduce - backward) / 2);
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

/** Backward traffic of a unit beside its neighbour's compute, as far as the strategy overlaps it. */
function backwardExposure(
  gather: number,
  reduce: number,
  compute: number,
  { overlapParameterGather, overlapGradientReduce }: Strategy,
  contention: number,
): number {
  const hideable = (overlapParameterGather ? gather : 0) + (overlapGradientReduce ? reduce : 0);
  return gather + reduce - hideable + exposedBeside(hideable, compute, 0, contention);
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
