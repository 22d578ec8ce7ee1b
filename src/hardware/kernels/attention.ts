import type { Accelerator, AttentionCurve } from '../accelerator.js';
import { peakFlops } from './gemm.js';

export type AttentionFamily = AttentionCurve['kernel'];

/** Kernels that stand in for one another when an accelerator has no curve of the one asked for, nearest first. */
const substitutes: Record<AttentionFamily, readonly AttentionFamily[]> = {
  unfused: ['flash-1', 'flash-2', 'cudnn', 'flash-3'],
  'flash-1': ['flash-2', 'cudnn', 'flash-3'],
  'flash-2': ['flash-1', 'cudnn', 'flash-3'],
  'flash-3': ['cudnn', 'flash-2'],
  'flash-4': ['cudnn', 'flash-3', 'flash-2'],
  cudnn: ['flash-3', 'flash-2'],
};

/** Efficiency assumed where no curve of any kernel is known: FlashAttention-2 on A100 at 2k tokens, an estimate elsewhere. */
const unknownEfficiency = { forward: 0.55, backward: 0.45 } as const;

/** Fused attention for one head dimension: rate by sequence length, forward and backward. */
export interface AttentionTimer {
  readonly peakFlopsPerSecond: number;
  readonly forward: readonly (readonly [number, number])[];
  readonly backward: readonly (readonly [number, number])[];
  readonly timeFactor: number;
  /** Heads x query blocks below which multiprocessors stay idle. */
  readonly fullWaves: number;
  readonly launchSeconds: number;
}

export function attentionTimer(
  accelerator: Accelerator,
  kernel: AttentionFamily,
  headDim: number,
  timeFactor: number,
): AttentionTimer {
  return {
    peakFlopsPerSecond: peakFlops(accelerator, 'bf16'),
    forward: curvePoints(accelerator, kernel, headDim, 'forward'),
    backward: curvePoints(accelerator, kernel, headDim, 'backward'),
    timeFactor: timeFactor / accelerator.sustained.attention,
    fullWaves: accelerator.multiprocessors,
    launchSeconds: 5e-6,
  };
}

function curvePoints(
  accelerator: Accelerator,
  kernel: AttentionFamily,
  headDim: number,
  direction: 'forward' | 'backward',
): readonly (readonly [number, number])[] {
  for (const family of [kernel, ...substitutes[kernel]]) {
    let best: AttentionCurve | undefined;
    for (const curve of accelerator.attention) {
      if (curve.kernel !== family || curve.direction !== direction) continue;
      if (best === undefined || Math.abs(curve.headDim - headDim) < Math.abs(best.headDim - headDim)) best = curve;
    }
    if (best !== undefined && best.points.length > 0) return best.points;
  }
  return [[1024, unknownEfficiency[direction]]];
}

/** Linear interpolation of a table in the logarithm of its first column; flat beyond both ends. */
export function interpolateLog(points: readonly (readonly [number, number])[], x: number): number {
  let previous = points[0];
  if (previous === undefined) return 1;
  if (x <= previous[0]) return previous[1];
  for (const point of points) {
    if (x <= point[0]) {
      const span = Math.log(point[0] / previous[0]);
      const share = span > 0 ? Math.log(x / previous[0]) / span : 1;
      return previous[1] + share * (point[1] - previous[1]);
    }
    previous = point;
  }
  return previous[1];
}

/** Query rows that one thread block of a flash kernel works on. */
const queryBlock = 128;

/**
 * Seconds of fused attention. `flops` are those really computed (causal half skipped); `heads x sequences x query blocks`
 * says whether the device is full.
 */
export function attentionSeconds(
  t: AttentionTimer,
  direction: 'forward' | 'backward',
  flops: number,
  sequenceLength: number,
  headsTimesSequences: number,
): number {
  if (flops <= 0) return 0;
  const efficiency = interpolateLog(direction === 'forward' ? t.forward : t.backward, sequenceLength);
  const blocks = (headsTimesSequences * sequenceLength) / queryBlock;
  const occupancy = t.fullWaves > 16 ? Math.min(1, blocks / t.fullWaves) : 1;
  const rate = t.peakFlopsPerSecond * efficiency * Math.max(occupancy, 0.05);
  return (flops * t.timeFactor) / rate + t.launchSeconds;
}
