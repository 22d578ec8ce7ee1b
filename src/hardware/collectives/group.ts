import type { Accelerator, CollectiveCurve, CollectiveKind } from '../accelerator.js';
import type { Cluster } from '../cluster.js';

/**
 * A group of ranks that communicate, placed on the cluster. `stride` is the distance of neighbours in global rank order;
 * with contiguous numbering of accelerators it decides how many members share a scale-up domain.
 */
export interface RankGroup {
  readonly ranks: number;
  /** Members in one scale-up domain. */
  readonly perDomain: number;
  /** Scale-up domains that the group touches. */
  readonly domains: number;
  /** Scale-out bandwidth of one member, one direction, tiers and oversubscription included. */
  readonly scaleOutBytesPerSecond: number;
  readonly cluster: Cluster;
}

export function placeGroup(cluster: Cluster, ranks: number, stride: number): RankGroup {
  const domain = cluster.scaleUpDomainSize;
  const fitting = Math.max(1, Math.floor(domain / Math.max(1, stride)));
  const perDomain = Math.min(ranks, fitting);
  const domains = Math.ceil(ranks / perDomain);
  const span = ranks * stride;
  let fraction = 1;
  for (const tier of cluster.tiers) if (span > tier.accelerators) fraction = Math.min(fraction, tier.bandwidthFraction);
  const nic = cluster.nodeNetworkBytesPerSecond / Math.max(1, cluster.acceleratorsPerNode);
  return {
    ranks,
    perDomain,
    domains,
    scaleOutBytesPerSecond: nic * cluster.networkEfficiency * fraction,
    cluster,
  };
}

/** Fraction of a scale-up link that a ring reaches where no measured curve is at hand (NCCL: 370 of 450 GB/s on H100). */
const unmeasuredLinkEfficiency = 0.8;
/** The same in a mesh, where a ring uses some links of each pair at a time (RCCL on MI300X: 313 of 448 GB/s at 8 ranks, 48 of 64 at 2). */
const meshLinkEfficiency = 0.7;

/** The curve whose number of ranks is nearest; undefined where nothing was measured. */
function nearestCurve(accelerator: Accelerator, kind: CollectiveKind, ranks: number): CollectiveCurve | undefined {
  let best: CollectiveCurve | undefined;
  for (const curve of accelerator.collectives[kind]) {
    if (best === undefined || Math.abs(curve.ranks - ranks) < Math.abs(best.ranks - ranks)) best = curve;
  }
  return best;
}

/** Share of a scale-up link that a group can use: all of it behind a switch, its own links in a mesh, its axes in a torus. */
function linkShare(accelerator: Accelerator, group: RankGroup): number {
  const { scaleUpTopology: topology, scaleUpDomainSize: domain } = accelerator;
  if (topology === 'mesh') return Math.min(1, (group.perDomain - 1) / Math.max(1, domain - 1));
  // A small group lies on one axis of the torus, a large one spreads over all of them.
  if (topology === 'torus-2d') return group.perDomain > 16 ? 1 : 1 / 2;
  if (topology === 'torus-3d') return group.perDomain > 64 ? 1 : group.perDomain > 8 ? 2 / 3 : 1 / 3;
  return 1;
}

/** Bus bandwidth (nccl-tests' definition) and latency of a collective inside one scale-up domain. */
export function scaleUpRate(
  group: RankGroup,
  kind: CollectiveKind,
  bytes: number,
): { readonly busBytesPerSecond: number; readonly latencySeconds: number } {
  const accelerator = group.cluster.accelerator;
  const curve = nearestCurve(accelerator, kind, group.perDomain);
  if (curve === undefined) {
    const efficiency = accelerator.scaleUpTopology === 'mesh' ? meshLinkEfficiency : unmeasuredLinkEfficiency;
    const link = accelerator.scaleUpBytesPerSecond * linkShare(accelerator, group) * efficiency;
    return { busBytesPerSecond: Math.max(link, 1), latencySeconds: ringLatencySeconds(group.perDomain) };
  }
  const ramp = 1 + (curve.halfBytes / Math.max(bytes, 1)) ** curve.power;
  const latencySeconds = curve.minimumSeconds * Math.max(1, group.perDomain / curve.ranks);
  return { busBytesPerSecond: curve.busBytesPerSecond / ramp, latencySeconds };
}

/** NCCL's low-latency ring: 6.6 us and 0.6 us a step (nccl 2.30 tuning.cc; reproduces H100 and H200 at 8 ranks). */
function ringLatencySeconds(ranks: number): number {
  return 6.6e-6 + 0.6e-6 * ranks;
}
