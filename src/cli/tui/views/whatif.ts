import { formatBytes, formatCount, formatRatio, formatSeconds } from '../../../quantity/format.js';
import { blank, fitted, type Look, type Row, type Span } from '../screen/row.js';
import { type Axis, axesOf, pointsOf, variableFields } from '../state/actions/whatifActions.js';
import type { State, WhatIfMetric } from '../state/state.js';
import type { GridPoint, GridResult } from '../work/grid.js';
import { type Area, type Draw, plainBar, theme, windowOf } from './draw.js';

interface Metric {
  readonly title: string;
  readonly value: (point: GridPoint) => number | null;
  readonly text: (value: number) => string;
  readonly best: 'most' | 'least';
}

const metrics: Readonly<Record<WhatIfMetric, Metric>> = {
  tokens: { title: 'tokens/s', value: ({ tokensPerSecond }) => tokensPerSecond, text: formatCount, best: 'most' },
  step: { title: 'step', value: ({ stepSeconds }) => stepSeconds, text: formatSeconds, best: 'least' },
  mfu: { title: 'MFU', value: ({ mfu }) => mfu, text: formatRatio, best: 'most' },
  memory: { title: 'memory', value: ({ deviceBytes }) => deviceBytes, text: formatBytes, best: 'least' },
  days: { title: 'time', value: ({ days }) => days, text: (days) => formatSeconds(days * 86_400), best: 'least' },
};

/** One figure over the values of one field, or of two. */
export function whatifView(state: State, area: Area, draw: Draw): Row[] {
  const listRows = Math.min(variableFields.length, area.rows < 24 ? 6 : 14);
  const list = fieldRows(state, listRows, draw);
  const room = area.rows - list.length - 1;
  return [...list, blank, ...chartRows(state, { ...area, rows: room }, draw)];
}

function fieldRows(state: State, rows: number, { glyphs }: Draw): Row[] {
  const { selected, keys } = state.whatif;
  const { from, to } = windowOf(variableFields.length, selected, rows);
  return [
    [
      ['Vary one field, or two', theme.title],
      ['  enter chooses', theme.dim],
    ],
    ...variableFields.slice(from, to).map(({ key, label }, index): Row => {
      const chosen = from + index === selected && state.focus === 'view';
      const mark = keys.includes(key) ? glyphs.mark : ' ';
      return [[`${chosen ? glyphs.pointer : ' '}${mark} ${label}`, chosen ? theme.selected : undefined]];
    }),
  ];
}

function chartRows(state: State, area: Area, draw: Draw): Row[] {
  const { grid } = state;
  if (state.whatif.keys.length === 0) return [[['no field is varied', theme.dim]]];
  if (grid.problem !== undefined) return [[[grid.problem, theme.bad]]];
  const axes = axesOf(state);
  const [first, second] = axes;
  if (grid.result === undefined || first === undefined) {
    const text = grid.running ? 'working it out' : 'no other value of this field can run now; h and l say why';
    return [[[text, theme.dim]]];
  }
  const metric = metrics[state.whatif.metric];
  const head: Row = [
    [metric.title, theme.title],
    [` by ${axes.map(({ field }) => field.label).join(' and ')}`],
    ['  m shows another figure', theme.dim],
  ];
  const body =
    second === undefined
      ? barRows(state, first, grid.result, area, draw)
      : tableRows(state, first, second, grid.result, area, draw);
  return [head, ...body, ...reasonRow(state, grid.result, area)];
}

/** Fits, does not, or cannot run: a glyph and a colour. */
function markOf(point: GridPoint | undefined, { glyphs }: Draw): Span {
  if (point === undefined || point.refusal !== undefined) return ['-', theme.dim];
  return point.fits ? [glyphs.fits, theme.good] : [glyphs.overflows, theme.bad];
}

function lookOf(point: GridPoint): Look {
  return point.fits ? theme.accent : { colour: 'red' };
}

function barRows(state: State, { values }: Axis, result: GridResult, { columns, rows }: Area, draw: Draw): Row[] {
  const metric = metrics[state.whatif.metric];
  const numbers = result.map((point) => (point.refusal === undefined ? (metric.value(point) ?? 0) : 0));
  const most = Math.max(...numbers, 1e-12);
  const label = Math.max(...values.map((value) => valueText(value).length));
  const { from, to } = windowOf(values.length, state.whatif.point, Math.max(1, rows - 2));
  const room = Math.max(4, columns - label - 16);
  return values.slice(from, to).map((value, index): Row => {
    const at = from + index;
    const point = result[at];
    const chosen = at === state.whatif.point;
    const head: Span = [
      `${chosen ? draw.glyphs.pointer : ' '}${valueText(value).padStart(label)} `,
      chosen ? theme.selected : undefined,
    ];
    if (point === undefined || point.refusal !== undefined)
      return [head, markOf(point, draw), [' cannot run', theme.dim]];
    const number = metric.value(point);
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
  const label = Math.max(...first.values.map((value) => valueText(value).length)) + 1;
  const count = second.values.length;
  const chosenRow = Math.floor(state.whatif.point / count);
  const chosenColumn = state.whatif.point % count;
  const across = windowOf(count, chosenColumn, Math.max(1, Math.floor((columns - label) / width)));
  const down = windowOf(first.values.length, chosenRow, Math.max(1, rows - 3));
  const best = bestOf(result, metric);
  const head: Row = [
    [' '.repeat(label)],
    ...second.values.slice(across.from, across.to).map(
      (value): Span => [
        valueText(value)
          .slice(0, width - 1)
          .padStart(width),
        theme.title,
      ],
    ),
  ];
  const body = first.values.slice(down.from, down.to).map((value, index): Row => {
    const row = down.from + index;
    const cells = second.values.slice(across.from, across.to).map((_, place): Span => {
      const at = row * count + across.from + place;
      const chosen = at === state.whatif.point;
      const point = result[at];
      const number = point === undefined || point.refusal !== undefined ? null : metric.value(point);
      const text = `${number === null ? '' : metric.text(number)} ${markOf(point, draw)[0]}`.padStart(width);
      const look = at === best ? theme.good : point?.fits ? undefined : theme.dim;
      return [text, chosen ? theme.selected : look];
    });
    return [[valueText(value).padStart(label - 1), theme.title], [' '], ...cells];
  });
  return [head, ...body];
}

/** The best point that fits. */
function bestOf(result: GridResult, { value, best }: Metric): number {
  let chosen = -1;
  let record = Number.POSITIVE_INFINITY;
  result.forEach((point, index) => {
    const number = point.refusal === undefined && point.fits ? value(point) : null;
    if (number === null) return;
    const score = best === 'most' ? -number : number;
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
  const changes = Object.entries(pointsOf(state)[state.whatif.point]?.changes ?? {});
  const name = changes.map(([key, value]) => `${key.split('.').at(-1)} ${valueText(value)}`).join(', ');
  const text =
    point.refusal ??
    `${formatSeconds(point.stepSeconds)}, ${formatBytes(point.deviceBytes)}, MFU ${formatRatio(point.mfu)}; y loads it`;
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
