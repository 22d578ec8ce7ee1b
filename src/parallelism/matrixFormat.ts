import type { Accelerator, MatrixFormat } from '../hardware/accelerator.js';
import type { Precision } from './strategy.js';

/** Format in which the layers' GEMMs run. */
export function matrixFormat(precision: Precision): MatrixFormat {
  if (precision === 'mxfp8' || precision === 'fp8') return 'fp8';
  if (precision === 'nvfp4') return 'fp4';
  return precision;
}

/** Whether the matrix units multiply it. Those that scale blocks (mxfp8) know fp4 too: Blackwell, CDNA 4; Hopper does neither. */
export function multiplies(peaks: Accelerator['peakFlopsPerSecond'], precision: Precision): boolean {
  return peaks[matrixFormat(precision)] > 0 && (precision !== 'mxfp8' || peaks.fp4 > 0);
}
