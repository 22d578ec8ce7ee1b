import type { FlopsConvention } from '../../model/flops.js';
import type { Axis } from './axis.js';
import type { SweepDefinition, SweepMethod } from './definition.js';
import { type Cell, figureName, usualFigures } from './figures.js';
import { parseAxis } from './parseAxis.js';
import { pointOfShard, pointsOfShard, type Shard, wholeSweep } from './shard.js';
import { prepareSweep, type Sweep } from './sweepRows.js';

/** A question over many points. */
export interface SweepInput {
  /** The run file as an object, unchecked. It need not be legal by itself, as long as points of it are. */
  readonly run: object;
  /** `accelerators=1024..16384*2`, `tensorParallel=4,8`, `cluster.accelerator.memoryBytesPerSecond*=1,1.5`, ... */
  readonly vary: readonly (string | Axis)[];
  /** `estimate` where not given: the closed form, and a simulation where that is cheap. */
  readonly method?: SweepMethod;
  /** With `plan`: what the best plan is best by; `step` where not given. */
  readonly objective?: string;
  readonly flopsConvention?: FlopsConvention;
  /** Figures of an estimate by their dotted name or its last word; the usual ones where not given. */
  readonly figures?: readonly string[];
  /** Folder that a relative path of the model starts from; the working directory where not given. */
  readonly baseDirectory?: string;
  /** Version of slipway, where answers of several versions might meet. */
  readonly release?: string;
}

export interface SweepOptions {
  /** Ends the iteration after the point at hand. */
  readonly signal?: AbortSignal;
  readonly shard?: Shard;
  /** Points of the shard that are done already and skipped. */
  readonly skip?: number;
}

/** One point: its `id`, the varied keys, `status`, `reason`, and figures of `estimate` under their dotted names. */
export type SweepRow = Readonly<Record<string, Cell>>;

/** Fills in what was left open and reads the axes. Throws `SlipwayError` on an axis or figure that cannot be read. */
export function defineSweep(input: SweepInput): SweepDefinition {
  const given = input.figures ?? [];
  return {
    run: input.run as Readonly<Record<string, unknown>>,
    baseDirectory: input.baseDirectory ?? '.',
    axes: input.vary.map((axis) => (typeof axis === 'string' ? parseAxis(axis) : axis)),
    method: input.method ?? 'estimate',
    flopsConvention: input.flopsConvention ?? 'megatron',
    figures: given.length === 0 ? usualFigures : [...new Set(given.map((name) => figureName(name, '--figures')))],
    release: input.release ?? '',
    ...(input.objective === undefined ? {} : { objective: input.objective }),
  };
}

/**
 * The rows of a sweep in the order of its points, the last axis varying fastest. Illegal points are rows with a `reason`. Throws
 * `SlipwayError` before the first row where the question itself is wrong. The event loop gets its turn between points.
 */
export async function* sweep(input: SweepInput, options: SweepOptions = {}): AsyncGenerator<SweepRow, void, void> {
  const prepared = await prepareSweep(defineSweep(input));
  const names = prepared.columns.map(({ name }) => name);
  for await (const cells of sweepCells(prepared, options)) {
    const row: Record<string, Cell> = {};
    for (const [column, name] of names.entries()) row[name] = cells[column] ?? null;
    yield row;
  }
}

/** Points between two turns of the event loop: a few milliseconds of closed form. */
const POINTS_PER_TURN = 64;

/** The same as cells in the order of the sweep's columns. */
export async function* sweepCells(
  prepared: Sweep,
  { signal, shard = wholeSweep, skip = 0 }: SweepOptions = {},
): AsyncGenerator<Cell[], void, void> {
  const count = pointsOfShard(prepared.grid.points, shard);
  for (let nth = skip; nth < count; nth++) {
    if (nth % POINTS_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
    if (signal?.aborted) return;
    const row = prepared.row(pointOfShard(nth, shard));
    yield row instanceof Promise ? await row : row;
  }
}
