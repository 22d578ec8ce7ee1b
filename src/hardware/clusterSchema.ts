import { z } from 'zod';
import { once } from '../quantity/once.js';
import type { Dimension } from '../quantity/units.js';
import { acceleratorInputSchema, scaleUpTopologies } from './acceleratorSchema.js';
import { givenFigure, provenance, sourcedFigure } from './figure.js';

export { resolveCluster } from './resolveCluster.js';

const positive = z.int().positive();

const tierSchema = () =>
  z.strictObject({
    accelerators: positive.describe('Neighbours within which the network is at full bandwidth.'),
    bandwidthFraction: z.number().positive().max(1).describe('What is left beyond: 0.5 is 2:1 oversubscription.'),
    ...provenance,
  });

/** One description for presets and run files; only the way a number is written differs. */
function clusterFields<F extends z.ZodType>(figure: (dimension: Dimension) => F) {
  return {
    id: z.string().min(1).optional(),
    name: z.string().min(1).optional(),
    network: z.string().optional().describe('The network in free words, for the reader; ignored.'),
    note: z.string().optional().describe('Free words, ignored.'),
    acceleratorsPerNode: positive.describe('Accelerators that share one host.'),
    scaleUpDomainSize: positive
      .optional()
      .describe('Accelerators that share a scale-up domain. Default: the node; the rack or slice of an NVL72 or TPU.'),
    scaleUpTopology: z.enum(scaleUpTopologies).optional().describe("Wiring of the domain. Default: the accelerator's."),
    nodeNetworkGbitPerSecond: figure('count')
      .optional()
      .describe(
        "All NICs of a node, one direction, in Gbit/s. Default: the accelerator's usual NIC, times those of a node.",
      ),
    nodeNetworkBytesPerSecond: figure('bytesPerSecond').optional().describe('The same, such as 3200 Gbit/s.'),
    networkEfficiency: figure('ratio').optional().describe('What large messages reach of it. Default: 0.92.'),
    networkLatencySeconds: figure('seconds').optional().describe('One hop. Default: 5 us.'),
    topology: z
      .enum(['fat-tree', 'rail-optimised', 'dragonfly', 'torus', 'none'])
      .optional()
      .describe('Default: fat-tree.'),
    tiers: z.array(tierSchema()).optional().describe('Where the network narrows. Default: nowhere.'),
    maxAccelerators: figure('count').optional().describe('Largest number it offers. Default: unknown.'),
    hostTimeFactor: figure('count')
      .optional()
      .describe("Host time of launches, layers and steps over the framework's. Default: 1."),
    jitter: figure('ratio').optional().describe("Relative spread of one rank's step. Default: the framework's."),
    hostMemoryBytes: figure('bytes').optional().describe('Of one node. Default: 256 GB per accelerator.'),
    nvmeBytes: figure('bytes').optional().describe('Of one node. Default: 3.84 TB per accelerator.'),
    nvmeReadBytesPerSecond: figure('bytesPerSecond')
      .optional()
      .describe('Of one node. Default: 6.5 GB/s per accelerator.'),
    nvmeWriteBytesPerSecond: figure('bytesPerSecond')
      .optional()
      .describe('Of one node. Default: 4.5 GB/s per accelerator.'),
    dollarsPerAcceleratorHour: figure('dollarsPerHour').optional().describe('Default: unknown.'),
    priceDate: z.string().optional(),
    wattsPerAccelerator: figure('watts').optional().describe('Average draw, host included. Default: 1.3 x the board.'),
    powerUsageEffectiveness: figure('count').optional().describe('Facility over IT power. Default: 1.2.'),
    gramsCo2PerKwh: figure('count').optional().describe('Of the grid. Default: 370, the United States.'),
  };
}

/** A cluster written out in a run file; `{ accelerator, acceleratorsPerNode }` is enough. Made when one is. */
export const clusterInputSchema = z.lazy(
  once(() =>
    z.strictObject({
      accelerator: z.union([z.string().min(1), acceleratorInputSchema]).describe('A preset or an inline accelerator.'),
      ...clusterFields(givenFigure),
    }),
  ),
);

/** A file of presets/clusters/. */
export const clusterFileSchema = once(() =>
  z.strictObject({
    accelerator: z.string().min(1).describe('An accelerator preset.'),
    ...clusterFields(sourcedFigure),
    id: z.string().min(1),
    name: z.string().min(1),
    aliases: z.array(z.string().min(1)).optional(),
    sources: z.record(z.string(), z.string().min(1)),
  }),
);

export type ClusterInput = z.output<typeof clusterInputSchema>;
export type ClusterFile = z.output<ReturnType<typeof clusterFileSchema>>;
