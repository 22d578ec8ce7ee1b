import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Accelerator, MatrixFormat } from '../../src/hardware/accelerator.js';
import { attentionSeconds, attentionTimer, interpolateLog } from '../../src/hardware/kernels/attention.js';
import { streamSeconds, streamTimer } from '../../src/hardware/kernels/elementwise.js';
import { alignedTimer, gemmSeconds, gemmTimer, peakFlops } from '../../src/hardware/kernels/gemm.js';
import { groupedGemmSeconds } from '../../src/hardware/kernels/groupedGemm.js';
import { loadAccelerator } from '../../src/scenario/loadHardware.js';

const h100 = loadAccelerator('h100-sxm-80');
const a100 = loadAccelerator('a100-sxm-80');

/** Kernels measured alone, before a training step's power and clock limits. */
function alone(accelerator: Accelerator): Accelerator {
  return { ...accelerator, sustained: { bf16: 1, fp8: 1, mxfp8: 1, fp4: 1, attention: 1 } };
}

function gemmTeraflops(accelerator: Accelerator, format: MatrixFormat, m: number, n: number, k: number): number {
  const seconds = gemmSeconds(gemmTimer(alone(accelerator), format, 1), m, n, k, 2);
  return (2 * m * n * k) / seconds / 1e12;
}

/** Single shapes scatter by 10 % about the model (rms 8 to 12 %), small ones more. Measured: aiconfigurator@095f58a. */
describe('matrix multiplication, TFLOP/s as measured', () => {
  test.each([
    { m: 4096, n: 4096, k: 4096, measured: 788.6 },
    { m: 8192, n: 8192, k: 8192, measured: 782.7 },
    { m: 16384, n: 16384, k: 16384, measured: 702.4 },
    { m: 4096, n: 12288, k: 4096, measured: 800.3 },
    { m: 8192, n: 8192, k: 1024, measured: 713.6 },
    { m: 4096, n: 4096, k: 1024, measured: 613.5 },
  ])('H100 bf16 $m x $n x $k: $measured', ({ m, n, k, measured }) => {
    expect(Math.abs(gemmTeraflops(h100, 'bf16', m, n, k) / measured - 1)).toBeLessThan(0.15);
  });

  test.each([
    { m: 4096, n: 4096, k: 4096, measured: 267.3 },
    { m: 8192, n: 8192, k: 8192, measured: 262.5 },
    { m: 8192, n: 65536, k: 4096, measured: 263.3 },
    { m: 4096, n: 4096, k: 12288, measured: 266.1 },
    { m: 4096, n: 4096, k: 1024, measured: 231.9 },
  ])('A100 bf16 $m x $n x $k: $measured', ({ m, n, k, measured }) => {
    expect(Math.abs(gemmTeraflops(a100, 'bf16', m, n, k) / measured - 1)).toBeLessThan(0.2);
  });

  /** One tile more than a wave holds costs a second wave: 128 tiles for 108 multiprocessors, 512 for 540. */
  test.each([
    { m: 2048, n: 2048, k: 2048, measured: 158.4 },
    { m: 4096, n: 1024, k: 4096, measured: 168.1 },
    { m: 1024, n: 12288, k: 4096, measured: 251.4 },
    { m: 256, n: 12288, k: 4096, measured: 246.6 },
  ])('A100 in whole waves, $m x $n x $k: $measured', ({ m, n, k, measured }) => {
    expect(Math.abs(gemmTeraflops(a100, 'bf16', m, n, k) / measured - 1)).toBeLessThan(0.08);
  });

  test.each([
    { m: 8192, n: 8192, k: 8192, measured: 1242.5 },
    { m: 16384, n: 16384, k: 16384, measured: 1303.5 },
  ])('H100 fp8, its quantisation included, $m x $n x $k: $measured', ({ m, n, k, measured }) => {
    expect(Math.abs(gemmTeraflops(h100, 'fp8', m, n, k) / measured - 1)).toBeLessThan(0.15);
  });
});

test('a large product runs at its rate, a thin one at memory speed, a tiny one at its launch', () => {
  const timer = gemmTimer(h100, 'bf16', 1);
  const n = 8192;
  expect((gemmSeconds(timer, n, n, n, 2) - timer.launchSeconds) * timer.flopsPerSecond).toBeCloseTo(2 * n ** 3, -6);
  const bytes = 2 * (n + n * n + n);
  expect((gemmSeconds(timer, 1, n, n, 2) - timer.launchSeconds) / (bytes / timer.bytesPerSecond)).toBeCloseTo(1, 6);
  expect(gemmSeconds(timer, 8, 8, 8, 2)).toBeLessThan(2 * timer.launchSeconds);
});

test('heads that are no multiple of 8 keep products off the matrix units', () => {
  const timer = gemmTimer(a100, 'fp16', 1);
  const scores = (width: number): number =>
    gemmSeconds(alignedTimer(timer, a100, width), 2048, 2048, width, 2, 64) / width;
  expect(scores(112) / scores(104)).toBeCloseTo(1, 1);
  expect(scores(108) / scores(104)).toBeGreaterThan(5);
  // 9.75 TFLOP/s: half of the fp32 peak.
  expect((2 * 2048 * 2048 * 64) / scores(108) / 1e12).toBeCloseTo(9.75, 1);
  expect(alignedTimer(gemmTimer(a100, 'fp32', 1), a100, 108)).toEqual(gemmTimer(a100, 'fp32', 1));
});

