/**
 * Robust least squares in the logarithms of a few dozen positive constants, with bounds, and with each constant expected near a value
 * or near another constant (its parent): iteratively reweighted Gauss-Newton with Levenberg's damping.
 */
export interface Problem {
  /** Natural logarithms; `parent` is an index or -1. Expected is the parent's value plus `centre`, or `centre` where there is none. */
  readonly unknowns: readonly {
    readonly centre: number;
    readonly parent: number;
    readonly spread: number;
    readonly low: number;
    readonly high: number;
  }[];
  /** Signed errors (of logarithms) of all rows. */
  readonly errors: (point: Float64Array) => Float64Array;
  /** By row: which unknowns it depends on. */
  readonly dependsOn: readonly (readonly number[])[];
  /** By row; 0 leaves the row out. */
  readonly weights: Float64Array;
  /** Errors up to this size count with their square, larger ones ever less. */
  readonly scale: number;
}

/** By row: derivatives of its error, in the order of `dependsOn`. */
export type Jacobian = readonly Float64Array[];

export interface Solution {
  readonly point: Float64Array;
  readonly errors: Float64Array;
  readonly objective: number;
}

const relativeStep = 0.01;
/** An error beyond this is another effect; its pull falls with its size. */
const wildError = 0.4;
const damping = 1e-3;

export function start(problem: Problem): Float64Array {
  const point = new Float64Array(problem.unknowns.length);
  problem.unknowns.forEach((unknown, index) => {
    point[index] = expectation(unknown, point);
  });
  return clamped(problem, point);
}

function expectation({ centre, parent }: { centre: number; parent: number }, point: Float64Array): number {
  return parent >= 0 ? at(point, parent) + centre : centre;
}

/** Forward differences; only rows that depend on an unknown are asked for it (by `errorsOf`). */
export function jacobianAt(
  problem: Problem,
  point: Float64Array,
  errorOf: (row: number, point: Float64Array) => number,
): Jacobian {
  const moved = Float64Array.from(point);
  return problem.dependsOn.map((own, row) => {
    const derivatives = new Float64Array(own.length);
    const here = errorOf(row, point);
    own.forEach((index, position) => {
      moved[index] = at(point, index) + relativeStep;
      derivatives[position] = (errorOf(row, moved) - here) / relativeStep;
      moved[index] = at(point, index);
    });
    return derivatives;
  });
}

/** How far from its expectation a wide unknown is tried, in its own standard deviations. */
const scanned = [-2, -1, 1, 2, 3];
/** Unknowns known better than this are left to the slopes. */
const wideSpread = 0.25;

/**
 * Tries wide unknowns one after the other at a few values. Where the host keeps up with the device its time leaves no trace, so the slope
 * is zero and says nothing of the values beyond which the device waits.
 */
export function scan(
  problem: Problem,
  from: Float64Array,
  errorOf: (row: number, point: Float64Array) => number,
): Float64Array {
  const rowsOf = problem.unknowns.map((): number[] => []);
  problem.dependsOn.forEach((own, row) => {
    if (at(problem.weights, row) > 0) for (const index of own) rowsOf[index]?.push(row);
  });
  const point = Float64Array.from(from);
  problem.unknowns.forEach(({ spread, low, high }, index) => {
    const rows = rowsOf[index] ?? [];
    if (spread < wideSpread || rows.length === 0) return;
    const cost = (value: number): number => {
      point[index] = value;
      let sum = expectationCost(problem, point);
      for (const row of rows) sum += at(problem.weights, row) * rowCost(errorOf(row, point), problem.scale);
      return sum;
    };
    const here = at(point, index);
    let best = here;
    let bestCost = cost(here);
    for (const deviations of scanned) {
      const value = Math.min(high, Math.max(low, here + deviations * spread));
      const tried = cost(value);
      if (tried < bestCost - 1e-9) [best, bestCost] = [value, tried];
    }
    point[index] = best;
  });
  return point;
}

/** Improves `from` with a fixed Jacobian until a step helps no more. */
export function descend(problem: Problem, from: Float64Array, jacobian: Jacobian, mostSteps: number): Solution {
  let point = from;
  let errors = problem.errors(point);
  let objective = objectiveOf(problem, point, errors);
  let lambda = damping;
  for (let step = 0; step < mostSteps; step++) {
    const next = clamped(problem, added(point, newtonStep(problem, point, errors, jacobian, lambda)));
    const nextErrors = problem.errors(next);
    const nextObjective = objectiveOf(problem, next, nextErrors);
    const gain = objective - nextObjective;
    if (gain > 0) {
      [point, errors, objective] = [next, nextErrors, nextObjective];
      lambda = Math.max(damping, lambda / 10);
      if (gain < 1e-5 * objective) break;
    } else {
      lambda *= 30;
      if (lambda > 1e4) break;
    }
  }
  return { point, errors, objective };
}

/** Pseudo-Huber of the rows plus squares of the expectations. */
function objectiveOf(problem: Problem, point: Float64Array, errors: Float64Array): number {
  let sum = expectationCost(problem, point);
  errors.forEach((error, row) => {
    sum += at(problem.weights, row) * rowCost(error, problem.scale);
  });
  return sum;
}

function rowCost(error: number, scale: number): number {
  const size = Math.abs(error);
  const z = Math.min(size, wildError) / scale;
  const wild = size > wildError ? (2 * wildError * (1 - wildError / size)) / scale : 0;
  return 2 * (Math.sqrt(1 + z * z) - 1) + wild;
}

