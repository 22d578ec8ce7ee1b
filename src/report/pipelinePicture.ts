import { formatSeconds } from '../quantity/format.js';
import type { TimedStep } from '../simulation/criticalPath.js';
import type { InnerTask } from '../simulation/innerTasks.js';
import type { SimulatedStep } from '../simulation/simulate.js';
import type { TaskKind } from '../simulation/stepTasks.js';
import { type InnerLane, insidePasses, inWords } from './insidePasses.js';
import { type TextStyle, type Tint, tint, wrapped } from './text.js';
import { type Cell, cellsOf, kindNames, letters, timelineSpans } from './timelineSpans.js';

export interface PictureOptions {
  /** Part of the step to show; all of it where not given. */
  readonly fromSeconds?: number | undefined;
  readonly toSeconds?: number | undefined;
}

const tints: Readonly<Record<TaskKind, Tint>> = {
  forward: 'cyan',
  backward: 'green',
  inputGradient: 'green',
  weightGradient: 'yellow',
  together: 'bold',
  send: 'red',
  gather: 'red',
  reduce: 'red',
  optimizer: 'bold',
  checkpoint: 'red',
};

/** The pipeline as one row per stage, with an axis and what the letters mean. */
export function pipelinePicture(
  step: TimedStep & Partial<Pick<SimulatedStep, 'chunks'>>,
  style: TextStyle,
  options: PictureOptions = {},
): string[] {
  const ranks = timelineSpans(step);
  const from = options.fromSeconds ?? 0;
  const to = options.toSeconds ?? step.makespanSeconds;
  const { chunks } = step;
  const inside = chunks === undefined ? [] : insidePasses({ ...step, chunks }, ranks, from, to);
  const label = inside.some((lanes) => lanes.length > 0) ? widestLane : `${ranks.length - 1}`.length;
  const columns = Math.max(1, style.columns - label - 1);
  const rows = ranks.map((rank) => cellsOf(rank, from, to, columns));
  return [
    ...rows.flatMap((cells, rank) => [
      `${`${rank}`.padStart(label)} ${pictureRow(cells, style)}`,
      ...(inside[rank] ?? []).map((lane) => `${lane.label.padStart(label)} ${laneRow(lane, from, to, columns, style)}`),
    ]),
    `${' '.repeat(label + 1)}${axis(from, to, columns)}`,
    ...legend(rows, style),
  ];
}

/** Room for the names of the streams inside passes. */
const widestLane = 8;

/** What a stream inside the passes does: of each cell the task that fills most of it. */
function laneRow({ tasks, stream }: InnerLane, from: number, to: number, columns: number, style: TextStyle): string {
  const width = (to - from) / columns;
  const cells = new Array<InnerTask | undefined>(columns).fill(undefined);
  const covered = new Float64Array(columns);
  for (const task of tasks) {
    const first = Math.max(0, Math.floor((task.startSeconds - from) / width));
    const last = Math.min(columns - 1, Math.floor((task.endSeconds - from) / width));
    for (let cell = first; cell <= last; cell++) {
      const left = from + cell * width;
      const seconds = Math.min(task.endSeconds, left + width) - Math.max(task.startSeconds, left);
      if (seconds <= (covered[cell] ?? 0)) continue;
      covered[cell] = seconds;
      cells[cell] = task;
    }
  }
  let text = '';
  for (let i = 0; i < columns; ) {
    let end = i + 1;
    while (end < columns && cells[end] === cells[i]) end++;
    const name = cells[i]?.name;
    text +=
      name === undefined
        ? '.'.repeat(end - i)
        : inWords(name)
            .slice(0, end - i)
            .padEnd(end - i, '-');
    i = end;
  }
  return tint(text, stream === 'compute' ? 'cyan' : 'red', style);
}

/** A span as wide as its name shows it, `F12---`; a narrower one repeats its letter. */
function pictureRow(cells: readonly Cell[], style: TextStyle): string {
  const runs: { text: string; kind: TaskKind | undefined }[] = [];
  for (let i = 0; i < cells.length; ) {
    const cell = cells[i];
    let end = i + 1;
    while (end < cells.length && cells[end] === cell) end++;
    const text = cell === undefined ? '.'.repeat(end - i) : spanText(cell, end - i);
    const last = runs[runs.length - 1];
    if (last !== undefined && last.kind === cell?.kind) last.text += text;
    else runs.push({ text, kind: cell?.kind });
    i = end;
  }
  return runs.map(({ text, kind }) => tint(text, kind === undefined ? 'dim' : tints[kind], style)).join('');
}

function spanText({ kind, microBatch }: NonNullable<Cell>, width: number): string {
  const letter = letters[kind];
  const isPass = kind !== 'gather' && kind !== 'reduce' && kind !== 'optimizer' && kind !== 'checkpoint';
  const name = `${letter}${microBatch}`;
  return isPass && name.length <= width ? name.padEnd(width, '-') : letter.repeat(width);
}

/** First and last moment under the first and last cell. */
function axis(from: number, to: number, columns: number): string {
  const first = formatSeconds(from);
  const last = formatSeconds(to);
  return `${first}${last.padStart(Math.max(last.length + 1, columns - first.length))}`;
}

/** Only what can be seen. */
function legend(rows: readonly (readonly Cell[])[], style: TextStyle): readonly string[] {
  const seen = new Set<TaskKind>();
  let idle = false;
  let numbered = false;
  for (const cells of rows) {
    cells.forEach((cell, i) => {
      if (cell === undefined) idle = true;
      else seen.add(cell.kind);
      numbered ||= cell !== undefined && cells[i + 1] === cell;
    });
  }
  const words = [
    ...(Object.keys(letters) as TaskKind[])
      .filter((kind) => seen.has(kind))
      .map((kind) => `${tint(letters[kind], tints[kind], style)} ${kindNames[kind]}`),
    ...(idle ? ['. idle'] : []),
    ...(numbered ? ['number: micro-batch'] : []),
  ];
  // Wrapped between the words, not inside them.
  return wrapped(
    '',
    words.map((word, i) => `${word}${i < words.length - 1 ? ',' : ''}`),
    style.columns,
  );
}
