import { evaluate } from '../../simulation/closedForm.js';
import { evaluateStep } from '../../simulation/evaluateStep.js';
import type { Evaluation } from '../../simulation/evaluation.js';
import { comparedBytes, type Outcome } from '../score.js';
import { descend, type Jacobian, jacobianAt, type Problem, scan, start } from './leastSquares.js';
import { type Parameter, parametersOf, withValues } from './parameters.js';
import { errorOf, type FitRow, type Observation, observationsOf, weightsOf } from './rows.js';

/** Errors up to this size count with their square, larger ones almost with their size: medians are what is scored. */
const errorScale = 0.03;
/** The time is fitted with the closed form times what the simulation adds to it, which is looked up anew this often. */
const ratioRounds = 3;
const stepsPerRound = 8;
const jacobiansPerRound = 2;
/** A run says something about a constant if one percent of it moves the run by this share of a percent. */
const leastSlope = 1e-3;

export interface FitResult {
  /** By parameter, rounded as the presets print them. */
  readonly values: Float64Array;
  /** By parameter: the runs whose time or memory moves with it at these values. */
  readonly informedBy: readonly (readonly FitRow[])[];
}

/** Rows, parameters and everything about them that does not change from one fit to the next. */
export class Fitter {
  readonly observations: readonly Observation[];
  private readonly weights: Float64Array;
  private readonly own: readonly (readonly number[])[];
  /** By observation: time depends on what kernels and hosts do, memory on what is kept. */
  private readonly dependsOn: readonly (readonly number[])[];
  private readonly ratios: Float64Array;
  private optimum: { readonly point: Float64Array; readonly jacobian: Jacobian } | undefined;

  constructor(
    readonly rows: readonly FitRow[],
    readonly parameters: readonly Parameter[],
  ) {
    this.observations = observationsOf(rows);
    this.weights = weightsOf(rows, this.observations);
    this.own = rows.map(({ scenario }) => parametersOf(parameters, scenario));
    this.dependsOn = this.observations.map(({ row, what }) => {
      return (this.own[row] ?? []).filter((index) => isOfMemory(parameters[index]) === (what !== 'step'));
    });
    this.ratios = new Float64Array(rows.length).fill(1);
  }

  /** Fits to all rows, from the priors: what the presets hold now does not matter. */
  fit(): FitResult {
    const problem = this.problem(this.weights);
    let point = start(problem);
    let jacobian: Jacobian = [];
    for (let round = 0; round < ratioRounds; round++) {
      this.lookUpRatios(point);
      const errorOf = (index: number, at: Float64Array): number => this.errorAt(index, at);
      point = scan(problem, point, errorOf);
      for (let i = 0; i < jacobiansPerRound; i++) {
        jacobian = jacobianAt(problem, point, errorOf);
        point = descend(problem, point, jacobian, stepsPerRound).point;
      }
    }
    this.optimum = { point, jacobian };
    return { values: this.rounded(point), informedBy: this.informedBy(jacobian) };
  }

  /**
   * The same without the rows of one family, starting from the fit to all of them. The slopes are those at that fit: a family moves
   * the constants by a few percent.
   */
  fitWithout(family: string): Float64Array {
    if (this.optimum === undefined) this.fit();
    const optimum = this.optimum;
    if (optimum === undefined) throw new Error('no fit to start from');
    const weights = this.weights.map((weight, index) => (this.familyOf(index) === family ? 0 : weight));
    const { point } = descend(this.problem(weights), optimum.point, optimum.jacobian, stepsPerRound);
    return this.rounded(point);
  }

  /** What `estimate` would say about a row with these constants. */
  predict(row: number, values: Float64Array): Evaluation | undefined {
    const one = this.rows[row];
    if (one === undefined) return undefined;
    return evaluateStep(withValues(one.scenario, this.own[row] ?? [], this.parameters, values));
  }

  /** The same as the score takes it; empty for no row. */
  outcome(row: number, values: Float64Array): Outcome[] {
    const one = this.rows[row];
    const evaluation = this.predict(row, values);
    if (one === undefined || evaluation === undefined) return [];
    const predictedPeakBytes = comparedBytes(one.run, evaluation);
    const { stepSeconds: predictedSeconds, fits } = evaluation;
    return [{ run: one.run, skipped: null, predictedSeconds, predictedPeakBytes, fits }];
  }

  private problem(weights: Float64Array): Problem {
    return {
      unknowns: this.parameters.map(({ prior, parent, overParent, spread, low, high }) => {
        const centre = parent >= 0 ? Math.log(overParent) : Math.log(prior);
        return { centre, parent, spread, low: Math.log(low), high: Math.log(high) };
      }),
      errors: (point) => this.errorsAt(point),
      dependsOn: this.dependsOn,
      weights,
      scale: errorScale,
    };
  }

  private errorsAt(point: Float64Array): Float64Array {
    const evaluations = this.rows.map((_, row) => this.evaluateRow(row, point));
    return Float64Array.from(this.observations, (one) => this.errorFrom(one, evaluations[one.row]));
  }

  private errorAt(index: number, point: Float64Array): number {
    const one = this.observations[index];
    return one === undefined ? 0 : this.errorFrom(one, this.evaluateRow(one.row, point));
  }

  private errorFrom({ row, what }: Observation, evaluation: Evaluation | undefined): number {
    const one = this.rows[row];
    if (one === undefined || evaluation === undefined) return 0;
    return errorOf(one, what, evaluation, this.ratios[row] ?? 1);
  }

  private evaluateRow(row: number, point: Float64Array): Evaluation | undefined {
    const one = this.rows[row];
    if (one === undefined) return undefined;
    return evaluate(withValues(one.scenario, this.own[row] ?? [], this.parameters, point.map(Math.exp)));
  }

  private lookUpRatios(point: Float64Array): void {
    const values = point.map(Math.exp);
    this.rows.forEach(({ run }, row) => {
      const closed = this.evaluateRow(row, point)?.stepSeconds ?? 0;
      // Runs that went out of memory have no time to compare with.
      if (run.measured.stepSeconds === undefined || closed <= 0) return;
      this.ratios[row] = (this.predict(row, values)?.stepSeconds ?? closed) / closed;
    });
  }

  private informedBy(jacobian: Jacobian): FitRow[][] {
    const rows = this.parameters.map(() => new Set<FitRow>());
    this.observations.forEach(({ row }, index) => {
      const fitted = this.rows[row];
      (this.dependsOn[index] ?? []).forEach((parameter, position) => {
        const slope = Math.abs(jacobian[index]?.[position] ?? 0);
        if (fitted !== undefined && slope > leastSlope) rows[parameter]?.add(fitted);
      });
    });
    return rows.map((set) => [...set]);
  }

  private familyOf(index: number): string | undefined {
    const row = this.observations[index]?.row;
    return row === undefined ? undefined : this.rows[row]?.run.family;
  }

  private rounded(point: Float64Array): Float64Array {
    return point.map((value) => Number(Math.exp(value).toPrecision(3)));
  }
}

function isOfMemory(parameter: Parameter | undefined): boolean {
  return parameter?.path[0] === 'memory';
}
