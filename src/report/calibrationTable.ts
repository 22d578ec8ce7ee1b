import { formatBytes, formatBytesPerSecond, formatSeconds } from '../quantity/format.js';
import { type TextStyle, tint, wrapped } from './text.js';

/** The document of `slipway calibrate --json`. */
export interface CalibrationResult {
  readonly schemaVersion: 1;
  /** The cluster that was refitted. */
  readonly base: string;
  /** Name of the profile, or null where none was saved. */
  readonly profile: string | null;
  readonly file: string | null;
  readonly measurements: readonly CalibratedFile[];
  readonly constants: readonly CalibratedConstant[];
  readonly problems: readonly CalibrationProblem[];
}

export interface CalibratedFile {
  readonly file: string;
  /** Such as `Megatron-LM: 46 steps of 3.21 s, 4 of warm-up dropped`. */
  readonly what: string;
  /** Absolute errors as fractions, before and after: of a run, or the median over sizes or shapes. */
  readonly errorBefore: number;
  readonly errorAfter: number;
}

export interface CalibratedConstant {
  /** Dotted path in the cluster. */
  readonly key: string;
  readonly before: number;
  readonly after: number;
}

/** A measurement that was not used, or that others contradict. */
export interface CalibrationProblem {
  readonly file: string;
  readonly line: number | null;
  readonly why: string;
}

export function calibrationTable(result: CalibrationResult, style: TextStyle): string {
  const sections = [
    [tint(`Calibration of ${result.base}`, 'bold', style)],
    measurementLines(result, style),
    constantLines(result, style),
    problemLines(result, style),
    savedLines(result, style),
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

function measurementLines({ measurements }: CalibrationResult, style: TextStyle): string[] {
  const rows = measurements.flatMap(({ file, what, errorBefore, errorAfter }) => [
    ...wrapped('  ', `${file}: ${what}`.split(' '), style.columns),
    `    error ${percent(errorBefore)} before, ${percent(errorAfter)} after`,
  ]);
  return [tint('Measurements', 'bold', style), ...rows];
}

function constantLines({ constants }: CalibrationResult, style: TextStyle): string[] {
  const width = Math.max(0, ...constants.map(({ key }) => key.length));
  const rows = constants.map(({ key, before, after }) => {
    return `  ${key.padEnd(width)}  ${shown(key, before).padStart(10)} -> ${shown(key, after)}`;
  });
  return [tint('Constants that moved', 'bold', style), ...(rows.length === 0 ? ['  none'] : rows)];
}

function problemLines({ problems }: CalibrationResult, style: TextStyle): string[] {
  if (problems.length === 0) return [];
  const lines = problems.flatMap(({ file, line, why }) => {
    return wrapped('  - ', `${file}${line === null ? '' : `:${line}`}: ${why}`.split(' '), style.columns);
  });
  return [tint('Measurements that do not fit', 'yellow', style), ...lines];
}

function savedLines({ profile, file }: CalibrationResult, style: TextStyle): readonly string[] {
  if (file === null)
    return wrapped('', 'Not saved; --name keeps it as a cluster, --save in a file.'.split(' '), style.columns);
  const use = profile ?? file;
  return wrapped('', `Saved in ${file}; use it with --cluster ${use}`.split(' '), style.columns);
}

function shown(key: string, value: number): string {
  if (/BytesPerSecond$/.test(key)) return formatBytesPerSecond(value);
  if (/Bytes$/.test(key)) return formatBytes(value);
  return /Seconds$/.test(key) ? formatSeconds(value) : `${Number(value.toPrecision(4))}`;
}

function percent(value: number): string {
  return `${(100 * value).toFixed(1)} %`;
}
