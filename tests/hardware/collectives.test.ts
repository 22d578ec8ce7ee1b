import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Accelerator, CollectiveKind } from '../../src/hardware/accelerator.js';
import type { Cluster } from '../../src/hardware/cluster.js';
import { allToAllSeconds, collectiveSeconds, sendSeconds } from '../../src/hardware/collectives/collective.js';
import { placeGroup } from '../../src/hardware/collectives/group.js';
import { loadCluster } from '../../src/scenario/loadHardware.js';

const MiB = 2 ** 20;
const GB = 1e9;
const dgx = loadCluster('dgx-h100');

/** Bus bandwidth by nccl-tests' definition: 2 (n - 1) / n of the buffer for an all-reduce, (n - 1) / n for the others. */
function busGigabytes(cluster: Cluster, kind: CollectiveKind, ranks: number, bytes: number): number {
  const share = ((kind === 'allReduce' ? 2 : 1) * (ranks - 1)) / ranks;
  return (bytes * share) / collectiveSeconds(placeGroup(cluster, ranks, 1), kind, bytes) / GB;
}

/** Nodes of 8 with links so fast and latencies so low that only volume over the given rates is left. */
function ideal(change: Partial<Cluster> = {}): Cluster {
  const none = { allReduce: [], allGather: [], reduceScatter: [], allToAll: [] };
  const accelerator: Accelerator = { ...dgx.accelerator, scaleUpBytesPerSecond: 100 * GB, collectives: none };
  return {
    ...dgx,
    accelerator,
    nodeNetworkBytesPerSecond: 80 * GB,
    networkEfficiency: 1,
    networkLatencySeconds: 0,
    ...change,
  };
}

describe('where a group lies', () => {
  test('neighbours fill a domain, strides spread over domains', () => {
    expect(placeGroup(dgx, 8, 1)).toMatchObject({ ranks: 8, perDomain: 8, domains: 1 });
    expect(placeGroup(dgx, 16, 1)).toMatchObject({ perDomain: 8, domains: 2 });
    expect(placeGroup(dgx, 4, 2)).toMatchObject({ perDomain: 4, domains: 1 });
    expect(placeGroup(dgx, 8, 2)).toMatchObject({ perDomain: 4, domains: 2 });
    expect(placeGroup(dgx, 16, 8)).toMatchObject({ perDomain: 1, domains: 16 });
    expect(placeGroup(dgx, 16, 64)).toMatchObject({ perDomain: 1, domains: 16 });
  });

  test('an NVL72 rack keeps 64 neighbours together', () => {
    expect(placeGroup(loadCluster('gb200-nvl72'), 64, 1)).toMatchObject({ perDomain: 64, domains: 1 });
  });

  test('each member has its share of the NICs, less beyond a tier', () => {
    const narrow = ideal({ tiers: [{ accelerators: 64, bandwidthFraction: 0.25 }] });
    expect(placeGroup(narrow, 8, 8).scaleOutBytesPerSecond).toBe(10 * GB);
    expect(placeGroup(narrow, 9, 8).scaleOutBytesPerSecond).toBe(2.5 * GB);
  });
});

