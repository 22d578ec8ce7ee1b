import type { Accelerator } from '../../hardware/accelerator.js';
import { gemmSeconds, gemmTimer } from '../../hardware/kernels/gemm.js';
import type { GemmSample } from '../../interop/gemmCsv.js';
import type { MeasurementProblem } from '../../interop/stepLog.js';
import { median } from '../statistics.js';
import { smallFit } from './smallFit.js';

export interface FittedGemm {
  readonly accelerator: Accelerator;
  readonly shapes: number;
  /** Median absolute error of the shapes, before and after. */
  readonly before: number;
  readonly after: number;
  readonly problems: readonly MeasurementProblem[];
}

/** A shape this far from what the others imply is named. */
const wildError = Math.log(1.6);

/** Refits the large-size efficiency, the fixed time and the memory rate of GEMMs of one format to timed shapes. */
export function calibrateGemm(accelerator: Accelerator, samples: readonly GemmSample[]): FittedGemm {
  const [format] = samples.map((sample) => sample.format);
  if (format === undefined) return { accelerator, shapes: 0, before: 0, after: 0, problems: [] };
  const peak = accelerator.peakFlopsPerSecond[format] || accelerator.peakFlopsPerSecond.bf16;
  const possible = samples.filter(({ m, n, k, seconds }) => (2 * m * n * k) / seconds <= peak);
  const problems: MeasurementProblem[] = samples
    .filter((sample) => !possible.includes(sample))
    .map(({ line, m, n, k, seconds }) => {
      const rate = Math.round((2 * m * n * k) / seconds / 1e12);
      return { line, why: `${rate} TFLOP/s is above the peak of ${Math.round(peak / 1e12)}; left out` };
    });
  const curve = accelerator.gemm[format];
  const unknowns = [
    { expected: curve.maxEfficiency, spread: 0.3, low: 0.05, high: 1 },
    { expected: curve.launchSeconds, spread: 0.7, low: 5e-7, high: 1e-4 },
    { expected: accelerator.memoryEfficiency, spread: 0.1, low: 0.3, high: 1 },
  ];
  const errorOf = (row: number, values: readonly number[]): number => {
    const sample = possible[row];
    return sample === undefined ? 0 : gemmError(withGemm(accelerator, format, values), sample);
  };
  const values = smallFit(unknowns, possible.length, errorOf);
  const fitted = withGemm(accelerator, format, values);
  for (const sample of possible) {
    const error = gemmError(fitted, sample);
    if (Math.abs(error) < wildError) continue;
    const { line, m, n, k } = sample;
    problems.push({
      line,
      why: `${m} x ${n} x ${k} takes ${Math.exp(-error).toPrecision(2)} times what the other shapes imply`,
    });
  }
  const errors = (one: Accelerator): number =>
    median(possible.map((sample) => Math.abs(Math.expm1(gemmError(one, sample))))) ?? 0;
  return { accelerator: fitted, shapes: possible.length, before: errors(accelerator), after: errors(fitted), problems };
}

function gemmError(accelerator: Accelerator, { m, n, k, seconds, format }: GemmSample): number {
  // A GEMM timed alone: what a training step sustains of it is another figure.
  const alone = { ...accelerator, sustained: { bf16: 1, fp8: 1, mxfp8: 1, fp4: 1, attention: 1 } };
  return Math.log(gemmSeconds(gemmTimer(alone, format, 1), m, n, k, 2) / seconds);
}

function withGemm(accelerator: Accelerator, format: GemmSample['format'], values: readonly number[]): Accelerator {
  const curve = accelerator.gemm[format];
  const [maxEfficiency = curve.maxEfficiency, launchSeconds = curve.launchSeconds, memoryEfficiency = 1] = values;
  return {
    ...accelerator,
    memoryEfficiency,
    gemm: { ...accelerator.gemm, [format]: { ...curve, maxEfficiency, launchSeconds } },
  };
}
