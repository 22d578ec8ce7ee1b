import { SlipwayError } from '../../errors.js';
import { nearest } from '../../quantity/nearest.js';
import type { Scenario } from '../../scenario/scenario.js';
import type { Evaluation } from '../../simulation/evaluation.js';
import { breakdownKeys } from '../../simulation/evaluation.js';
import type { TrainingEstimate } from '../../training/run.js';
import type { Throughput } from '../estimateResult.js';

/** What is known of one point once it was evaluated. */
export interface PointAnswer {
  readonly scenario: Scenario;
  readonly evaluation: Evaluation;
  readonly throughput: Throughput;
  readonly training: TrainingEstimate;
}

/** One cell of a row: null where it has no value. */
export type Cell = string | number | boolean | null;

/** How a column is stored; `number` is a double, `integer` fits into 32 bits. */
export type ColumnKind = 'number' | 'integer' | 'boolean' | 'text';

interface Figure {
  readonly kind: ColumnKind;
  readonly of: (answer: PointAnswer) => Cell;
}

const number = (of: Figure['of']): Figure => ({ kind: 'number', of });

/** Figures of an estimate by their dotted name in its JSON document. */
const figures: Readonly<Record<string, Figure>> = {
  'memory.fits': { kind: 'boolean', of: ({ evaluation }) => evaluation.fits },
  'memory.peakBytes': number(({ evaluation }) => evaluation.allocatedBytes),
  'memory.reservedBytes': number(({ evaluation }) => evaluation.reservedBytes),
  'memory.deviceBytes': number(({ evaluation }) => evaluation.deviceBytes),
  'memory.capacityBytes': number(({ evaluation }) => evaluation.capacityBytes),
  'memory.hostBytes': number(({ evaluation }) => evaluation.hostBytes),
  'step.seconds': number(({ evaluation }) => evaluation.stepSeconds),
  'step.method': { kind: 'text', of: ({ evaluation }) => evaluation.method },
  ...Object.fromEntries(
    breakdownKeys.map((key) => [`step.breakdown.${key}`, number(({ evaluation }) => evaluation.breakdown[key])]),
  ),
  'throughput.tokensPerSecond': number(({ throughput }) => throughput.tokensPerSecond),
  'throughput.tokensPerSecondPerAccelerator': number(({ throughput }) => throughput.tokensPerSecondPerAccelerator),
  'throughput.modelTflopsPerAccelerator': number(({ throughput }) => throughput.modelTflopsPerAccelerator),
  'throughput.hardwareTflopsPerAccelerator': number(({ throughput }) => throughput.hardwareTflopsPerAccelerator),
  'throughput.mfu': number(({ throughput }) => throughput.mfu),
  'throughput.hfu': number(({ throughput }) => throughput.hfu),
  'training.steps': number(({ training }) => training.steps),
  'training.days': number(({ training }) => training.days),
  'training.acceleratorHours': number(({ training }) => training.acceleratorHours),
  'training.goodput': number(({ training }) => training.goodput),
  'training.costUsd': number(({ training }) => training.costUsd),
  'training.energyKwh': number(({ training }) => training.energyKwh),
  'training.tonnesCo2': number(({ training }) => training.tonnesCo2),
  'run.dataParallel': { kind: 'integer', of: ({ evaluation }) => evaluation.dataParallel },
  'run.gradientAccumulation': { kind: 'integer', of: ({ evaluation }) => evaluation.gradientAccumulation },
};

/** What a row holds where nothing else is asked for. */
export const usualFigures: readonly string[] = [
  'run.dataParallel',
  'memory.fits',
  'memory.peakBytes',
  'memory.deviceBytes',
  'memory.capacityBytes',
  'step.seconds',
  'throughput.tokensPerSecond',
  'throughput.modelTflopsPerAccelerator',
  'throughput.mfu',
  'throughput.hfu',
  'training.days',
  'training.acceleratorHours',
  'training.costUsd',
  'training.energyKwh',
];

/** The full name of a figure given by it or by its last word: `mfu` is `throughput.mfu`. Throws on others. */
export function figureName(given: string, where: string): string {
  const name = given.trim();
  if (Object.hasOwn(figures, name)) return name;
  const found = Object.keys(figures).filter((full) => full.endsWith(`.${name}`) || full === `${name}.seconds`);
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  const known = Object.keys(figures).flatMap((full) => [full, full.split('.').at(-1) ?? full]);
  const guess = nearest(name, known);
  const wayOut = guess === undefined ? `; there are ${usualFigures.join(', ')} and more` : `, did you mean ${guess}?`;
  const shown = name.length > 60 ? `${name.slice(0, 57)}...` : name;
  throw new SlipwayError('invalid-run-file', `no figure is called '${shown}'${wayOut}`, { key: where });
}

export function kindOfFigure(name: string): ColumnKind {
  return figures[name]?.kind ?? 'number';
}

/** Cells of one point for the figures named, in their order. */
export function cellsOf(answer: PointAnswer, names: readonly string[]): Cell[] {
  return names.map((name) => {
    const value = figures[name]?.of(answer) ?? null;
    return typeof value === 'number' && !Number.isFinite(value) ? null : value;
  });
}
