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
  /** Tiles of one wave; 0 where the device is not made of equal units. */
  readonly tilesPerWave: number;
}

/** Output tile of the large GEMM kernels of cuBLAS: 128 x 256. */
const tileElements = 128 * 256;

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
    tilesPerWave: accelerator.multiprocessors,
  };
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
  const quantise = t.quantiseTraffic > 0 ? (t.quantiseTraffic * batch * 2 * m * k) / t.bytesPerSecond : 0;
  return Math.max(compute * waveFactor(t, m, n, batch), traffic / t.bytesPerSecond) + quantise + t.launchSeconds;
}

/** A GEMM smaller than one wave of tiles leaves multiprocessors idle; beyond that, kernel choice hides the tail. */
function waveFactor(t: GemmTimer, m: number, n: number, batch: number): number {
  if (t.tilesPerWave < 16) return 1;
  const tiles = (m * n * batch) / tileElements;
  // Split-K and smaller tiles recover up to a factor of four of the idle units.
  return tiles >= t.tilesPerWave ? 1 : Math.min(4, Math.max(1, t.tilesPerWave / Math.max(tiles, 1) / 4));
}
