import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { acceleratorFileSchema, resolveAccelerator } from '../../src/hardware/acceleratorSchema.js';
import { clusterFileSchema } from '../../src/hardware/clusterSchema.js';
import { figureKinds } from '../../src/hardware/figure.js';
import { loadAccelerator, loadCluster } from '../../src/scenario/loadHardware.js';
import { listPresets, readPreset } from '../../src/scenario/presetFiles.js';

const accelerators = listPresets('accelerators');
const clusters = listPresets('clusters');

/** Every number, or object that holds numbers directly, with its key path. */
function figuresOf(value: unknown, path: string): { path: string; data: Record<string, unknown> | number }[] {
  if (typeof value === 'number') return [{ path, data: value }];
  if (typeof value !== 'object' || value === null) return [];
  if ('source' in value || 'kind' in value) return [{ path, data: { ...value } }];
  return Object.entries(value).flatMap(([key, part]) => figuresOf(part, `${path}.${key}`));
}

/** Structure, not physics: counts and years need no source. */
const structure = /\.(year|scaleUpDomainSize|acceleratorsPerNode)$/;

function unsourced(kind: 'accelerators' | 'clusters', id: string): string[] {
  const { data } = readPreset(kind, id);
  const sources = Object.keys((data as { sources: object }).sources);
  const used = new Set<string>();
  const wrong = figuresOf(data, id).filter(({ path, data: figure }) => {
    if (typeof figure === 'number') return !structure.test(path);
    used.add(String(figure.source));
    return !sources.includes(String(figure.source)) || !figureKinds.some((word) => word === figure.kind);
  });
  return [...wrong.map(({ path }) => path), ...sources.filter((key) => !used.has(key)).map((key) => `unused: ${key}`)];
}

describe('every accelerator preset', () => {
  test.each(accelerators)('%s parses and says where each figure comes from', (id) => {
    const { data } = readPreset('accelerators', id);
    expect(acceleratorFileSchema().safeParse(data).error?.issues ?? []).toEqual([]);
    expect(unsourced('accelerators', id)).toEqual([]);
  });

  test.each(accelerators)('%s is plausible', (id) => {
    const a = loadAccelerator(id);
    const peaks = a.peakFlopsPerSecond;
    const sixteenBit = Math.max(peaks.bf16, peaks.fp16);
    expect(a.id).toBe(id);
    expect(sixteenBit).toBeGreaterThan(10e12);
    expect(peaks.fp32).toBeLessThanOrEqual(sixteenBit);
    if (peaks.fp8 > 0) expect(peaks.fp8).toBeGreaterThanOrEqual(peaks.bf16);
    if (peaks.fp4 > 0) expect(peaks.fp4).toBeGreaterThanOrEqual(peaks.fp8);
    expect(a.usableMemoryBytes).toBeLessThanOrEqual(a.memoryBytes);
    expect(a.usableMemoryBytes).toBeGreaterThan(0.9 * a.memoryBytes);
    expect(a.memoryEfficiency).toBeLessThanOrEqual(1);
    expect(a.overlapContention).toBeGreaterThanOrEqual(1);
    expect(a.hostBytesPerSecond).toBeGreaterThan(1e9);
    expect(JSON.stringify(a)).not.toContain('null');
  });

  test.each(accelerators)('%s has curves that rise and stay below what the link and the peak allow', (id) => {
    const a = loadAccelerator(id);
    for (const { points } of a.attention) expect(isAscending(points)).toBe(true);
    expect(isAscending(a.groupedGemm)).toBe(true);
    for (const curves of Object.values(a.collectives)) {
      // NVLS doubles what an all-reduce seems to move.
      for (const { busBytesPerSecond } of curves)
        expect(busBytesPerSecond).toBeLessThan(1.15 * a.scaleUpBytesPerSecond);
    }
  });
});

function isAscending(points: readonly (readonly [number, number])[]): boolean {
  return points.every(([x, y], i) => {
    const before = points[i - 1];
    return before === undefined || (x > before[0] && y >= before[1]);
  });
}

