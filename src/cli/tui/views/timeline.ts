import { formatRatio, formatSeconds } from '../../../quantity/format.js';
import { causeName } from '../../../report/causes.js';
import {
  type Cell,
  cellsOf,
  kindNames,
  letters,
  type RankSpans,
  type Span as TaskSpan,
} from '../../../report/timelineSpans.js';
import { type TaskKind, taskKinds } from '../../../simulation/stepTasks.js';
import { blank, clipText, type Look, type Row, type Span, spread } from '../screen/row.js';
import { selectedStream, type TimelineRow, timelineRows } from '../state/actions/timelineActions.js';
import { questionId } from '../state/change.js';
import type { State, TimelineView } from '../state/state.js';
import { type StepPicture, spanAt, spansBetween } from '../work/picture.js';
import { type Area, type Draw, theme, windowOf } from './draw.js';
import { refusalRows } from './overview.js';

const looks: Readonly<Record<TaskKind, Look>> = {
  forward: { colour: 'black', background: 'cyan' },
  backward: { colour: 'black', background: 'green' },
  inputGradient: { colour: 'black', background: 'green' },
  weightGradient: { colour: 'black', background: 'yellow' },
  together: { colour: 'black', background: 'magenta' },
  send: { colour: 'red' },
  gather: { colour: 'blue', bold: true },
  reduce: { colour: 'magenta', bold: true },
  optimizer: { colour: 'black', background: 'white' },
  checkpoint: { colour: 'white', bold: true },
};

/** The simulated pipeline: a row for every rank, time to the right, and what is known of the selected task. */
export function timelineView(state: State, area: Area, draw: Draw): Row[] {
  const refused = refusalRows(state, area, draw);
  const { simulation } = state;
  const step = simulation.result;
  if (step === undefined) {
    const text = simulation.problem ?? (state.answer.ok ? 'simulating the step' : '');
    return [...refused, [[text, simulation.problem === undefined ? theme.dim : theme.bad]]];
  }
  const facts = factRows(step, state.timeline, area, draw);
  const head = [...refused, ...headRows(state, step, area)];
  const legend = legendRow(step, area, draw);
  const room = Math.max(1, area.rows - head.length - facts.length - 2);
  const rows = pictureRows(state, step, room, area, draw);
  return [
    ...head,
    ...rows,
    axisRow(step, state.timeline, labelWidth(step, state.timeline.open), area),
    legend,
    ...facts,
  ];
}

function headRows(state: State, step: StepPicture, { columns }: Area): Row[] {
  const { from, to } = state.timeline;
  const stale = state.simulation.resultFor !== questionId(state) ? '  updating' : '';
  const problem = state.simulation.problem === undefined ? [] : [[[state.simulation.problem, theme.bad]] as Row];
  const whole = to - from > 0.9999 ? 'whole step' : `${formatRatio(to - from)} of it`;
  const part =
    step.microBatches < step.allMicroBatches
      ? `, first ${step.microBatches} of ${step.allMicroBatches} micro-batches`
      : '';
  return [
    spread(
      [
        ['Simulated step', theme.title],
        [`  ${formatSeconds(step.stepSeconds)}${part}${stale}`, theme.dim],
      ],
      [[whole, theme.dim], [' ']],
      columns,
    ),
    ...problem,
  ];
}

function labelWidth(step: StepPicture, open: boolean): number {
  const digits = `${step.ranks.length - 1}`.length;
  return digits + (open ? 5 : 2);
}

function pictureRows(state: State, step: StepPicture, room: number, { columns }: Area, draw: Draw): Row[] {
  const { timeline: view, focus } = state;
  const rows = timelineRows(step, view.open);
  const rank = Math.min(view.rank, step.ranks.length - 1);
  const selected = Math.max(
    0,
    rows.findIndex((row) => row.rank === rank && row.stream === view.stream),
  );
  const { from, to } = windowOf(rows.length, selected, room);
  const label = labelWidth(step, view.open);
  const width = Math.max(1, columns - label - 1);
  const chosen = chosenSpan(step, view);
  return rows.slice(from, to).map((row, index) => {
    const isSelected = from + index === selected;
    const name = rowName(step, row, view.open).padStart(label - 1);
    const head: Span = [`${name} `, isSelected && focus === 'view' ? theme.selected : theme.dim];
    return [head, ...cellSpans(cellsOfRow(step, row, view, width), isSelected ? chosen : undefined, draw)];
  });
}

function rowName(step: StepPicture, { rank, stream }: TimelineRow, open: boolean): string {
  if (!open) return `${rank}`;
  const name = step.ranks[rank]?.streams[stream]?.stream ?? '';
  return stream === 0 ? `${rank} ${name.slice(0, 4)}` : name.slice(0, 4);
}

function cellsOfRow(step: StepPicture, { rank, stream }: TimelineRow, view: TimelineView, width: number): Cell[] {
  const from = view.from * step.makespanSeconds;
  const to = view.to * step.makespanSeconds;
  const streams = step.ranks[rank]?.streams ?? [];
  const spans = (index: number): TaskSpan[] => {
    const picture = streams[index];
    return picture === undefined ? [] : spansBetween(picture, from, to);
  };
  const alone: RankSpans = { compute: spans(stream), beside: [] };
  if (view.open) return cellsOf(alone, from, to, width);
  const beside = streams.slice(1).map(({ stream: name }, index) => ({ stream: name, spans: spans(index + 1) }));
  return cellsOf({ ...alone, beside }, from, to, width);
}

