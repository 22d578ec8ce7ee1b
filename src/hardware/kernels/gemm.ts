import type { Accelerator, MatrixFormat } from '../accelerator.js';

/** Bytes of one operand element. */
export function formatBytes(format: MatrixFormat): number {
  if (format === 'fp32' || format === 'tf32') return 4;
  if (format === 'fp8') return 1;
  if (format === 'fp4') return 0.5;
  return 2;
}

/** Dense peak for a format; falls back to the widest narrower-rate format that the hardware has. */
export function peakFlops(accelerator: Accelerator, format: MatrixFormat): number {
  const peaks = accelerator.peakFlopsPerSecond;
  const own = peaks[format];
  if (own > 0) return own;
  if (format === 'fp4' && peaks.fp8 > 0) return peaks.fp8;
  if (format === 'tf32' && peaks.fp32 > 0) return peaks.fp32;
  return peaks.bf16 > 0 ? peaks.bf16 : peaks.fp16;
}

/** A GEMM family ready to time: everything that does not depend on the shape, computed once. */
export interface GemmTimer {
  readonly flopsPerSecond: number;
  readonly bytesPerSecond: number;
  readonly launchSeconds: number;
  readonly operandBytes: number;
  readonly quantiseTraffic: number;
  /** Fused kernels keep the quantised weights over micro-batches; operations of their own quantise both operands every time. */
  readonly quantisesBoth: boolean;
  /** Tiles of one wave; 0 where the device is not made of equal units. */
  readonly tilesPerWave: number;
  /** Tiles run in whole waves, so that the last one may leave units idle. */
  readonly wholeWaves: boolean;
}

/** Output tile of the large GEMM kernels of cuBLAS: 128 x 256. */
const tileElements = 128 * 256;

/**
 * Output tiles that cuBLAS chooses from before Hopper, and how much slower a smaller one works per element: fitted on 19
 * shapes measured on A100 (hardware data, `selected_mnk_tflops_eff`), as is `prologueDepth`; rms log error 7 %, 12 % without.
 */
const tiles: readonly { readonly rows: number; readonly columns: number; readonly slowdown: number }[] = [
  { rows: 128, columns: 256, slowdown: 1 },
  { rows: 256, columns: 128, slowdown: 1 },
  { rows: 128, columns: 128, slowdown: 1.3 },
  { rows: 128, columns: 64, slowdown: 1.6 },
  { rows: 64, columns: 128, slowdown: 1.6 },
];

/** Filling the pipeline of a tile and writing its result takes as long as this much of its inner dimension. */
const prologueDepth = 120;

/**
 * `blockScaled` is mxfp8: the fp8 units with a scale for every 32 elements, a kernel family of its own. `quantiseTraffic` is that
 * of a framework that quantises to fp8 in operations of its own, 0 for fused kernels.
 */
export function gemmTimer(
  accelerator: Accelerator,
  format: MatrixFormat,
  timeFactor: number,
  blockScaled = false,
  quantiseTraffic = 0,
): GemmTimer {
  const family = format === 'fp8' || format === 'fp4' ? format : 'bf16';
  const sustained = accelerator.sustained[blockScaled && family === 'fp8' ? 'mxfp8' : family];
  const curve = accelerator.gemm[family];
  return {
    flopsPerSecond: (peakFlops(accelerator, format) * curve.maxEfficiency * sustained) / timeFactor,
    bytesPerSecond: accelerator.memoryBytesPerSecond * accelerator.memoryEfficiency,
    launchSeconds: curve.launchSeconds,
    operandBytes: formatBytes(format),
    quantiseTraffic:
      format === 'fp8' ? Math.max(curve.quantiseTrafficMultiplier, quantiseTraffic) : curve.quantiseTrafficMultiplier,
    quantisesBoth: format === 'fp8' && quantiseTraffic > 0,
    tilesPerWave: accelerator.multiprocessors,
    wholeWaves: accelerator.gemm.wholeWaves && accelerator.multiprocessors > 0,
  };
}

/** Dimensions that 16-bit matrix units take: addresses of rows must be multiples of 16 bytes. */
const alignedElements = 8;

/** What products without matrix units reach of the fp32 peak: an estimate that the 6 shipped runs with such heads bear out. */
const unalignedEfficiency = 0.5;

/**
 * The same products where a dimension of `width` elements is contiguous: cuBLAS leaves the matrix units aside unless it is a
 * multiple of 8 (NVIDIA, Matrix Multiplication Background User's Guide, requirements to use tensor cores).
 */
export function alignedTimer(t: GemmTimer, accelerator: Accelerator, width: number): GemmTimer {
  const scalar = accelerator.peakFlopsPerSecond.fp32 * unalignedEfficiency;
  if (width % alignedElements === 0 || t.operandBytes !== 2 || scalar <= 0) return t;
  return { ...t, flopsPerSecond: Math.min(t.flopsPerSecond, scalar), tilesPerWave: 0, wholeWaves: false };
}

/**
 * Seconds of `batch` matrix products of m x k by k x n.
 *
 * `max(2 m n k / achieved rate, traffic / achieved bandwidth) + launch`: the form fitted on 11,271 measured shapes per
 * accelerator (rms log error 8 to 12 %; hardware data, `gemm_model_fit`). Quantising adds its own pass over the activations.
 * `resultBytes` is per output element: 2, or 8 where a weight gradient is added to an fp32 buffer (read and write).
 */
export function gemmSeconds(t: GemmTimer, m: number, n: number, k: number, resultBytes: number, batch = 1): number {
  if (m <= 0 || n <= 0 || k <= 0) return 0;
  const compute = (2 * m * n * k * batch) / t.flopsPerSecond;
  const traffic = batch * (t.operandBytes * (m * k + k * n) + resultBytes * m * n);
  const quantised = batch * (m * k + (t.quantisesBoth ? k * n : 0));
  const quantise = (t.quantiseTraffic * 2 * quantised) / t.bytesPerSecond;
  return Math.max(compute * idleFactor(t, m, n, k, batch), traffic / t.bytesPerSecond) + quantise + t.launchSeconds;
}

/** How much longer the product takes because multiprocessors stay idle or tiles start and end. */
function idleFactor(t: GemmTimer, m: number, n: number, k: number, batch: number): number {
  return t.wholeWaves ? wholeWaveFactor(t, m, n, batch) * (1 + prologueDepth / k) : waveFactor(t, m, n, batch);
}

/** Whole waves of the best of the tiles, over the elements that the result really has. */
function wholeWaveFactor(t: GemmTimer, m: number, n: number, batch: number): number {
  let best = Number.POSITIVE_INFINITY;
  for (const { rows, columns, slowdown } of tiles) {
    const count = Math.ceil(m / rows) * Math.ceil(n / columns) * batch;
    const waves = Math.ceil(count / t.tilesPerWave);
    best = Math.min(best, slowdown * waves * t.tilesPerWave * rows * columns);
  }
  return best / (m * n * batch);
}

/** From Hopper on persistent kernels hide the tail: only a GEMM smaller than one wave leaves multiprocessors idle. */
function waveFactor(t: GemmTimer, m: number, n: number, batch: number): number {
  if (t.tilesPerWave < 16) return 1;
  const count = (m * n * batch) / tileElements;
  // Split-K and smaller tiles recover up to a factor of four of the idle units.
  return count >= t.tilesPerWave ? 1 : Math.min(4, Math.max(1, t.tilesPerWave / Math.max(count, 1) / 4));
}