describe('figures against the sheets', () => {
  test('H100 SXM', () => {
    const h100 = loadAccelerator('h100');
    expect(h100.peakFlopsPerSecond).toMatchObject({ bf16: 989.5e12, fp8: 1979e12, fp4: 0 });
    expect(h100.memoryBytesPerSecond).toBe(3.35e12);
    expect(h100.memoryBytes).toBe(80 * 2 ** 30);
    expect(h100.scaleUpBytesPerSecond).toBe(450e9);
    expect(h100.multiprocessors).toBe(132);
  });

  test('A100 SXM: NVLink 3 is 300 GB/s in one direction', () => {
    const a100 = loadAccelerator('a100-sxm-80');
    expect(a100.scaleUpBytesPerSecond).toBe(300e9);
    expect(a100.peakFlopsPerSecond).toMatchObject({ bf16: 312e12, tf32: 156e12, fp8: 0 });
    expect(a100.usableMemoryBytes / 2 ** 30).toBeCloseTo(79.15, 2);
    expect(a100.overlapContention).toBe(1.126);
  });

  test('V100 has fp16 and no bf16', () => {
    expect(loadAccelerator('v100-sxm3-32').peakFlopsPerSecond).toMatchObject({ fp16: 125e12, bf16: 0 });
  });

  test('the parts cut for export keep the chip and lose links', () => {
    expect(loadAccelerator('h800').peakFlopsPerSecond).toEqual(loadAccelerator('h100').peakFlopsPerSecond);
    expect(loadAccelerator('h800').scaleUpBytesPerSecond).toBe(200e9);
  });

  test("torchtitan's H100 has 96 GB at 2.4 TB/s and 500 W", () => {
    expect(loadAccelerator('h100-96-meta')).toMatchObject({ memoryBytesPerSecond: 2.4e12, watts: 500 });
  });

  test('all-reduce on 8 H100 at 512 MiB is within 5 % of the measured 445 GB/s', () => {
    const curve = loadAccelerator('h100').collectives.allReduce.find(({ ranks }) => ranks === 8);
    const rate = (curve?.busBytesPerSecond ?? 0) / (1 + ((curve?.halfBytes ?? 0) / 2 ** 29) ** (curve?.power ?? 1));
    expect(rate / 445e9).toBeGreaterThan(0.95);
    expect(rate / 445e9).toBeLessThan(1.05);
  });

  test('FlashAttention-2 forward and backward together give the published 182 TFLOP/s on A100 at 8k', () => {
    const { attention } = loadAccelerator('a100');
    const rate = (direction: 'forward' | 'backward'): number => {
      const curve = attention.find((c) => c.kernel === 'flash-2' && c.headDim === 128 && c.direction === direction);
      return 312 * (curve?.points.find(([length]) => length === 8192)?.[1] ?? 0);
    };
    const together = 3.5 / (1 / rate('forward') + 2.5 / rate('backward'));
    expect(together).toBeGreaterThan(181);
    expect(together).toBeLessThan(183);
  });
});

describe('what a description leaves out', () => {
  const least = { peakFlopsPerSecond: { bf16: 100e12 }, memoryBytes: 16e9, memoryBytesPerSecond: 1e12 };

  test('is filled in so that every kernel can be timed', () => {
    const a = resolveAccelerator(least);
    expect(a.peakFlopsPerSecond.fp8).toBe(0);
    expect(a.scaleUpTopology).toBe('none');
    expect(a.gemm.fp8.maxEfficiency).toBeLessThan(a.gemm.bf16.maxEfficiency);
    expect(a.attention).toHaveLength(2);
    expect(JSON.stringify(a)).not.toContain('null');
  });

  test('stands for the A100 and H100 presets where it copies them', () => {
    const a = resolveAccelerator(least);
    const a100 = loadAccelerator('a100').attention.filter((c) => c.kernel === 'flash-2' && c.headDim === 128);
    expect(a.attention).toEqual(a100);
    expect(loadAccelerator('h100').groupedGemm).toEqual(expect.arrayContaining([...a.groupedGemm]));
  });
});

describe('every cluster preset', () => {
  test.each(clusters)('%s parses and says where each figure comes from', (id) => {
    const { data } = readPreset('clusters', id);
    expect(clusterFileSchema().safeParse(data).error?.issues ?? []).toEqual([]);
    expect(unsourced('clusters', id)).toEqual([]);
  });

  test.each(clusters)('%s is plausible', (id) => {
    const c = loadCluster(id);
    expect(c.id).toBe(id);
    expect(c.scaleUpDomainSize % c.acceleratorsPerNode).toBe(0);
    expect(c.nodeNetworkBytesPerSecond).toBeGreaterThan(1e9);
    expect(c.networkEfficiency).toBeLessThanOrEqual(1);
    expect(c.networkLatencySeconds).toBeLessThan(1e-4);
    expect(c.powerUsageEffectiveness).toBeGreaterThanOrEqual(1);
    expect(c.wattsPerAccelerator).toBeGreaterThan(100);
    if (c.dollarsPerAcceleratorHour > 0) expect(c.priceDate).toMatch(/^20\d\d/);
    for (const tier of c.tiers) expect(tier.bandwidthFraction).toBeLessThan(1);
    expect(JSON.stringify(c)).not.toContain('null');
  });

  test('that people ask for by name', () => {
    expect(loadCluster('dgx-h100')).toMatchObject({ acceleratorsPerNode: 8, nodeNetworkBytesPerSecond: 400e9 });
    expect(loadCluster('gb200-nvl72')).toMatchObject({ acceleratorsPerNode: 4, scaleUpDomainSize: 72 });
    expect(loadCluster('meta-24k').tiers).toEqual([{ accelerators: 3072, bandwidthFraction: 0.142857 }]);
    expect(loadCluster('perlmutter').accelerator).toMatchObject({ scaleUpTopology: 'mesh', scaleUpDomainSize: 4 });
  });
});

test('the shipped files are text that a person can read', () => {
  for (const id of accelerators) {
    const lines = readFileSync(readPreset('accelerators', id).file, 'utf8').split('\n');
    const long = lines.filter((line) => line.length > 160 && !/^ {2}\w+: "/.test(line) && !line.includes('ranks:'));
    expect(long).toEqual([]);
  }
});
