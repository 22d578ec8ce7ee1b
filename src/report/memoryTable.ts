import { formatBytes } from '../quantity/format.js';
import type { StageMemory } from '../simulation/evaluation.js';
import { row, type TextStyle, tint } from './text.js';

/** The columns, and what is left of them on a terminal of less than 80. */
const wide = {
  widths: [7, 6, 7, 7, 7, 7, 7, 8, 7, 8],
  head: ['Stage', 'layers', 'weights', 'grads', 'optim', 'activ', 'buffers', 'overhead', 'GiB', 'inflight'],
};
const narrow = { widths: [7, 7, 7, 7, 7], head: ['Stage', 'states', 'activ', 'rest', 'GiB'] };
/** Rows of a table that a reader still takes in. */
const MOST_ROWS = 6;

/** Memory per pipeline stage in GiB; neighbours that look alike share a row, the fullest stage is marked. */
export function memoryTable(stages: readonly StageMemory[], style: TextStyle): readonly string[] {
  const groups = shortened(alike(stages));
  const fullest = Math.max(...stages.map(total));
  const { widths, head } = style.columns < 80 ? narrow : wide;
  const shown = style.columns < 80 ? fewCells : cells;
  return [
    tint(row(head, widths), 'bold', style),
    ...groups.map((group) => {
      const [first] = group;
      const last = group.at(-1);
      if (!first || !last) return '...';
      const name = first === last ? `${first.stage}` : `${first.stage}-${last.stage}`;
      const line = row([`${name}${total(first) === fullest ? ' *' : ''}`, ...shown(first)], widths);
      return total(first) === fullest && stages.length > 1 ? tint(line, 'cyan', style) : line;
    }),
  ];
}

function cells(stage: StageMemory): string[] {
  return [
    `${stage.layers}`,
    ...[
      stage.weightsBytes,
      stage.gradientsBytes,
      stage.optimizerBytes,
      stage.activationsBytes,
      stage.buffersBytes,
      stage.overheadBytes,
      total(stage),
    ].map(gibibytes),
    `${Number(stage.inFlightMicroBatches.toFixed(1))}`,
  ];
}

function fewCells(stage: StageMemory): string[] {
  const states = stage.weightsBytes + stage.gradientsBytes + stage.optimizerBytes;
  return [states, stage.activationsBytes, stage.buffersBytes + stage.overheadBytes, total(stage)].map(gibibytes);
}

function total(stage: StageMemory): number {
  return stage.peakBytes + stage.overheadBytes;
}

function gibibytes(bytes: number): string {
  const gib = bytes / 2 ** 30;
  return gib >= 1e5 ? formatBytes(bytes) : gib.toFixed(gib < 10 ? 2 : 1);
}

function alike(stages: readonly StageMemory[]): StageMemory[][] {
  const groups: StageMemory[][] = [];
  for (const stage of stages) {
    const group = groups.at(-1);
    const [first] = group ?? [];
    if (group && first && cells(first).join() === cells(stage).join()) group.push(stage);
    else groups.push([stage]);
  }
  return groups;
}

/** First, fullest and last stages, with a gap where rows were left out. */
function shortened(groups: readonly StageMemory[][]): StageMemory[][] {
  if (groups.length <= MOST_ROWS) return [...groups];
  const totals = groups.map(([first]) => (first ? total(first) : 0));
  const fullest = totals.indexOf(Math.max(...totals));
  const kept = new Set([0, 1, fullest, groups.length - 2, groups.length - 1]);
  return groups.flatMap((group, index) => {
    if (kept.has(index)) return [group];
    return kept.has(index - 1) ? [[]] : [];
  });
}
