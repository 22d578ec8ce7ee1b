import { formatBytes, formatRatio, formatSeconds, grouped } from '../quantity/format.js';
import type { StreamName } from '../simulation/engine/taskGraph.js';
import type { SimulatedStep } from '../simulation/simulate.js';
import type { TaskKind } from '../simulation/stepTasks.js';
import { type InnerLane, insidePasses, inWords } from './insidePasses.js';
import { escaped } from './svgText.js';
import { type Cell, cellsOf, kindNames, letters, type RankSpans, type Span, timelineSpans } from './timelineSpans.js';

export interface SvgOptions {
  readonly fromSeconds?: number | undefined;
  readonly toSeconds?: number | undefined;
  /** Width of the whole picture in pixels. */
  readonly width?: number;
}

/** Colours that stay apart for people who confuse red and green (Okabe and Ito 2008), lighter where text is on them. */
const fills: Readonly<Record<TaskKind, string>> = {
  forward: '#8ecae6',
  backward: '#44aa99',
  inputGradient: '#7fc8b8',
  weightGradient: '#f0d264',
  together: '#b59fd6',
  send: '#d55e00',
  gather: '#cc79a7',
  reduce: '#aa4466',
  optimizer: '#8c8c8c',
  checkpoint: '#5c7a99',
};

const margin = { left: 74, right: 112, top: 58 };
const gap = 6;
const innerHeight = 13;
/** More rectangles than this are drawn as cells of two pixels each. */
const mostRectangles = 20_000;

interface Frame {
  readonly from: number;
  readonly to: number;
  readonly plotWidth: number;
  readonly rowHeight: number;
  readonly laneHeight: number;
  readonly lanes: readonly string[];
  readonly exact: boolean;
  /** By stage: what is inside its passes, where the window is short enough to see it; and the streams of any stage. */
  readonly inside: readonly (readonly InnerLane[])[];
  readonly innerLanes: readonly string[];
}

/** The step as a picture: a row per stage, messages and collectives in thin lanes under it, memory peaks beside it. */
export function timelineSvg(step: SimulatedStep, options: SvgOptions = {}): string {
  const ranks = timelineSpans(step);
  const width = options.width ?? 1200;
  const frame = frameOf(step, ranks, width, options);
  const pitch = rowPitch(frame);
  const plotHeight = ranks.length * pitch - gap;
  const height = margin.top + plotHeight + 78;
  const seen = new Set<TaskKind>();
  const rows = ranks.map((rank, i) => stageRow(step, rank, i, frame, seen));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="Helvetica, Arial, sans-serif">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    title(step, width),
    ...axis(frame, plotHeight),
    ...rows,
    ...legend(seen, frame, margin.top + plotHeight + 48),
    '</svg>',
    '',
  ].join('\n');
}

function frameOf(step: SimulatedStep, ranks: readonly RankSpans[], width: number, options: SvgOptions): Frame {
  const from = options.fromSeconds ?? 0;
  const to = options.toSeconds ?? step.makespanSeconds;
  const inside = ({ startSeconds, endSeconds }: Span): boolean => endSeconds > from && startSeconds < to;
  const rectangles = ranks.reduce(
    (sum, { compute, beside }) =>
      sum + compute.filter(inside).length + beside.reduce((n, { spans }) => n + spans.filter(inside).length, 0),
    0,
  );
  const lanesInside = insidePasses(step, ranks, from, to);
  return {
    inside: lanesInside,
    innerLanes: [...new Set(lanesInside.flatMap((lanes) => lanes.map(({ label }) => label)))],
    from,
    to,
    plotWidth: width - margin.left - margin.right,
    rowHeight: ranks.length <= 16 ? 26 : ranks.length <= 32 ? 18 : 12,
    laneHeight: ranks.length <= 32 ? 5 : 3,
    lanes: [...new Set(ranks.flatMap(({ beside }) => beside.map(({ stream }) => stream)))],
    exact: rectangles <= mostRectangles,
  };
}

function rowPitch({ rowHeight, laneHeight, lanes, innerLanes }: Frame): number {
  return rowHeight + lanes.length * (laneHeight + 1) + innerLanes.length * (innerHeight + 1) + gap;
}

