import { formatSeconds } from '../quantity/format.js';
import type { TimedStep } from '../simulation/criticalPath.js';
import type { TaskKind } from '../simulation/stepTasks.js';
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
};

/** The pipeline as one row per stage, with an axis and what the letters mean. */
export function pipelinePicture(step: TimedStep, style: TextStyle, options: PictureOptions = {}): string[] {
  const ranks = timelineSpans(step);
  const from = options.fromSeconds ?? 0;
  const to = options.toSeconds ?? step.makespanSeconds;
  const label = `${ranks.length - 1}`.length;
  const columns = Math.max(1, style.columns - label - 1);
  const rows = ranks.map((rank) => cellsOf(rank, from, to, columns));
  return [
    ...rows.map((cells, rank) => `${`${rank}`.padStart(label)} ${pictureRow(cells, style)}`),
    `${' '.repeat(label + 1)}${axis(from, to, columns)}`,
    ...legend(rows, style),
  ];
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
  const isPass = kind !== 'gather' && kind !== 'reduce' && kind !== 'optimizer';
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
