import type { Accelerator } from './accelerator.js';

/** Beyond `accelerators` neighbours the bandwidth per accelerator falls to `bandwidthFraction` of the node's NICs. */
export interface NetworkTier {
  readonly accelerators: number;
  /** 1 is full bisection; 1/7 is an oversubscription of 7:1. */
  readonly bandwidthFraction: number;
}

/** What it runs on, fully resolved. SI units; bandwidths per direction. */
export interface Cluster {
  readonly id: string;
  readonly name: string;
  readonly accelerator: Accelerator;
  /** Accelerators that share one host. */
  readonly acceleratorsPerNode: number;
  /** Accelerators that share a scale-up domain: 8 in a DGX, 72 in an NVL72, a whole slice of TPUs. */
  readonly scaleUpDomainSize: number;
  /** All scale-out NICs of one node together, one direction; 0 where nodes are not joined. */
  readonly nodeNetworkBytesPerSecond: number;
  /** Fraction of the NIC rate that large messages reach. */
  readonly networkEfficiency: number;
  /** One hop through the scale-out network. */
  readonly networkLatencySeconds: number;
  readonly topology: 'fat-tree' | 'rail-optimised' | 'dragonfly' | 'torus' | 'none';
  readonly tiers: readonly NetworkTier[];
  /** Largest number of accelerators it offers; 0 where unknown. */
  readonly maxAccelerators: number;
  /** Host time of launches, layers and steps here over what the framework's preset says; 1 where not calibrated. */
  readonly hostTimeFactor: number;
  /** Relative standard deviation of one rank's step here; 0 leaves it to the framework. */
  readonly jitter: number;
  readonly hostMemoryBytes: number;
  readonly nvmeBytes: number;
  readonly nvmeReadBytesPerSecond: number;
  readonly nvmeWriteBytesPerSecond: number;
  /** 0 where no price is known. */
  readonly dollarsPerAcceleratorHour: number;
  readonly priceDate: string;
  /** Average draw of a node per accelerator while training, hosts and switches included. */
  readonly wattsPerAccelerator: number;
  /** Facility power over IT power. */
  readonly powerUsageEffectiveness: number;
  readonly gramsCo2PerKwh: number;
}