function expectationCost({ unknowns }: Problem, point: Float64Array): number {
  let sum = 0;
  unknowns.forEach(({ centre, parent, spread }, index) => {
    sum += ((at(point, index) - expectation({ centre, parent }, point)) / spread) ** 2;
  });
  return sum;
}

function newtonStep(
  problem: Problem,
  point: Float64Array,
  errors: Float64Array,
  jacobian: Jacobian,
  lambda: number,
): Float64Array {
  const n = problem.unknowns.length;
  const matrix = Array.from({ length: n }, () => new Float64Array(n));
  const gradient = new Float64Array(n);
  addRows(problem, errors, jacobian, matrix, gradient);
  addExpectations(problem, point, matrix, gradient);
  for (let index = 0; index < n; index++) {
    const line = matrix[index];
    if (line !== undefined) line[index] = at(line, index) * (1 + lambda);
    holdAtBound(problem, point, index, matrix, gradient);
  }
  return solveSymmetric(
    matrix,
    gradient.map((value) => -value),
  );
}

function addRows(
  { dependsOn, weights, scale }: Problem,
  errors: Float64Array,
  jacobian: Jacobian,
  matrix: readonly Float64Array[],
  gradient: Float64Array,
): void {
  dependsOn.forEach((own, row) => {
    const derivatives = jacobian[row];
    const weight = at(weights, row);
    if (derivatives === undefined || weight === 0) return;
    const error = at(errors, row);
    const z = error / scale;
    const wild = Math.abs(error) > wildError ? (wildError / error) ** 2 : 1;
    const pull = (weight * wild) / (scale * scale * Math.sqrt(1 + z * z));
    own.forEach((a, i) => {
      const slope = at(derivatives, i);
      if (slope === 0) return;
      gradient[a] = at(gradient, a) + pull * slope * error;
      const line = matrix[a];
      own.forEach((b, j) => {
        if (line !== undefined) line[b] = at(line, b) + pull * slope * at(derivatives, j);
      });
    });
  });
}

function addExpectations(
  { unknowns }: Problem,
  point: Float64Array,
  matrix: readonly Float64Array[],
  gradient: Float64Array,
): void {
  unknowns.forEach(({ centre, parent, spread }, index) => {
    const stiffness = 1 / (spread * spread);
    const gap = at(point, index) - expectation({ centre, parent }, point);
    gradient[index] = at(gradient, index) + stiffness * gap;
    addTo(matrix, index, index, stiffness);
    if (parent < 0) return;
    gradient[parent] = at(gradient, parent) - stiffness * gap;
    addTo(matrix, parent, parent, stiffness);
    addTo(matrix, index, parent, -stiffness);
    addTo(matrix, parent, index, -stiffness);
  });
}

/** An unknown at its bound that would leave it stays there, and the others are solved for without it. */
function holdAtBound(
  { unknowns }: Problem,
  point: Float64Array,
  index: number,
  matrix: readonly Float64Array[],
  gradient: Float64Array,
): void {
  const unknown = unknowns[index];
  if (unknown === undefined) return;
  const slope = at(gradient, index);
  const here = at(point, index);
  if (!((here <= unknown.low && slope > 0) || (here >= unknown.high && slope < 0))) return;
  for (let other = 0; other < unknowns.length; other++) {
    setTo(matrix, index, other, 0);
    setTo(matrix, other, index, 0);
  }
  setTo(matrix, index, index, 1);
  gradient[index] = 0;
}

/** Cholesky; the expectations make the matrix positive definite. */
function solveSymmetric(matrix: readonly Float64Array[], right: Float64Array): Float64Array {
  const n = right.length;
  const lower = Array.from({ length: n }, () => new Float64Array(n));
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = at(matrix[i], j);
      for (let k = 0; k < j; k++) sum -= at(lower[i], k) * at(lower[j], k);
      setTo(lower, i, j, i === j ? Math.sqrt(Math.max(sum, 1e-12)) : sum / at(lower[j], j));
    }
  }
  const half = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    let sum = at(right, i);
    for (let k = 0; k < i; k++) sum -= at(lower[i], k) * at(half, k);
    half[i] = sum / at(lower[i], i);
  }
  const solution = new Float64Array(n);
  for (let i = n - 1; i >= 0; i--) {
    let sum = at(half, i);
    for (let k = i + 1; k < n; k++) sum -= at(lower[k], i) * at(solution, k);
    solution[i] = sum / at(lower[i], i);
  }
  return solution;
}

function clamped({ unknowns }: Problem, point: Float64Array): Float64Array {
  return point.map((value, index) => {
    const { low = -Infinity, high = Infinity } = unknowns[index] ?? {};
    return Math.min(high, Math.max(low, value));
  });
}

/** Steps of more than half an order of magnitude leave the range in which the slopes say anything. */
const longestStep = 0.5;

function added(point: Float64Array, step: Float64Array): Float64Array {
  return point.map((value, index) => value + Math.max(-longestStep, Math.min(longestStep, at(step, index))));
}

function at(values: Float64Array | undefined, index: number): number {
  return values?.[index] ?? 0;
}

function addTo(matrix: readonly Float64Array[], row: number, column: number, value: number): void {
  const line = matrix[row];
  if (line !== undefined) line[column] = at(line, column) + value;
}

function setTo(matrix: readonly Float64Array[], row: number, column: number, value: number): void {
  const line = matrix[row];
  if (line !== undefined) line[column] = value;
}
