import { questionText, sweepDigest } from '../../planner/sweep/definition.js';
import type { Cell } from '../../planner/sweep/figures.js';
import type { Shard } from '../../planner/sweep/shard.js';
import type { Sweep } from '../../planner/sweep/sweepRows.js';
import type { SweepSummary } from '../../planner/sweep/sweepSummary.js';
import { sweepChart } from '../../report/sweepChart.js';
import { chartData } from '../../report/sweepSeries.js';
import { sweepSvg } from '../../report/sweepSvg.js';
import { type SweepView, shortName, sweepTable } from '../../report/sweepTable.js';
import type { TextStyle } from '../../report/text.js';
import { writeError } from '../output.js';
import { writeWhole } from '../writeFile.js';
import { csvSink, jsonLinesSink, type RowSink } from './rowSink.js';
import { shardHead } from './shardFile.js';
import type { OutputFiles } from './whatifFlags.js';

/** One sink for each file of rows. */
export async function openSinks(
  sweep: Pick<Sweep, 'columns' | 'definition'>,
  shard: Shard,
  files: OutputFiles,
): Promise<readonly RowSink[]> {
  const { columns, definition } = sweep;
  const sinks: RowSink[] = [];
  if (files.csv !== undefined) sinks.push(csvSink(files.csv, columns));
  if (files.jsonl !== undefined) {
    sinks.push(jsonLinesSink(files.jsonl, columns, shard.count > 1 ? shardHead(sweep, shard) : ''));
  }
  if (files.parquet !== undefined) {
    const { parquetSink } = await import('./parquetSink.js');
    const metadata = { 'slipway.sweep': sweepDigest(definition), 'slipway.definition': questionText(definition) };
    sinks.push(await parquetSink(files.parquet, columns, metadata));
  }
  return sinks;
}

export interface AnswerOptions {
  readonly summary: SweepSummary;
  readonly files: OutputFiles;
  readonly metric: string;
  readonly json: boolean;
  readonly style: TextStyle;
}

/** What goes to stdout: the rows as one JSON document, or a table and a chart. Writes the picture, if one is asked for. */
export function answerText(
  { columns, definition }: Pick<Sweep, 'columns' | 'definition'>,
  options: AnswerOptions,
): string {
  const { summary, files, metric, json, style } = options;
  const axes = definition.axes.map(({ name }) => name);
  const view: SweepView = { columns, axes, metric, summary };
  const chart = chartData(view);
  if (files.svg !== undefined) {
    if (chart === undefined) writeError('slipway: nothing to draw: no axis has two points with that figure\n');
    else writeWhole(files.svg, sweepSvg(chart, `${shortName(metric)} of ${titleOf(definition.run)}`));
  }
  if (json) return jsonText(view);
  return chart === undefined || summary.rows.length < 3
    ? sweepTable(view, style)
    : `${sweepTable(view, style)}\n${sweepChart(chart, style)}`;
}

function titleOf(run: Readonly<Record<string, unknown>>): string {
  const word = (value: unknown): string => {
    if (typeof value === 'string') return value;
    return typeof value === 'object' && value !== null ? String(Reflect.get(value, 'name') ?? 'one given') : 'several';
  };
  return `${word(run.model)} on ${word(run.cluster)}`;
}

function jsonText({ columns, axes, metric, summary }: SweepView): string {
  const { points } = summary;
  // Only a search can find no plan.
  const { 'no-plan': unplanned, ...counts } = summary.counts;
  const searched = columns.some(({ name }) => name === 'plan');
  const head = {
    schemaVersion: 1,
    points,
    counts: searched ? { ...counts, 'no-plan': unplanned } : counts,
    axes,
    metric,
  };
  const rows = summary.rows.map((row) =>
    JSON.stringify(Object.fromEntries(columns.map(({ name }, i): [string, Cell] => [name, row[i] ?? null]))),
  );
  const text = JSON.stringify(head, null, 2);
  return `${text.slice(0, -2)},\n  "rows": [\n${rows.map((row) => `    ${row}`).join(',\n')}\n  ]\n}\n`;
}