describe('volumes of a ring', () => {
  const bytes = 1e12;
  const link = 0.8 * 100 * GB;

  test.each([2, 4, 8])('inside a domain of %i: (n - 1) / n of the buffer, twice for an all-reduce', (n) => {
    const group = placeGroup(ideal(), n, 1);
    const once = (((n - 1) / n) * bytes) / link;
    expect(collectiveSeconds(group, 'allGather', bytes) / once).toBeCloseTo(1, 9);
    expect(collectiveSeconds(group, 'reduceScatter', bytes) / once).toBeCloseTo(1, 9);
    expect(collectiveSeconds(group, 'allReduce', bytes) / (2 * once)).toBeCloseTo(1, 9);
  });

  test('across domains all members use their NICs at once, at most as fast as the links inside', () => {
    // Two ranks a node: 2 x 10 GB/s of NICs are less than the link.
    const two = placeGroup(ideal(), 8, 4);
    expect(collectiveSeconds(two, 'allGather', 1e15) / (((7 / 8) * 1e15) / (20 * GB))).toBeCloseTo(1, 2);
    // Eight a node reach the NICs of all; with a ten times faster network the link inside limits.
    const fast = placeGroup(ideal({ nodeNetworkBytesPerSecond: 800 * GB }), 16, 1);
    expect(collectiveSeconds(fast, 'allGather', 1e15) / (((15 / 16) * 1e15) / link)).toBeCloseTo(1, 2);
  });

  test('an all-to-all sends only what leaves: (n - k) / n through the NIC, the rest inside', () => {
    const group = placeGroup(ideal(), 16, 1);
    const outside = (bytes * 8) / 16 / (10 * GB);
    expect(allToAllSeconds(group, bytes, 1) / outside).toBeCloseTo(1, 6);
    // A dispatcher that sends a token once per node moves a part of it.
    expect(allToAllSeconds(group, bytes, 0.25) / (outside / 4)).toBeCloseTo(1, 6);
  });

  test('one rank, or nothing to send, takes no time', () => {
    expect(collectiveSeconds(placeGroup(dgx, 1, 1), 'allReduce', 1e9)).toBe(0);
    expect(collectiveSeconds(placeGroup(dgx, 8, 1), 'allReduce', 0)).toBe(0);
    expect(sendSeconds(placeGroup(dgx, 1, 1), 1e9)).toBe(0);
  });
});

/** NCCL 2.29.2 on 8 H100, aiconfigurator@095f58a; bus bandwidth in GB/s at sizes in MiB. */
describe('8 H100 in one node as measured', () => {
  test.each([
    { kind: 'allReduce', mebibytes: 512, measured: 445 },
    { kind: 'allReduce', mebibytes: 128, measured: 405.9 },
    { kind: 'allReduce', mebibytes: 32, measured: 293.9 },
    { kind: 'allReduce', mebibytes: 8, measured: 186 },
    { kind: 'allGather', mebibytes: 512, measured: 335.2 },
    { kind: 'allGather', mebibytes: 32, measured: 234 },
    { kind: 'reduceScatter', mebibytes: 512, measured: 335.7 },
    { kind: 'reduceScatter', mebibytes: 32, measured: 263.8 },
    { kind: 'allToAll', mebibytes: 512, measured: 315.2 },
    { kind: 'allToAll', mebibytes: 32, measured: 235.1 },
  ] as const)('$kind of $mebibytes MiB: $measured GB/s', ({ kind, mebibytes, measured }) => {
    expect(Math.abs(busGigabytes(dgx, kind, 8, mebibytes * MiB) / measured - 1)).toBeLessThan(0.1);
  });

  test('small messages take their latency: 15.6 us for an all-reduce, 10 us for a gather', () => {
    const group = placeGroup(dgx, 8, 1);
    expect(collectiveSeconds(group, 'allReduce', 512)).toBeCloseTo(15.6e-6, 6);
    expect(collectiveSeconds(group, 'allGather', 512)).toBeCloseTo(10.1e-6, 6);
  });
});

/**
 * All-reduce over nodes of 8 H100 with 8 x 400 Gbit/s: bus bandwidth in GB/s by MiB, digitised to 5 % from the NCCL scans of
 * arXiv 2411.13055 (`inter_node_all_reduce`). Up to 16 MiB the choice of protocol makes single curves jump, by 30 % at 64 nodes.
 */
test.each([
  {
    nodes: 4,
    points: [
      [16, 114],
      [64, 217],
      [256, 275],
      [1024, 337],
      [16384, 360],
    ],
  },
  {
    nodes: 16,
    points: [
      [16, 72],
      [64, 162],
      [256, 265],
      [1024, 322],
      [16384, 354],
    ],
  },
  {
    nodes: 64,
    points: [
      [16, 45],
      [64, 136],
      [256, 247],
      [1024, 304],
      [16384, 349],
    ],
  },
  {
    nodes: 512,
    points: [
      [16, 40],
      [64, 112],
      [256, 220],
      [1024, 286],
      [16384, 346],
    ],
  },
] as const)('all-reduce over $nodes nodes of H100: digitised curve within 15 %', ({ nodes, points }) => {
  for (const [mebibytes, measured] of points) {
    const predicted = busGigabytes(dgx, 'allReduce', 8 * nodes, mebibytes * MiB);
    expect(Math.abs(predicted / measured - 1), `${mebibytes} MiB: ${predicted} GB/s`).toBeLessThan(
      mebibytes > 16 ? 0.15 : 0.3,
    );
  }
});

