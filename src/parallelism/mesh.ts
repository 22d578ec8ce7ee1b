import type { Cluster } from '../hardware/cluster.js';
import { placeGroup, type RankGroup } from '../hardware/collectives/group.js';
import type { Degrees } from './degrees.js';

/**
 * Groups of ranks on the cluster, in Megatron's order: tensor fastest, then context, then data (experts within
 * context x data), pipeline slowest.
 */
export interface Mesh {
  readonly tensor: RankGroup;
  readonly context: RankGroup;
  readonly pipeline: RankGroup;
  /** Dense gradients and states: data x context ranks. */
  readonly gradient: RankGroup;
  /** Ranks that share one copy of the states; equals `gradient` unless HSDP. */
  readonly shard: RankGroup;
  /** Copies of a shard group (HSDP); one rank otherwise. */
  readonly replicate: RankGroup;
  readonly expert: RankGroup;
  readonly expertTensor: RankGroup;
  /** Replicas of an expert shard. */
  readonly expertGradient: RankGroup;
}

/** `networkShare`: what a framework's traffic reaches of the network between nodes (`Framework.networkShare`). */
export function makeMesh(cluster: Cluster, d: Degrees, networkShare: number): Mesh {
  const t = d.tensorParallel;
  const place = (ranks: number, stride: number): RankGroup => placeOn(cluster, ranks, stride, networkShare);
  const expertRanks = d.expertTensorParallel * d.expertParallel;
  return {
    tensor: place(t, 1),
    context: place(d.contextParallel, t),
    pipeline: neighbours(place, d.pipelineParallel, d.accelerators / d.pipelineParallel),
    gradient: place(d.gradientGroup, t),
    shard: place(d.shardGroup, t),
    replicate: place(d.gradientGroup / d.shardGroup, t * d.shardGroup),
    expert: place(d.expertParallel, d.expertTensorParallel),
    expertTensor: place(d.expertTensorParallel, 1),
    expertGradient: place(d.expertDataParallel, expertRanks),
  };
}

function placeOn(cluster: Cluster, ranks: number, stride: number, networkShare: number): RankGroup {
  const group = placeGroup(cluster, ranks, stride);
  return { ...group, scaleOutBytesPerSecond: group.scaleOutBytesPerSecond * networkShare };
}

/** A group whose ranks only talk to the next one: network tiers count over one hop, not over the whole group. */
function neighbours(place: (ranks: number, stride: number) => RankGroup, ranks: number, stride: number): RankGroup {
  const hop = place(Math.min(2, ranks), stride);
  return { ...place(ranks, stride), scaleOutBytesPerSecond: hop.scaleOutBytesPerSecond };
}
