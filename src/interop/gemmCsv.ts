import { SlipwayError } from '../errors.js';
import type { MeasurementProblem } from './stepLog.js';

export interface GemmSample {
  readonly line: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly seconds: number;
  readonly format: 'bf16' | 'fp8' | 'fp4';
}

export interface GemmMeasurement {
  readonly samples: readonly GemmSample[];
  readonly problems: readonly MeasurementProblem[];
}

const formats: Readonly<Record<string, GemmSample['format']>> = {
  bf16: 'bf16',
  fp16: 'bf16',
  bfloat16: 'bf16',
  float16: 'bf16',
  fp8: 'fp8',
  mxfp8: 'fp8',
  fp4: 'fp4',
  nvfp4: 'fp4',
};

/** A CSV with the columns m, n, k and seconds (or microseconds), and dtype where it is not bf16, in any order under their names. */
export function readGemmCsv(text: string, file: string): GemmMeasurement {
  const [head = '', ...rows] = text.split(/\r?\n/);
  const columns = head.split(',').map((cell) => cell.trim().toLowerCase());
  const unit = columns.includes('seconds') ? 'seconds' : 'microseconds';
  const missing = ['m', 'n', 'k', unit].filter((name) => !columns.includes(name));
  if (missing.length > 0) {
    const message = `lacks the column ${missing.join(', ')}; expected a header m,n,k,seconds or m,n,k,microseconds, and dtype where it is not bf16`;
    throw new SlipwayError('invalid-syntax', message, { file, line: 1 });
  }
  const samples: GemmSample[] = [];
  const problems: MeasurementProblem[] = [];
  rows.forEach((row, index) => {
    if (row.trim() === '') return;
    const line = index + 2;
    const cells = row.split(',').map((cell) => cell.trim());
    const number = (name: string): number => Number(cells[columns.indexOf(name)] || Number.NaN);
    const dtype = columns.includes('dtype') ? (cells[columns.indexOf('dtype')] ?? '').toLowerCase() : 'bf16';
    const format = formats[dtype];
    const [m, n, k] = [number('m'), number('n'), number('k')];
    const seconds = number(unit) * (unit === 'seconds' ? 1 : 1e-6);
    if (![m, n, k, seconds].every((value) => value > 0 && Number.isFinite(value)))
      problems.push({ line, why: `'${row.trim()}' is not four positive numbers` });
    else if (format === undefined)
      problems.push({ line, why: `dtype '${dtype}' is not one of ${Object.keys(formats).join(', ')}` });
    else samples.push({ line, m, n, k, seconds, format });
  });
  if (samples.length === 0) throw new SlipwayError('invalid-syntax', 'holds no GEMM timings', { file });
  return { samples, problems };
}