function chosenSpan(step: StepPicture, view: TimelineView): TaskSpan | undefined {
  const stream = selectedStream(step, view);
  return stream === undefined ? undefined : spanAt(stream, view.span);
}

/** A task as wide as its name shows it, `F12`; where colours show the kind, the rest of it stays empty. */
function cellSpans(cells: readonly Cell[], chosen: TaskSpan | undefined, draw: Draw): Span[] {
  const spans: Span[] = [];
  for (let i = 0; i < cells.length; ) {
    const cell = cells[i];
    let end = i + 1;
    while (end < cells.length && cells[end] === cell) end++;
    if (cell === undefined) spans.push([draw.glyphs.dot.repeat(end - i), theme.dim]);
    else spans.push([cellText(cell, end - i, draw), isSame(cell, chosen) ? chosenLook : looks[cell.kind]]);
    i = end;
  }
  return spans;
}

const chosenLook: Look = { inverse: true, bold: true };

function isSame(a: TaskSpan, b: TaskSpan | undefined): boolean {
  return b !== undefined && a.startSeconds === b.startSeconds && a.kind === b.kind && a.microBatch === b.microBatch;
}

function cellText({ kind, microBatch }: TaskSpan, width: number, draw: Draw): string {
  const letter = letters[kind];
  const isPass = kind !== 'gather' && kind !== 'reduce' && kind !== 'optimizer' && kind !== 'checkpoint';
  const name = `${letter}${microBatch}`;
  if (isPass && name.length <= width) return name.padEnd(width, draw.color ? ' ' : '-');
  return draw.color && width > 1 ? letter.padEnd(width) : letter.repeat(width);
}

function axisRow(step: StepPicture, { from, to }: TimelineView, label: number, { columns }: Area): Row {
  const width = columns - label - 1;
  const at = (share: number): string => formatSeconds((from + share * (to - from)) * step.makespanSeconds);
  const first = at(0);
  const middle = at(0.5);
  const last = at(1);
  const left = Math.floor((width - middle.length) / 2) - first.length;
  const right = width - first.length - left - middle.length - last.length;
  if (left < 1 || right < 1) return [[' '.repeat(label)], [first, theme.dim]];
  return [[' '.repeat(label)], [`${first}${' '.repeat(left)}${middle}${' '.repeat(right)}${last}`, theme.dim]];
}

/** The kinds of task that this step has. */
function legendRow(step: StepPicture, { columns }: Area, draw: Draw): Row {
  const kinds = taskKinds.filter((_, kind) =>
    step.ranks.some(({ streams }) => streams.some((stream) => stream.kinds.includes(kind))),
  );
  const names = columns < 60 ? { ...kindNames, ...shortNames } : kindNames;
  return [
    ...kinds.flatMap((kind): Span[] => [
      [letters[kind], looks[kind]],
      [` ${names[kind]} `, theme.dim],
    ]),
    [`${draw.glyphs.dot} idle`, theme.dim],
  ];
}

const shortNames = {
  forward: 'fwd',
  backward: 'bwd',
  inputGradient: 'input',
  weightGradient: 'weight',
  together: 'both',
  optimizer: 'opt',
} as const;

/** What the selected task is, when it runs, and what its time goes to. */
function factRows(step: StepPicture, view: TimelineView, { columns, rows: height }: Area, draw: Draw): Row[] {
  const stream = selectedStream(step, view);
  const span = chosenSpan(step, view);
  if (stream === undefined || span === undefined) return [[['no task selected', theme.dim]]];
  const seconds = span.endSeconds - span.startSeconds;
  const critical = stream.critical[view.span] === 1 ? '  on the critical path' : '';
  const busy = (step.ranks[view.rank]?.busySeconds ?? 0) / step.makespanSeconds;
  const numbered = span.kind === 'optimizer' ? '' : ` of micro-batch ${span.microBatch}`;
  const parts = Object.entries(step.parts[`${span.kind}:${span.chunk}`] ?? {}).filter(([, value]) => value > 0);
  const texts = parts.map(([key, value]) => `${causeName(key)} ${formatSeconds(value)}`);
  const rows: Row[] = [
    [
      [`${kindNames[span.kind]}${numbered}`, theme.title],
      [`  ${formatSeconds(seconds)}`, theme.accent],
      [critical, theme.note],
    ],
    [
      [`stage ${view.rank}, chunk ${span.chunk}, ${stream.stream} stream`],
      [`  ${formatSeconds(span.startSeconds)} to ${formatSeconds(span.endSeconds)}`, theme.dim],
      [`  stage busy ${formatRatio(busy)}`, theme.dim],
    ],
  ];
  if (texts.length > 0) rows.push([[clipText(`alone: ${texts.join(', ')}`, columns, draw.glyphs.ellipsis), theme.dim]]);
  return height < 14 ? rows.slice(0, 2) : [...rows, ...(texts.length > 0 ? [] : [blank])];
}
