import type { TimedStep } from '../simulation/criticalPath.js';
import { streamNames, streamsPerRank } from '../simulation/engine/taskGraph.js';
import type { TaskKind } from '../simulation/stepTasks.js';

/** One thing that a stream of a rank does without a break: the pieces that a pass was cut into are joined again. */
export interface Span {
  readonly kind: TaskKind;
  readonly microBatch: number;
  readonly chunk: number;
  readonly startSeconds: number;
  endSeconds: number;
}

/** What a rank does: its compute stream, and every other stream that is in use. */
export interface RankSpans {
  readonly compute: readonly Span[];
  readonly beside: readonly { readonly stream: string; readonly spans: readonly Span[] }[];
}

/** Spans of all ranks in order of time. */
export function timelineSpans({ graph, timeline, tasks }: TimedStep): RankSpans[] {
  const streams = Array.from({ length: graph.ranks * streamsPerRank }, (): Span[] => []);
  for (let task = 0; task < graph.size; task++) {
    const info = tasks[graph.labels[task] ?? 0];
    const spans = streams[graph.streams[task] ?? 0];
    if (info === undefined || spans === undefined) continue;
    const startSeconds = timeline.start[task] ?? 0;
    const endSeconds = timeline.end[task] ?? 0;
    const { kind, microBatch, chunk } = info;
    const last = spans[spans.length - 1];
    const joins = last?.kind === kind && last.microBatch === microBatch && last.chunk === chunk;
    if (joins && last.endSeconds === startSeconds) last.endSeconds = endSeconds;
    else spans.push({ kind, microBatch, chunk, startSeconds, endSeconds });
  }
  return Array.from({ length: graph.ranks }, (_, rank) => ({
    compute: streams[rank * streamsPerRank] ?? [],
    beside: streamNames
      .map((stream, i) => ({ stream, spans: streams[rank * streamsPerRank + i] ?? [] }))
      .filter(({ spans }, i) => i > 0 && spans.length > 0),
  }));
}

/** The letter that stands for a kind of task wherever there is no colour. */
export const letters: Readonly<Record<TaskKind, string>> = {
  forward: 'F',
  backward: 'B',
  inputGradient: 'b',
  weightGradient: 'W',
  together: '&',
  send: 's',
  gather: 'g',
  reduce: 'r',
  optimizer: 'o',
  checkpoint: 'c',
};

export const kindNames: Readonly<Record<TaskKind, string>> = {
  forward: 'forward',
  backward: 'backward',
  inputGradient: 'input gradient',
  weightGradient: 'weight gradient',
  together: 'forward beside backward',
  send: 'send',
  gather: 'gather',
  reduce: 'reduce',
  optimizer: 'optimizer',
  checkpoint: 'checkpoint copy',
};

/** What one cell of a picture shows: the span that fills most of it, or nothing where the rank idles. */
export type Cell = Span | undefined;

/**
 * Cuts `fromSeconds` to `toSeconds` into equal cells. A cell shows one of the kinds in it; what it leaves out counts for the
 * cells after it, so that a long row shows every kind in its true proportion. Where compute idles, the cell shows what the
 * other streams do.
 */
export function cellsOf(rank: RankSpans, fromSeconds: number, toSeconds: number, columns: number): Cell[] {
  const cells = new Cells(fromSeconds, toSeconds, columns);
  for (const span of rank.compute) cells.cover(span);
  const chosen = cells.choose();
  const idle = chosen.map((cell) => cell === undefined);
  if (rank.beside.length === 0 || !idle.includes(true)) return chosen;
  const other = new Cells(fromSeconds, toSeconds, columns);
  for (const { spans } of rank.beside) for (const span of spans) other.cover(span);
  const beside = other.mostly();
  return chosen.map((cell, i) => cell ?? beside[i]);
}

/** How much of each cell every kind of span covers, and the longest span of each. */
class Cells {
  private readonly covered: { span: Span; seconds: number; longest: number }[][];
  private readonly width: number;

  constructor(
    private readonly from: number,
    private readonly to: number,
    columns: number,
  ) {
    this.width = (to - from) / columns;
    this.covered = Array.from({ length: columns }, () => []);
  }

  cover(span: Span): void {
    const start = Math.max(this.from, span.startSeconds);
    const end = Math.min(this.to, span.endSeconds);
    if (end <= start) return;
    const first = Math.floor((start - this.from) / this.width);
    const last = Math.min(this.covered.length - 1, Math.floor((end - this.from) / this.width));
    for (let cell = first; cell <= last; cell++) {
      const left = this.from + cell * this.width;
      const seconds = Math.min(end, left + this.width) - Math.max(start, left);
      // Rounding leaves crumbs at the borders of cells.
      if (seconds > this.width * 1e-6) this.add(cell, span, seconds);
    }
  }

  private add(cell: number, span: Span, seconds: number): void {
    const kinds = this.covered[cell];
    const same = kinds?.find((entry) => entry.span.kind === span.kind);
    if (same === undefined) kinds?.push({ span, seconds, longest: seconds });
    else {
      same.seconds += seconds;
      if (seconds <= same.longest) return;
      same.longest = seconds;
      same.span = span;
    }
  }

  /** One kind per cell, what is left out carried to the cells after it. */
  choose(): Cell[] {
    const carried = new Map<TaskKind | 'idle', number>();
    return this.covered.map((kinds) => {
      const idle = this.width - kinds.reduce((sum, { seconds }) => sum + seconds, 0);
      const entries: { kind: TaskKind | 'idle'; span: Cell; seconds: number }[] = kinds.map(({ span, seconds }) => ({
        kind: span.kind,
        span,
        seconds,
      }));
      if (idle > this.width * 1e-6) entries.push({ kind: 'idle', span: undefined, seconds: idle });
      let best: { kind: TaskKind | 'idle'; span: Cell; score: number } | undefined;
      for (const { kind, span, seconds } of entries) {
        const score = Math.min(2 * this.width, (carried.get(kind) ?? 0) + seconds);
        carried.set(kind, score);
        if (best === undefined || score > best.score) best = { kind, span, score };
      }
      if (best !== undefined) carried.set(best.kind, best.score - this.width);
      return best?.span;
    });
  }

  /** What covers at least half of each cell. */
  mostly(): Cell[] {
    return this.covered.map((kinds) => {
      const most = kinds.reduce<{ span: Span; seconds: number } | undefined>(
        (best, entry) => (best !== undefined && best.seconds >= entry.seconds ? best : entry),
        undefined,
      );
      return most !== undefined && most.seconds >= this.width / 2 ? most.span : undefined;
    });
  }
}
