import type { CollectiveKind } from '../accelerator.js';
import { type RankGroup, scaleUpRate } from './group.js';

/** nccl-tests' factor from algorithm to bus bandwidth: bytes each rank moves over the bytes of the buffer. */
function busFactor(kind: CollectiveKind, ranks: number): number {
  return kind === 'allReduce' ? (2 * (ranks - 1)) / ranks : (ranks - 1) / ranks;
}

/**
 * Time that a collective over scale-out needs before its bandwidth is reached, fitted on digitised NCCL all-reduce curves
 * of 4 to 1,024 nodes of 8 H100 (hardware data, `inter_node_all_reduce`: half of the peak at 37 MB x nodes^0.277, 360 GB/s,
 * exponent 0.85; rms 3 to 7 %).
 */
const scaleOutRampSeconds = 37e6 / 360e9;
const scaleOutRampGrowth = 0.277;
const scaleOutRampPower = 0.85;

/**
 * Seconds of one collective. `bytes` is the whole buffer: the result of an all-gather, the input of a reduce-scatter or an
 * all-reduce, what one rank sends in an all-to-all.
 *
 * Inside a domain the measured curve decides. Across domains a ring (or a tree, for large groups alike in bandwidth) runs
 * through the NICs of all members of a domain at once, so its bus bandwidth is that of `perDomain` NICs, at most the
 * scale-up ring's; it ramps with the message.
 */
export function collectiveSeconds(group: RankGroup, kind: CollectiveKind, bytes: number): number {
  if (group.ranks <= 1 || bytes <= 0) return 0;
  if (kind === 'allToAll') return allToAllSeconds(group, bytes, 1);
  const inside = scaleUpRate(group, kind, bytes);
  const volume = bytes * busFactor(kind, group.ranks);
  if (group.domains <= 1) return Math.max(inside.latencySeconds, volume / inside.busBytesPerSecond);
  const largeMessages = scaleUpRate(group, kind, 1e12).busBytesPerSecond;
  const wire = group.scaleOutBytesPerSecond * group.perDomain;
  const bus = group.perDomain > 1 ? Math.min(wire, largeMessages) : wire;
  if (bus <= 0) return unreachableSeconds;
  const halfBytes = bus * scaleOutRampSeconds * group.domains ** scaleOutRampGrowth;
  const ramp = 1 + (halfBytes / bytes) ** scaleOutRampPower;
  const latency = kind === 'allReduce' ? group.cluster.networkLatencySeconds : ringSeconds(group);
  return (volume / bus) * ramp + latency;
}

/**
 * What the hops of a ring cost across domains: an all-gather or reduce-scatter has no tree to take instead, so that its latency
 * grows with the ranks (NCCL 2.30 tuning.cc: 14 us from node to node and 3.4 us over NVLink, protocol Simple).
 */
function ringSeconds({ ranks, domains }: RankGroup): number {
  return (domains - 1) * scaleOutHopSeconds + (ranks - domains) * scaleUpHopSeconds;
}

const scaleOutHopSeconds = 14e-6;
const scaleUpHopSeconds = 3.4e-6;

/** Stands for "these ranks are not joined": large, finite, and found by the feasibility check first. */
const unreachableSeconds = 1e9;

/**
 * Seconds of an all-to-all in which each rank sends `bytes`, evenly to all. Traffic inside the domain and through the NICs
 * runs at the same time. The shares are below 1 where a token goes only once to each rank and to each domain (DeepEP).
 */
export function allToAllSeconds(group: RankGroup, bytes: number, scaleOutShare: number, scaleUpShare = 1): number {
  if (group.ranks <= 1 || bytes <= 0) return 0;
  const inside = scaleUpRate(group, 'allToAll', bytes);
  const insideBytes = ((bytes * (group.perDomain - 1)) / group.ranks) * scaleUpShare;
  const insideSeconds = insideBytes / inside.busBytesPerSecond;
  if (group.domains <= 1) return Math.max(inside.latencySeconds, insideSeconds);
  const outsideBytes = ((bytes * (group.ranks - group.perDomain)) / group.ranks) * scaleOutShare;
  if (group.scaleOutBytesPerSecond <= 0) return unreachableSeconds;
  const outsideSeconds = outsideBytes / group.scaleOutBytesPerSecond;
  return Math.max(insideSeconds, outsideSeconds) + group.cluster.networkLatencySeconds * Math.log2(group.domains + 1);
}

/**
 * Seconds to send `bytes` to the next rank of the group. Where the group crosses scale-up domains some hop does, and the ranks move in
 * step with the slowest.
 */
export function sendSeconds(group: RankGroup, bytes: number): number {
  if (group.ranks <= 1 || bytes <= 0) return 0;
  const cluster = group.cluster;
  if (group.domains <= 1) {
    const { scaleUpBytesPerSecond: link, scaleUpTopology, scaleUpDomainSize } = cluster.accelerator;
    const pair = scaleUpTopology === 'mesh' ? link / Math.max(1, scaleUpDomainSize - 1) : link;
    return bytes / (pair * pointToPointEfficiency) + scaleUpSendLatencySeconds;
  }
  if (group.scaleOutBytesPerSecond <= 0) return unreachableSeconds;
  return bytes / group.scaleOutBytesPerSecond + scaleOutSendLatencySeconds;
}

/** One NVLink peer reaches 83 to 91 % of the link (hardware data, `p2p_nvlink`). */
const pointToPointEfficiency = 0.83;
/** NCCL send/receive latencies, `recommended_models.p2p`. */
const scaleUpSendLatencySeconds = 10e-6;
const scaleOutSendLatencySeconds = 15e-6;
