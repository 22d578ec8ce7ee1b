import { type Axis, keyOf } from '../../../planner/sweep/axis.js';
import type { Cell } from '../../../planner/sweep/figures.js';
import { type SweepRow, sweep } from '../../../planner/sweep/sweep.js';
import type { RunValue } from '../scenario/runValue.js';

/** The main figures of one point, or why it cannot run. */
export interface GridPoint {
  /** What the varied keys are set to. */
  readonly values: Readonly<Record<string, Cell>>;
  readonly refusal: string | undefined;
  readonly fits: boolean;
  readonly figures: Readonly<Record<GridFigure, number | null>>;
}

/** Points in the order of the sweep, the last axis fastest; those that are not done yet are missing at the end. */
export type GridResult = readonly GridPoint[];

/** Figures of a point, by the names that a sweep has for them. */
export const gridFigures = [
  'throughput.tokensPerSecond',
  'step.seconds',
  'throughput.mfu',
  'memory.deviceBytes',
  'training.days',
  'training.costUsd',
] as const;
export type GridFigure = (typeof gridFigures)[number];

/** The rows of the sweep that `slipway whatif` makes of the same question. */
export async function* gridPoints(
  run: RunValue,
  axes: readonly Axis[],
  baseDirectory: string,
  signal: AbortSignal,
): AsyncGenerator<GridPoint> {
  for await (const row of sweep({ run, vary: axes, figures: gridFigures, baseDirectory }, { signal })) {
    yield pointOf(row, axes);
  }
}

function pointOf(row: SweepRow, axes: readonly Axis[]): GridPoint {
  const figure = (name: GridFigure): number | null => {
    const value = row[name];
    return typeof value === 'number' ? value : null;
  };
  return {
    values: Object.fromEntries(axes.map((axis) => [keyOf(axis), row[axis.name] ?? null])),
    refusal: row.status === 'illegal' ? String(row.reason) : undefined,
    fits: row.status === 'fits',
    figures: {
      'throughput.tokensPerSecond': figure('throughput.tokensPerSecond'),
      'step.seconds': figure('step.seconds'),
      'throughput.mfu': figure('throughput.mfu'),
      'memory.deviceBytes': figure('memory.deviceBytes'),
      'training.days': figure('training.days'),
      'training.costUsd': figure('training.costUsd'),
    },
  };
}