/** DGX A100 with 8 x 200 Gbit/s reaches 192 GB/s (NVIDIA, GTC 2024 S62129). */
test('A100: 192 GB/s between nodes, about 230 within', () => {
  const a100 = loadCluster('dgx-a100');
  expect(Math.abs(busGigabytes(a100, 'allReduce', 256, 16384 * MiB) / 192 - 1)).toBeLessThan(0.05);
  expect(Math.abs(busGigabytes(a100, 'allReduce', 8, 1024 * MiB) / 229 - 1)).toBeLessThan(0.05);
});

test('sends: NVLink inside a node, a NIC share between nodes', () => {
  expect(1e9 / sendSeconds(placeGroup(dgx, 2, 1), 1e9) / GB).toBeCloseTo(0.83 * 450, -1);
  expect(1e9 / sendSeconds(placeGroup(dgx, 2, 8), 1e9) / GB).toBeCloseTo(0.94 * 50, 0);
});

test('more bytes never take less time, and more ranks never less for the same buffer between nodes', () => {
  const kinds = fc.constantFrom<CollectiveKind>('allReduce', 'allGather', 'reduceScatter', 'allToAll');
  const clusters = fc
    .constantFrom('dgx-h100', 'dgx-a100', 'gb200-nvl72', 'gcp-tpu-v5p', 'azure-nd-mi300x', 'dgx1v')
    .map(loadCluster);
  const powers = (most: number) => fc.integer({ min: 0, max: most }).map((n) => 2 ** n);
  fc.assert(
    fc.property(
      kinds,
      clusters,
      powers(10),
      powers(6),
      fc.integer({ min: 1, max: 1e10 }),
      (kind, cluster, ranks, stride, bytes) => {
        const group = placeGroup(cluster, ranks, stride);
        const seconds = collectiveSeconds(group, kind, bytes);
        expect(Number.isFinite(seconds)).toBe(true);
        expect(seconds).toBeGreaterThanOrEqual(0);
        expect(collectiveSeconds(group, kind, 2 * bytes)).toBeGreaterThanOrEqual(seconds);
        const apart = placeGroup(cluster, ranks, cluster.scaleUpDomainSize);
        const more = placeGroup(cluster, 2 * ranks, cluster.scaleUpDomainSize);
        expect(collectiveSeconds(more, kind, bytes)).toBeGreaterThanOrEqual(collectiveSeconds(apart, kind, bytes));
      },
    ),
    { numRuns: 1000 },
  );
});

describe('a ring over many ranks', () => {
  /** NCCL's tuning table: 14 us from node to node, 3.4 us over NVLink. */
  test.each(['allGather', 'reduceScatter'] as const)('%s of a few bytes: its hops', (kind) => {
    for (const [ranks, hops] of [
      [64, 7 * 14e-6 + 56 * 3.4e-6],
      [4096, 511 * 14e-6 + 3584 * 3.4e-6],
    ] as const) {
      const seconds = collectiveSeconds(placeGroup(dgx, ranks, 1), kind, 1);
      expect(seconds).toBeGreaterThan(hops);
      // The ramp of a tiny message is all that is left.
      expect(seconds).toBeLessThan(1.1 * hops);
    }
  });

  test('an all-reduce takes a tree instead', () => {
    const few = collectiveSeconds(placeGroup(dgx, 16, 1), 'allReduce', 1);
    expect(collectiveSeconds(placeGroup(dgx, 4096, 1), 'allReduce', 1)).toBeLessThan(20 * few);
  });
});
