import { type Axis, keyOf } from '../../../planner/sweep/axis.js';
import { formatBytes, formatCount, formatDollars, formatRatio, formatSeconds } from '../../../quantity/format.js';
import { formatCell } from '../../../report/sweepTable.js';
import { blank, fitted, type Look, type Row, type Span } from '../screen/row.js';
import { labelOf, variablesOf } from '../state/actions/whatifActions.js';
import type { State, WhatIfMetric } from '../state/state.js';
import type { GridFigure, GridPoint, GridResult } from '../work/grid.js';
import { type Area, type Draw, plainBar, theme, windowOf } from './draw.js';

interface Metric {
  readonly title: string;
  readonly figure: GridFigure;
  readonly text: (value: number) => string;
  readonly best: 'most' | 'least';
}

const metrics: Readonly<Record<WhatIfMetric, Metric>> = {
  tokens: { title: 'tokens/s', figure: 'throughput.tokensPerSecond', text: formatCount, best: 'most' },
  step: { title: 'step', figure: 'step.seconds', text: formatSeconds, best: 'least' },
  mfu: { title: 'MFU', figure: 'throughput.mfu', text: formatRatio, best: 'most' },
  memory: { title: 'memory', figure: 'memory.deviceBytes', text: formatBytes, best: 'least' },
  days: { title: 'time', figure: 'training.days', text: (days) => formatSeconds(days * 86_400), best: 'least' },
  cost: { title: 'cost', figure: 'training.costUsd', text: formatDollars, best: 'least' },
};

/** One figure over the values of one field, or of two. */
export function whatifView(state: State, area: Area, draw: Draw): Row[] {
  const listRows = Math.min(variablesOf(state).length, area.rows < 24 ? 6 : 14);
  const list = fieldRows(state, listRows, draw);
  const room = area.rows - list.length - 1;
  return [...list, blank, ...chartRows(state, { ...area, rows: room }, draw)];
}

function fieldRows(state: State, rows: number, { glyphs }: Draw): Row[] {
  const { selected, keys } = state.whatif;
  const variables = variablesOf(state);
  const { from, to } = windowOf(variables.length, selected, rows);
  return [
    [
      ['Vary one field, or two', theme.title],
      ['  enter chooses, i types', theme.dim],
    ],
    ...variables.slice(from, to).map(({ key, label, typed }, index): Row => {
      const chosen = from + index === selected && state.focus === 'view';
      const mark = keys.includes(key) ? glyphs.mark : ' ';
      return [
        [`${chosen ? glyphs.pointer : ' '}${mark} ${label}`, chosen ? theme.selected : undefined],
        [typed === undefined ? '' : '  typed', theme.dim],
      ];
    }),
  ];
}

function chartRows(state: State, area: Area, draw: Draw): Row[] {
  const { grid } = state;
  if (state.whatif.keys.length === 0) return [[['no field is varied', theme.dim]]];
  if (grid.problem !== undefined) return [[[grid.problem, theme.bad]]];
  const [first, second] = grid.axes;
  if (grid.result === undefined || first === undefined) {
    const text = grid.running ? 'working it out' : 'no other value of this field can run now; h and l say why';
    return [[[text, theme.dim]]];
  }
  const metric = metrics[state.whatif.metric];
  const axes = grid.axes.map(labelOf).join(' and ');
  const head: Row = [
    [metric.title, theme.title],
    [` by ${axes}`],
    [grid.running ? `  ${grid.result.length} points so far` : '  m shows another figure', theme.dim],
  ];
  const body =
    second === undefined
      ? barRows(state, first, grid.result, area, draw)
      : tableRows(state, first, second, grid.result, area, draw);
  return [head, ...body, ...reasonRow(state, grid.result, area)];
}

/** Values of an axis as they were given: `4`, or `x1.5` of what the scenario has. */
function textsOf({ change }: Axis): readonly string[] {
  if (change.kind === 'formula') return [];
  const sign = { list: '', times: 'x', plus: '+' }[change.kind];
  return change.values.map((value) => `${sign}${valueText(value)}`);
}

function numberOf(point: GridPoint, { figure }: Metric): number | null {
  return point.refusal === undefined ? point.figures[figure] : null;
}

/** Fits, does not, or cannot run: a glyph and a colour. */
function markOf(point: GridPoint | undefined, { glyphs }: Draw): Span {
  if (point === undefined || point.refusal !== undefined) return ['-', theme.dim];
  return point.fits ? [glyphs.fits, theme.good] : [glyphs.overflows, theme.bad];
}