function title(step: SimulatedStep, width: number): string {
  const { prepared: p, order, schedule, stepSeconds, makespanSeconds } = step;
  const busy = step.memory.length;
  const name = `${p.model.name}: ${busy} ${busy === 1 ? 'stage' : 'stages'}, ${schedule.id}, ${grouped(order.microBatches)} micro-batches`;
  const bubble =
    stepSeconds < makespanSeconds * (1 - 1e-9) ? `, from first to last task ${formatSeconds(makespanSeconds)}` : '';
  return [
    `<text x="${margin.left}" y="20" font-size="15" font-weight="bold">${escaped(name)}</text>`,
    `<text x="${margin.left}" y="37" font-size="12" fill="#555555">${escaped(`one step: ${formatSeconds(stepSeconds)}${bubble}`)}</text>`,
    `<text x="${width - 8}" y="${margin.top - 6}" font-size="10" fill="#555555" text-anchor="end">peak memory</text>`,
  ].join('\n');
}

function stageRow(step: SimulatedStep, rank: RankSpans, stage: number, frame: Frame, seen: Set<TaskKind>): string {
  const top = margin.top + stage * rowPitch(frame);
  const { rowHeight, laneHeight, plotWidth } = frame;
  const small = Math.min(12, rowHeight - 1);
  const memory = step.memory[stage];
  const peak =
    memory === undefined
      ? ''
      : `${formatBytes(memory.peakBytes)} (${formatRatio(memory.peakBytes / step.prepared.accelerator.usableMemoryBytes)})`;
  const middle = top + rowHeight / 2;
  return [
    `<g><text x="${margin.left - 8}" y="${round(middle + small / 3)}" font-size="${small}" text-anchor="end">stage ${stage}</text>`,
    `<rect x="${margin.left}" y="${top}" width="${plotWidth}" height="${rowHeight}" fill="#f2f2f2"/>`,
    ...lane(rank.compute, rank, top, rowHeight, frame, seen),
    ...rank.beside.flatMap(({ stream, spans }) => {
      const y = top + rowHeight + 1 + frame.lanes.indexOf(stream) * (laneHeight + 1);
      return lane(spans, { compute: spans, beside: [] }, y, laneHeight, frame, seen);
    }),
    ...(frame.inside[stage] ?? []).flatMap((inner) => innerLane(inner, top, frame)),
    `<text x="${margin.left + plotWidth + 8}" y="${round(middle + 3)}" font-size="${Math.min(10, small)}" fill="#555555">${peak}</text></g>`,
  ].join('\n');
}

/** Kernels or transfers inside passes, named where there is room. */
function innerLane({ stream, label, tasks }: InnerLane, top: number, frame: Frame): string[] {
  const { from, to, plotWidth, rowHeight, laneHeight, lanes, innerLanes } = frame;
  const y = top + rowHeight + 1 + lanes.length * (laneHeight + 1) + innerLanes.indexOf(label) * (innerHeight + 1);
  const name = `<text x="${margin.left - 8}" y="${y + 10}" font-size="9" fill="#555555" text-anchor="end">${label}</text>`;
  const ground = `<rect x="${margin.left}" y="${y}" width="${plotWidth}" height="${innerHeight}" fill="#f7f7f7"/>`;
  const boxes = tasks.map((task) => {
    const left = ((Math.max(from, task.startSeconds) - from) / (to - from)) * plotWidth;
    const right = ((Math.min(to, task.endSeconds) - from) / (to - from)) * plotWidth;
    const width = Math.max(0.3, right - left - (right - left > 2 ? 0.6 : 0));
    const words = inWords(task.name);
    const box = `<rect x="${round(margin.left + left)}" y="${y}" width="${round(width)}" height="${innerHeight}" fill="${innerFills[stream]}"/>`;
    if (width < words.length * 4.7 + 3) return box;
    const x = round(margin.left + (left + right) / 2);
    return `${box}<text x="${x}" y="${y + 9.5}" font-size="9" text-anchor="middle">${escaped(words)}</text>`;
  });
  return [name, ground, ...boxes];
}

/** Kernels as light as forward passes, traffic in the colours of messages and collectives. */
const innerFills: Readonly<Record<StreamName, string>> = {
  compute: '#bfe3f2',
  tensor: '#e9a06a',
  pieces: '#e9a06a',
  context: '#dcb9cd',
  expert: '#c9b6e4',
  send: '#d55e00',
  data: '#cc79a7',
  host: '#b8b8b8',
};

