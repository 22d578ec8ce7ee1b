import { describe, expect, test } from 'vitest';
import { clusterInputSchema } from '../../src/hardware/clusterSchema.js';
import { loadCluster } from '../../src/scenario/loadHardware.js';

const inline = (cluster: unknown) => loadCluster(clusterInputSchema.parse(cluster));

describe('an inline cluster', () => {
  test('needs no more than accelerator and node', () => {
    const c = inline({ accelerator: 'h100-sxm-80', acceleratorsPerNode: 8 });
    expect(c).toMatchObject({
      scaleUpDomainSize: 8,
      nodeNetworkBytesPerSecond: 400e9,
      networkEfficiency: 0.92,
      topology: 'fat-tree',
      tiers: [],
    });
  });

  test('takes the network in Gbit/s per node, one direction, and free words about it', () => {
    const c = inline({
      accelerator: 'a100-sxm-80',
      acceleratorsPerNode: 8,
      nodeNetworkGbitPerSecond: 1600,
      network: '8x200Gb/s HDR',
    });
    expect(c.nodeNetworkBytesPerSecond).toBe(200e9);
  });

  test('takes quantities with units', () => {
    const c = inline({
      accelerator: 'h100',
      acceleratorsPerNode: 4,
      nodeNetworkBytesPerSecond: '1600 Gbit/s',
      hostMemoryBytes: '1 TiB',
      dollarsPerAcceleratorHour: '2.5 $/h',
    });
    expect(c).toMatchObject({
      nodeNetworkBytesPerSecond: 200e9,
      hostMemoryBytes: 2 ** 40,
      dollarsPerAcceleratorHour: 2.5,
      scaleUpDomainSize: 4,
    });
  });

  test.each([
    ['gb200-186', 4, 72, 200e9],
    ['gb300-288', 4, 72, 400e9],
    ['b300-288', 8, 8, 800e9],
    ['tpu-v5e', 4, 256, 25e9],
    ['tpu-v5p', 4, 8960, 25e9],
    ['v100-sxm3-32', 16, 16, 100e9],
    ['mi355x', 8, 8, 400e9],
  ])('of %s comes with its usual domain and NICs', (accelerator, acceleratorsPerNode, domain, network) => {
    const c = inline({ accelerator, acceleratorsPerNode });
    expect(c.scaleUpDomainSize).toBe(domain);
    expect(c.nodeNetworkBytesPerSecond).toBe(network);
  });

  test('may write out its accelerator', () => {
    const c = inline({
      accelerator: {
        name: 'mine',
        peakFlopsPerSecond: { bf16: '400 TFLOP/s' },
        memoryBytes: '64 GiB',
        memoryBytesPerSecond: '2 TB/s',
      },
      acceleratorsPerNode: 2,
    });
    expect(c.accelerator).toMatchObject({ name: 'mine', memoryBytes: 64 * 2 ** 30, memoryBytesPerSecond: 2e12 });
    expect(c.scaleUpDomainSize).toBe(1);
  });

  test('is refused with a misspelt key, a node of nothing, or an accelerator without a peak', () => {
    const node = { accelerator: 'h100', acceleratorsPerNode: 8 };
    expect(clusterInputSchema.safeParse({ ...node, nodeNetworkGbit: 1 }).success).toBe(false);
    expect(clusterInputSchema.safeParse({ ...node, acceleratorsPerNode: 0 }).success).toBe(false);
    expect(clusterInputSchema.safeParse({ acceleratorsPerNode: 8 }).success).toBe(false);
    const noPeak = { peakFlopsPerSecond: { fp32: 1e12 }, memoryBytes: 1e9, memoryBytesPerSecond: 1e9 };
    expect(clusterInputSchema.safeParse({ ...node, accelerator: noPeak }).success).toBe(false);
  });
});