function lookOf(point: GridPoint): Look {
  return point.fits ? theme.accent : { colour: 'red' };
}

function barRows(state: State, axis: Axis, result: GridResult, { columns, rows }: Area, draw: Draw): Row[] {
  const metric = metrics[state.whatif.metric];
  const values = textsOf(axis);
  const numbers = result.map((point) => numberOf(point, metric) ?? 0);
  const most = Math.max(...numbers, 1e-12);
  const label = Math.max(...values.map(({ length }) => length));
  const { from, to } = windowOf(values.length, state.whatif.point, Math.max(1, rows - 2));
  const room = Math.max(4, columns - label - 16);
  return values.slice(from, to).map((value, index): Row => {
    const at = from + index;
    const point = result[at];
    const chosen = at === state.whatif.point;
    const head: Span = [
      `${chosen ? draw.glyphs.pointer : ' '}${value.padStart(label)} `,
      chosen ? theme.selected : undefined,
    ];
    if (point === undefined || point.refusal !== undefined)
      return [head, markOf(point, draw), [' cannot run', theme.dim]];
    const number = numberOf(point, metric);
    const text = number === null ? '-' : metric.text(number);
    return [
      head,
      markOf(point, draw),
      [' '],
      [text.padStart(9)],
      [' '],
      ...plainBar(number ?? 0, most, room, lookOf(point), draw),
    ];
  });
}

function tableRows(
  state: State,
  first: Axis,
  second: Axis,
  result: GridResult,
  { columns, rows }: Area,
  draw: Draw,
): Row[] {
  const metric = metrics[state.whatif.metric];
  const width = 10;
  const lines = textsOf(first);
  const headings = textsOf(second);
  const label = Math.max(...lines.map(({ length }) => length)) + 1;
  const count = headings.length;
  const chosenRow = Math.floor(state.whatif.point / count);
  const chosenColumn = state.whatif.point % count;
  const across = windowOf(count, chosenColumn, Math.max(1, Math.floor((columns - label) / width)));
  const down = windowOf(lines.length, chosenRow, Math.max(1, rows - 3));
  const best = bestOf(result, metric);
  const head: Row = [
    [' '.repeat(label)],
    ...headings
      .slice(across.from, across.to)
      .map((value): Span => [value.slice(0, width - 1).padStart(width), theme.title]),
  ];
  const body = lines.slice(down.from, down.to).map((value, index): Row => {
    const row = down.from + index;
    const cells = headings.slice(across.from, across.to).map((_, place): Span => {
      const at = row * count + across.from + place;
      const chosen = at === state.whatif.point;
      const point = result[at];
      const number = point === undefined ? null : numberOf(point, metric);
      const text = `${number === null ? '' : metric.text(number)} ${markOf(point, draw)[0]}`.padStart(width);
      const look = at === best ? theme.good : point?.fits ? undefined : theme.dim;
      return [text, chosen ? theme.selected : look];
    });
    return [[value.padStart(label - 1), theme.title], [' '], ...cells];
  });
  return [head, ...body];
}

/** The best point that fits. */
function bestOf(result: GridResult, metric: Metric): number {
  let chosen = -1;
  let record = Number.POSITIVE_INFINITY;
  result.forEach((point, index) => {
    const number = point.fits ? numberOf(point, metric) : null;
    if (number === null) return;
    const score = metric.best === 'most' ? -number : number;
    if (score >= record) return;
    record = score;
    chosen = index;
  });
  return chosen;
}

/** What the chosen point is, or why it cannot run. */
function reasonRow(state: State, result: GridResult, { columns }: Area): Row[] {
  const point = result[state.whatif.point];
  if (point === undefined) return [];
  const name = state.grid.axes
    .map((axis) => `${labelOf(axis)} ${formatCell(keyOf(axis), point.values[keyOf(axis)] ?? null)}`)
    .join(', ');
  const said = (figure: GridFigure, format: (value: number) => string): string => {
    const value = point.figures[figure];
    return value === null ? '-' : format(value);
  };
  const text =
    point.refusal ??
    `${said('step.seconds', formatSeconds)}, ${said('memory.deviceBytes', formatBytes)}, MFU ${said('throughput.mfu', formatRatio)}; y loads it`;
  return [
    fitted(
      [
        [`${name}: `, theme.title],
        [text, point.refusal === undefined ? theme.dim : theme.bad],
      ],
      columns - 1,
    ),
  ];
}

function valueText(value: unknown): string {
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  return typeof value === 'number' && value >= 10_000 ? formatCount(value) : String(value);
}