/** Rectangles of one stream, with names where they fit. */
function lane(
  spans: readonly Span[],
  rank: RankSpans,
  y: number,
  height: number,
  frame: Frame,
  seen: Set<TaskKind>,
): string[] {
  const { from, to, plotWidth, exact } = frame;
  const shown = exact
    ? spans.filter(
        ({ startSeconds, endSeconds }) => endSeconds > from && startSeconds < to && endSeconds > startSeconds,
      )
    : mergedCells(cellsOf({ compute: rank.compute, beside: [] }, from, to, Math.floor(plotWidth / 2)), from, to);
  return shown.map((span) => {
    seen.add(span.kind);
    const left = ((Math.max(from, span.startSeconds) - from) / (to - from)) * plotWidth;
    const right = ((Math.min(to, span.endSeconds) - from) / (to - from)) * plotWidth;
    // A hair between neighbours of one kind, so that each can be counted.
    const width = Math.max(0.3, right - left - (right - left > 4 ? 0.6 : 0));
    const box = `<rect x="${round(margin.left + left)}" y="${y}" width="${round(width)}" height="${height}" fill="${fills[span.kind]}"/>`;
    return exact && height >= 12 ? box + spanName(span, left, right, y, height) : box;
  });
}

function spanName({ kind, microBatch }: Span, left: number, right: number, y: number, height: number): string {
  const name =
    kind === 'optimizer'
      ? 'opt'
      : kind === 'gather' || kind === 'reduce' || kind === 'checkpoint'
        ? ''
        : `${letters[kind]}${microBatch}`;
  const size = Math.min(11, height - 2);
  if (name === '' || right - left < name.length * size * 0.58 + 2) return '';
  const x = round(margin.left + (left + right) / 2);
  return `<text x="${x}" y="${round(y + height / 2 + size / 3)}" font-size="${size}" text-anchor="middle">${escaped(name)}</text>`;
}

/** Neighbouring cells of one kind as one span. */
function mergedCells(cells: readonly Cell[], from: number, to: number): Span[] {
  const spans: Span[] = [];
  const at = (cell: number): number => from + ((to - from) * cell) / cells.length;
  for (let i = 0; i < cells.length; ) {
    const cell = cells[i];
    let end = i + 1;
    while (end < cells.length && cells[end]?.kind === cell?.kind) end++;
    if (cell !== undefined) spans.push({ ...cell, startSeconds: at(i), endSeconds: at(end) });
    i = end;
  }
  return spans;
}

/** Round moments, five to ten of them. */
function axis({ from, to, plotWidth }: Frame, plotHeight: number): string[] {
  const raw = (to - from) / 8;
  const power = 10 ** Math.floor(Math.log10(raw));
  const tick = power * ([1, 2, 5, 10].find((factor) => factor * power >= raw) ?? 10);
  const bottom = margin.top + plotHeight;
  // Neighbours that differ in more than three digits are written with as many as they differ in.
  const digits = Math.ceil(-Math.log10(tick));
  const label = (seconds: number): string =>
    to > 50 * tick && digits > 0 ? `${seconds.toFixed(digits)} s` : formatSeconds(seconds);
  const lines: string[] = [];
  for (let i = Math.ceil(from / tick - 1e-9); i * tick <= to * (1 + 1e-9); i++) {
    const x = round(margin.left + ((i * tick - from) / (to - from)) * plotWidth);
    lines.push(
      `<line x1="${x}" y1="${margin.top - 4}" x2="${x}" y2="${bottom + 5}" stroke="#d0d0d0"/>`,
      `<text x="${x}" y="${bottom + 19}" font-size="11" fill="#555555" text-anchor="middle">${label(i * tick)}</text>`,
    );
  }
  return lines;
}

function legend(seen: ReadonlySet<TaskKind>, { plotWidth }: Frame, top: number): string[] {
  let x = margin.left;
  let y = top;
  return (Object.keys(letters) as TaskKind[])
    .filter((kind) => seen.has(kind))
    .map((kind) => {
      const text = `${kindNames[kind]} (${letters[kind]})`;
      const width = 26 + text.length * 6.2;
      if (x + width > margin.left + plotWidth + margin.right) {
        x = margin.left;
        y += 18;
      }
      const entry = `<rect x="${round(x)}" y="${y - 9}" width="12" height="12" fill="${fills[kind]}"/><text x="${round(x + 17)}" y="${y + 1}" font-size="11">${escaped(text)}</text>`;
      x += width;
      return entry;
    });
}

function round(pixels: number): number {
  return Math.round(pixels * 100) / 100;
}
