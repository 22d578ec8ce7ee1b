import type { MatrixFormat } from '../hardware/accelerator.js';
import type { Precision } from './strategy.js';

/** Format in which the layers' GEMMs run. */
export function matrixFormat(precision: Precision): MatrixFormat {
  if (precision === 'mxfp8' || precision === 'fp8') return 'fp8';
  if (precision === 'nvfp4') return 'fp4';
  return precision;
}