test('formats that the hardware lacks run at the next wider one it has', () => {
  expect(peakFlops(a100, 'fp8')).toBe(312e12);
  expect(peakFlops(h100, 'fp4')).toBe(1979e12);
  expect(peakFlops(loadAccelerator('v100-sxm2-16'), 'bf16')).toBe(125e12);
});

/** FlashAttention's own figures count the unmasked half, forward and backward together. */
describe('attention on one H100, 16 sequences x heads for every multiprocessor', () => {
  const seconds = (
    kernel: 'flash-2' | 'flash-3',
    direction: 'forward' | 'backward',
    length: number,
    headDim: number,
  ): number => {
    const flops = 2 * headsTimesSequences(length) * length * length * headDim * (direction === 'forward' ? 1 : 2.5);
    return attentionSeconds(
      attentionTimer(alone(h100), kernel, headDim, 1),
      direction,
      flops,
      length,
      headsTimesSequences(length),
    );
  };
  /** 16k tokens in all, hidden size 2048, as in the papers. */
  const headsTimesSequences = (length: number): number => (16384 / length) * 16;
  const rate = (
    kernel: 'flash-2' | 'flash-3',
    length: number,
    directions: readonly ('forward' | 'backward')[],
  ): number => {
    const flops =
      directions.reduce((sum, d) => sum + (d === 'forward' ? 1 : 2.5), 0) *
      2 *
      headsTimesSequences(length) *
      length ** 2 *
      128;
    return flops / directions.reduce((sum, d) => sum + seconds(kernel, d, length, 128), 0) / 1e12;
  };

  test.each([
    [2048, 265],
    [4096, 294],
    [16384, 328],
  ])('FlashAttention-2, %i tokens, forward and backward: %i TFLOP/s', (length, measured) => {
    expect(Math.abs(rate('flash-2', length, ['forward', 'backward']) / measured - 1)).toBeLessThan(0.03);
  });

  test.each([
    [2048, 521],
    [4096, 579],
    [16384, 616],
  ])('FlashAttention-3, %i tokens, forward: %i TFLOP/s', (length, measured) => {
    expect(Math.abs(rate('flash-3', length, ['forward']) / measured - 1)).toBeLessThan(0.05);
  });
});

test('an attention too small to fill the device takes as long as a larger one', () => {
  const timer = attentionTimer(h100, 'flash-3', 128, 1);
  const flops = (heads: number): number => 4 * heads * 2048 * 2048 * 64;
  const one = attentionSeconds(timer, 'forward', flops(1), 2048, 1);
  const eight = attentionSeconds(timer, 'forward', flops(8), 2048, 8);
  expect(eight / one).toBeCloseTo(1, 9);
});

test('streaming kernels reach the measured share of HBM', () => {
  const timer = streamTimer(h100, 1);
  expect(1e9 / (streamSeconds(timer, 1e9, 1) - timer.launchSeconds) / 1e12).toBeCloseTo(2.97, 2);
});

test('grouped products lose more the fewer tokens an expert gets', () => {
  const timer = gemmTimer(h100, 'bf16', 1);
  const perToken = [64, 256, 1024, 4096].map(
    (tokens) => groupedGemmSeconds(h100, timer, 8 * tokens, 8, 14336, 4096, 2) / tokens,
  );
  expect(perToken).toEqual(perToken.toSorted((a, b) => b - a));
  const dense = gemmSeconds(timer, 8 * 4096, 14336, 4096, 2);
  expect(groupedGemmSeconds(h100, timer, 8 * 4096, 8, 14336, 4096, 2) / dense).toBeCloseTo(1 / 0.95, 1);
});

test('tables are read between their points in the logarithm, and flat beyond them', () => {
  const points = [
    [1024, 0.4],
    [4096, 0.6],
  ] as const;
  expect(interpolateLog(points, 2048)).toBeCloseTo(0.5, 12);
  expect(interpolateLog(points, 512)).toBe(0.4);
  expect(interpolateLog(points, 8192)).toBe(0.6);
});

test('a larger product never takes less time', () => {
  const accelerators = fc
    .constantFrom('h100-sxm-80', 'a100-sxm-80', 'b200-sxm-180', 'tpu-v5p', 'mi300x')
    .map(loadAccelerator);
  const formats = fc.constantFrom<MatrixFormat>('fp32', 'bf16', 'fp8', 'fp4');
  const side = fc.integer({ min: 1, max: 40_000 });
  fc.assert(
    fc.property(accelerators, formats, side, side, side, (accelerator, format, m, n, k) => {
      const timer = gemmTimer(accelerator, format, 1);
      const seconds = gemmSeconds(timer, m, n, k, 2);
      expect(gemmSeconds(timer, m, n, 2 * k, 2)).toBeGreaterThanOrEqual(seconds);
      expect(gemmSeconds(timer, 2 * m, n, k, 2)).toBeGreaterThanOrEqual(seconds * (1 - 1e-12));
      expect(gemmSeconds(timer, m, 2 * n, k, 2)).toBeGreaterThanOrEqual(seconds * (1 - 1e-12));
      expect((2 * m * n * k) / seconds).toBeLessThanOrEqual(peakFlops(accelerator, format));
    }),
    { numRuns: 1000 },
  );
});
