import type { Cell } from '../planner/sweep/figures.js';
import type { Column } from '../planner/sweep/sweepRows.js';
import type { SweepSummary } from '../planner/sweep/sweepSummary.js';
import {
  formatBytes,
  formatBytesPerSecond,
  formatCount,
  formatDollars,
  formatFlopsPerSecond,
  formatRatio,
  formatSeconds,
  grouped,
} from '../quantity/format.js';
import { type TextStyle, tint, wrapped } from './text.js';

export interface SweepView {
  readonly columns: readonly Column[];
  /** Names of the varied keys, in order. */
  readonly axes: readonly string[];
  /** Which figure decides what is best. */
  readonly metric: string;
  readonly summary: SweepSummary;
}

/** More rows than this are summed up by the best of them. */
const MOST_ROWS = 40;

/** Figures that people compare first, with their heading; those that the sweep holds are shown as far as the width goes. */
const shown: readonly (readonly [string, string])[] = [
  ['memory.deviceBytes', 'memory'],
  ['step.seconds', 'step'],
  ['plan', 'plan'],
  ['throughput.tokensPerSecond', 'tokens/s'],
  ['throughput.mfu', 'MFU'],
  ['training.days', 'days'],
  ['training.costUsd', 'cost'],
];

/** The rows of a sweep for people: what was varied, whether it fits, and the figures; the best rows only where there are many. */
export function sweepTable(view: SweepView, style: TextStyle): string {
  const { summary, metric } = view;
  const all = summary.rows.length > 0 && summary.rows.length <= MOST_ROWS;
  const rows = all ? summary.rows : summary.best;
  const title = all ? [] : [tint(`The best by ${shortName(metric)}`, 'bold', style)];
  return `${[...countsLine(view, style), '', ...title, ...tableLines(view, rows, style)].join('\n')}\n`;
}

function countsLine({ axes, columns, summary: { points, counts } }: SweepView, style: TextStyle): readonly string[] {
  const searched = columns.some(({ name }) => name === 'plan');
  const parts = [
    `${grouped(counts.fits)} fit,`,
    searched
      ? `${grouped(counts['no-plan'])} have no plan that fits,`
      : `${grouped(counts['does-not-fit'])} do not fit,`,
    `${grouped(counts.illegal)} cannot be run`,
  ];
  return wrapped(
    '',
    [tint(`${grouped(points)} points`, 'bold', style), `over ${axes.map(shortName).join(' x ')}:`, ...parts],
    style.columns,
  );
}

function tableLines(view: SweepView, rows: readonly (readonly Cell[])[], style: TextStyle): readonly string[] {
  const at = new Map(view.columns.map(({ name }, index) => [name, index]));
  const cell = (row: readonly Cell[], name: string): Cell => row[at.get(name) ?? -1] ?? null;
  const isKnown = (name: string): boolean => rows.some((row) => cell(row, name) !== null);
  const figures = shown.filter(([name]) => isKnown(name));
  if (!figures.some(([name]) => name === view.metric) && isKnown(view.metric)) {
    figures.unshift([view.metric, shortName(view.metric)]);
  }
  const headings = [...view.axes.map(shortName), 'fits', ...figures.map(([, heading]) => heading)];
  const texts = rows.map((row) => {
    const keys = view.axes.map((name) => formatCell(name, cell(row, name)));
    const status = cell(row, 'status');
    if (status === 'illegal') return { cells: [...keys, '-'], reason: String(cell(row, 'reason')) };
    if (status === 'no-plan') return { cells: [...keys, 'NO'], reason: String(cell(row, 'reason')) };
    return {
      cells: [...keys, status === 'fits' ? 'yes' : 'NO', ...figures.map(([name]) => formatCell(name, cell(row, name)))],
      reason: '',
    };
  });
  const widths = headings.map((heading, i) =>
    Math.max(heading.length, ...texts.map(({ cells }) => cells[i]?.length ?? 0)),
  );
  const columns = fitting(widths, view.axes.length + 1, style.columns);
  const line = (cells: readonly string[]): string =>
    cells
      .slice(0, columns)
      .map((text, i) => text.padStart(widths[i] ?? 0))
      .join('  ')
      .trimEnd();
  return [
    tint(line(headings), 'dim', style),
    ...texts.map(({ cells, reason }) => {
      const text = line(cells);
      return reason === ''
        ? text
        : `${text}  ${tint(clipped(reason, style.columns - text.length - 2), 'yellow', style)}`;
    }),
  ];
}

/** How many columns fit the line; the varied keys always stay. */
function fitting(widths: readonly number[], least: number, room: number): number {
  let used = -2;
  let count = 0;
  for (const width of widths) {
    used += width + 2;
    if (used > room && count >= least) break;
    count += 1;
  }
  return count;
}

function clipped(text: string, room: number): string {
  return text.length <= room ? text : `${text.slice(0, Math.max(0, room - 3))}...`;
}

/** The field's short forms, as headings have them. */
const abbreviations: Readonly<Record<string, string>> = {
  tensorParallel: 'tp',
  contextParallel: 'cp',
  pipelineParallel: 'pp',
  virtualStages: 'vp',
  expertParallel: 'ep',
  expertTensorParallel: 'etp',
  microBatchSize: 'mbs',
  globalBatchSize: 'gbs',
  deviceBytes: 'memory',
};

/** The last word of a dotted name, where it says enough, or its short form. */
export function shortName(name: string): string {
  const last = name.split('.').at(-1) ?? name;
  if (Object.hasOwn(abbreviations, last)) return abbreviations[last] ?? last;
  return last === 'seconds' ? name.replace('.', ' ') : last;
}

/** A value with the unit that its name says. */
export function formatCell(name: string, cell: Cell): string {
  if (cell === null) return '-';
  if (typeof cell === 'boolean') return cell ? 'yes' : 'no';
  if (typeof cell !== 'number') return cell.length > 36 ? `${cell.slice(0, 33)}...` : cell;
  const word = name.split('.').at(-1) ?? name;
  if (cell >= 1e6) {
    if (/BytesPerSecond$/.test(word)) return formatBytesPerSecond(cell);
    if (/Bytes$/.test(word)) return formatBytes(cell);
    if (/FlopsPerSecond$|^(fp|bf|tf)\d+$/.test(word)) return formatFlopsPerSecond(cell);
  }
  if (/[sS]econds$/.test(word)) return formatSeconds(cell);
  if (/^probability/.test(word) && cell < 0.01) return '<1 %';
  if (/^mfu$|^hfu$|^goodput$|^probability/.test(word)) return formatRatio(cell);
  if (/Usd$/.test(word)) return formatDollars(cell);
  if (word === 'tokens' || cell >= 1e9) return formatCount(cell);
  if (Number.isInteger(cell)) return grouped(cell);
  return cell >= 1000 ? grouped(Math.round(cell)) : String(Number(cell.toPrecision(4)));
}
