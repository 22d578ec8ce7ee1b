import { descend, jacobianAt, type Problem, scan, start } from '../fit/leastSquares.js';

/** A constant that a user's measurements may move: expected near what the preset says. */
export interface Unknown {
  readonly expected: number;
  /** Standard deviation of its logarithm around that. */
  readonly spread: number;
  readonly low: number;
  readonly high: number;
}

/** Errors of repeated measurements; larger ones count ever less. */
const scale = 0.03;
const rounds = 6;
const stepsPerRound = 10;

/** The values that bring the errors (logarithms of predicted over measured) nearest to 0, each row with the weight of its kind. */
export function smallFit(
  unknowns: readonly Unknown[],
  rows: number,
  errorOf: (row: number, values: readonly number[]) => number,
): number[] {
  const all = unknowns.map((_, index) => index);
  const at = (row: number, point: Float64Array): number => errorOf(row, [...point].map(Math.exp));
  const problem: Problem = {
    unknowns: unknowns.map(({ expected, spread, low, high }) => {
      return { centre: Math.log(expected), parent: -1, spread, low: Math.log(low), high: Math.log(high) };
    }),
    errors: (point) => Float64Array.from({ length: rows }, (_, row) => at(row, point)),
    dependsOn: Array.from({ length: rows }, () => all),
    weights: new Float64Array(rows).fill(1),
    scale,
  };
  let point = scan(problem, start(problem), at);
  for (let round = 0; round < rounds; round++) {
    point = descend(problem, point, jacobianAt(problem, point, at), stepsPerRound).point;
  }
  return [...point].map((value) => Number(Math.exp(value).toPrecision(4)));
}
