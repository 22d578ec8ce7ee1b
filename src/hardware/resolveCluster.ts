import type { Accelerator } from './accelerator.js';
import type { Cluster } from './cluster.js';
import type { ClusterFile, ClusterInput } from './clusterSchema.js';
import { plainNumber } from './figure.js';

/** What stands in for figures that a description leaves out. Estimates where no source is named. */
const assumed = {
  /** nccl-tests #290: 46-48 of 50 GB/s per NDR NIC. */
  networkEfficiency: 0.92,
  /** NCCL 2.30.7 src/graph/tuning.cc: tree LL hop over the network. */
  networkLatencySeconds: 5e-6,
  /** Per accelerator: the 2 TB and 30 TB of a DGX H100 over 8, and one PCIe 4 drive each. */
  hostMemoryBytes: 256e9,
  nvmeBytes: 3.84e12,
  nvmeReadBytesPerSecond: 6.5e9,
  nvmeWriteBytesPerSecond: 4.5e9,
  /** Boards draw 0.85 of their limit in training; host, network and fans add half. */
  wattsOverBoard: 1.275,
  powerUsageEffectiveness: 1.2,
  gramsCo2PerKwh: 370,
} as const;

/** Accelerators whose domain is larger than any one host form it by rack or slice, however the hosts are cut. */
const largestHost = 16;

/** A description with its provenance stripped and its gaps filled from what the accelerator usually comes in. */
export function resolveCluster(input: ClusterFile | ClusterInput, accelerator: Accelerator): Cluster {
  const perNode = input.acceleratorsPerNode;
  const scaleUpDomainSize = input.scaleUpDomainSize ?? usualDomainSize(accelerator, perNode);
  return {
    id: input.id ?? 'inline',
    name: input.name ?? `${perNode} x ${accelerator.name} per node`,
    accelerator: rewired(accelerator, input.scaleUpTopology, scaleUpDomainSize),
    acceleratorsPerNode: perNode,
    scaleUpDomainSize,
    nodeNetworkBytesPerSecond: nodeNetwork(input, accelerator),
    networkEfficiency: plainNumber(input.networkEfficiency, assumed.networkEfficiency),
    networkLatencySeconds: plainNumber(input.networkLatencySeconds, assumed.networkLatencySeconds),
    topology: input.topology ?? 'fat-tree',
    tiers: (input.tiers ?? []).map(({ accelerators, bandwidthFraction }) => ({ accelerators, bandwidthFraction })),
    maxAccelerators: plainNumber(input.maxAccelerators, 0),
    hostTimeFactor: plainNumber(input.hostTimeFactor, 1),
    jitter: plainNumber(input.jitter, 0),
    hostMemoryBytes: plainNumber(input.hostMemoryBytes, assumed.hostMemoryBytes * perNode),
    nvmeBytes: plainNumber(input.nvmeBytes, assumed.nvmeBytes * perNode),
    nvmeReadBytesPerSecond: plainNumber(input.nvmeReadBytesPerSecond, assumed.nvmeReadBytesPerSecond * perNode),
    nvmeWriteBytesPerSecond: plainNumber(input.nvmeWriteBytesPerSecond, assumed.nvmeWriteBytesPerSecond * perNode),
    dollarsPerAcceleratorHour: plainNumber(input.dollarsPerAcceleratorHour, 0),
    priceDate: input.priceDate ?? '',
    wattsPerAccelerator: plainNumber(input.wattsPerAccelerator, accelerator.watts * assumed.wattsOverBoard),
    powerUsageEffectiveness: plainNumber(input.powerUsageEffectiveness, assumed.powerUsageEffectiveness),
    gramsCo2PerKwh: plainNumber(input.gramsCo2PerKwh, assumed.gramsCo2PerKwh),
  };
}

function usualDomainSize({ scaleUpDomainSize, scaleUpTopology }: Accelerator, perNode: number): number {
  if (scaleUpTopology === 'none') return 1;
  return scaleUpDomainSize > largestHost ? Math.max(perNode, scaleUpDomainSize) : perNode;
}

/** The accelerator as wired here: a mesh of four is narrower than the switch of eight that its preset describes. */
function rewired(
  accelerator: Accelerator,
  scaleUpTopology: Accelerator['scaleUpTopology'] = accelerator.scaleUpTopology,
  scaleUpDomainSize: number,
): Accelerator {
  // Reduction happens in a switch; a mesh has none.
  const scaleUpReduction = accelerator.scaleUpReduction && scaleUpTopology === 'switch';
  return { ...accelerator, scaleUpTopology, scaleUpDomainSize, scaleUpReduction };
}

function nodeNetwork(input: ClusterFile | ClusterInput, accelerator: Accelerator): number {
  if (input.nodeNetworkBytesPerSecond !== undefined) return plainNumber(input.nodeNetworkBytesPerSecond);
  if (input.nodeNetworkGbitPerSecond !== undefined) return (plainNumber(input.nodeNetworkGbitPerSecond) * 1e9) / 8;
  return accelerator.scaleOutBytesPerSecond * input.acceleratorsPerNode;
}
