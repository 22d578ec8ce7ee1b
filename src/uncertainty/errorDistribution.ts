import type { ResidualCell } from './residualCell.js';

/** What makes two runs alike as far as the model's error goes. */
export interface RunKind {
  readonly accelerator: string;
  readonly generation: string;
  readonly framework: string;
  readonly mixtureOfExperts: boolean;
  readonly accelerators: number;
}

/** Logarithms of measured over predicted, each with how much it counts for the run asked about. */
export type WeightedErrors = readonly (readonly [error: number, weight: number])[];

/** How much a run that differs in one respect still says: the runs of other kinds are there to fall back on. */
const likeness = { generation: 0.5, otherGeneration: 0.15, framework: 0.3, mixtureOfExperts: 0.2 } as const;
/** Sixteen times as many accelerators say a third. */
const scaleDoublings = 4;

/** The errors of all cells, those of like runs first in weight; `withoutFamily` leaves the runs of one source out. */
export function errorsLike(kind: RunKind, cells: readonly ResidualCell[], withoutFamily?: string): WeightedErrors {
  return cells.flatMap((cell) => {
    if (cell.family === withoutFamily) return [];
    const weight = (cell.weight * similarity(kind, cell)) / cell.errors.length;
    return cell.errors.map((error) => [error, weight] as const);
  });
}

function similarity(kind: RunKind, cell: ResidualCell): number {
  const sameGeneration = kind.generation === cell.generation ? likeness.generation : likeness.otherGeneration;
  const hardware = kind.accelerator === cell.accelerator ? 1 : sameGeneration;
  const framework = kind.framework === cell.framework ? 1 : likeness.framework;
  const model = kind.mixtureOfExperts === cell.mixtureOfExperts ? 1 : likeness.mixtureOfExperts;
  const doublings = Math.abs(Math.log2(Math.max(1, kind.accelerators)) - cell.log2Accelerators);
  return hardware * framework * model * Math.exp(-doublings / scaleDoublings);
}

/** Even among runs that agree to the last digit the next one may be this far off. */
const leastHalfWidth = 0.02;

/** The middle 80 % of the errors, around 0 in any case, before any widening. */
export function middleOf(errors: WeightedErrors): { readonly low: number; readonly high: number } {
  const sorted = errors.toSorted(([a], [b]) => a - b);
  const total = sorted.reduce((sum, [, weight]) => sum + weight, 0);
  const at = (share: number): number => {
    let passed = 0;
    for (const [error, weight] of sorted) {
      passed += weight;
      if (passed >= share * total) return error;
    }
    return 0;
  };
  return { low: Math.min(at(0.1), -leastHalfWidth), high: Math.max(at(0.9), leastHalfWidth) };
}

/** Width of the normal curve that each error is spread into: the difference between two measurements of one run. */
const smoothing = 0.02;

/** The share of the errors, each multiplied by `widening`, that lies above a limit. */
export function shareAbove(errors: WeightedErrors, limit: number, widening: number): number {
  let above = 0;
  let total = 0;
  for (const [error, weight] of errors) {
    above += weight * normalCumulative((error * widening - limit) / smoothing);
    total += weight;
  }
  return total > 0 ? Math.min(1, Math.max(0, above / total)) : 0.5;
}

/** Abramowitz and Stegun 7.1.26, error below 1.5e-7. */
function normalCumulative(x: number): number {
  const z = Math.abs(x) / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * z);
  const series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  const tail = (series * Math.exp(-z * z)) / 2;
  return x >= 0 ? 1 - tail : tail;
}
