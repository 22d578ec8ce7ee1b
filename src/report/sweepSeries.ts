import type { Cell } from '../planner/sweep/figures.js';
import { isLessBetter } from '../planner/sweep/sweepSummary.js';
import { formatCell, type SweepView, shortName } from './sweepTable.js';

/** One line of the chart: what the other axes were set to, and the metric at each value of the first. */
export interface Series {
  readonly name: string;
  /** By position of the value on the x axis; undefined where the point is illegal or was not reached. */
  readonly values: readonly (number | undefined)[];
  /** Whether the point fits into memory. */
  readonly fits: readonly boolean[];
}

export interface ChartData {
  readonly xName: string;
  readonly yName: string;
  readonly xLabels: readonly string[];
  /** Their places on the axis from 0 to 1: logarithmic where the values grow by factors. */
  readonly xPlaces: readonly number[];
  readonly series: readonly Series[];
  /** Lines left out because there are too many to tell apart. */
  readonly more: number;
}

/** More lines than this no reader can tell apart. */
const MOST_SERIES = 6;

/** The sweep as lines over one of its axes, or undefined where there is nothing to draw a line through. */
export function chartData(view: SweepView): ChartData | undefined {
  const { columns, axes, metric, summary } = view;
  const at = (name: string): number => columns.findIndex((column) => column.name === name);
  const valuesOf = (name: string): Cell[] => [...new Set(summary.rows.map((row) => row[at(name)] ?? null))];
  const isNumeric = (name: string): boolean => valuesOf(name).every((value) => typeof value === 'number');
  const sized = axes.map((name) => ({ name, values: valuesOf(name) }));
  // The first numeric axis with a run of values; else the longest.
  const xAxis =
    sized.find(({ name, values }) => values.length > 2 && isNumeric(name)) ??
    [...sized].sort((a, b) => b.values.length - a.values.length)[0];
  if (xAxis === undefined || xAxis.values.length < 2) return undefined;
  const xs = isNumeric(xAxis.name) ? [...xAxis.values].sort((a, b) => Number(a) - Number(b)) : xAxis.values;
  const place = new Map(xs.map((value, index) => [value, index]));
  const others = axes.filter((name) => name !== xAxis.name && valuesOf(name).length > 1);
  const lines = new Map<string, { values: (number | undefined)[]; fits: boolean[] }>();
  for (const row of summary.rows) {
    const name = others.map((other) => `${shortName(other)} ${formatCell(other, row[at(other)] ?? null)}`).join(', ');
    const line = lines.get(name) ?? { values: xs.map(() => undefined), fits: xs.map(() => false) };
    lines.set(name, line);
    const index = place.get(row[at(xAxis.name)] ?? null) ?? -1;
    const value = row[at(metric)];
    if (index < 0 || typeof value !== 'number') continue;
    line.values[index] = value;
    line.fits[index] = row[at('status')] === 'fits';
  }
  const drawn = [...lines].filter(([, { values }]) => values.some((value) => value !== undefined));
  if (drawn.length === 0) return undefined;
  return {
    xName: shortName(xAxis.name),
    yName: metric,
    xLabels: xs.map((value) => formatCell(xAxis.name, value)),
    xPlaces: places(xs),
    series: mostTelling(drawn, metric).map(([name, line]) => ({ name, ...line })),
    more: Math.max(0, drawn.length - MOST_SERIES),
  };
}

type Line = readonly [string, { readonly values: (number | undefined)[]; readonly fits: boolean[] }];

/** All lines, or of too many those that come best where they fit, in their own order. */
function mostTelling(lines: readonly Line[], metric: string): readonly Line[] {
  if (lines.length <= MOST_SERIES) return lines;
  const sign = isLessBetter(metric) ? 1 : -1;
  const score = ([, { values, fits }]: Line): number =>
    Math.min(...values.map((value, i) => (value === undefined || !fits[i] ? Number.POSITIVE_INFINITY : sign * value)));
  const chosen = new Set([...lines].sort((a, b) => compare(score(a), score(b))).slice(0, MOST_SERIES));
  return lines.filter((line) => chosen.has(line));
}

/** Also of two infinities. */
function compare(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function places(xs: readonly Cell[]): readonly number[] {
  const even = xs.map((_, i) => i / (xs.length - 1));
  const numbers = xs.map(Number);
  const [first = 0] = numbers;
  const last = numbers.at(-1) ?? 0;
  if (xs.some((x) => typeof x !== 'number') || last <= first) return even;
  const log = first > 0 && last / first >= 4 && (numbers[1] ?? 0) / first > 1.4;
  const of = (x: number): number => (log ? Math.log(x / first) / Math.log(last / first) : (x - first) / (last - first));
  return numbers.map(of);
}

/** Round steps that divide the range from 0 or from near the least value to above the most. */
export function ticks(least: number, most: number, wanted: number): readonly number[] {
  const from = least > 0.5 * most ? least : 0;
  const rough = (most - from || most || 1) / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((size) => size >= rough) ?? rough;
  const start = Math.floor(from / step) * step;
  const count = Math.ceil((most - start) / step - 1e-9);
  return Array.from({ length: Math.max(1, count) + 1 }, (_, i) => Number((start + i * step).toPrecision(12)));
}
