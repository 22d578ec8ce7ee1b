import { invariant, SlipwayError } from '../errors.js';
import type { Scenario } from '../scenario/scenario.js';
import type { Evaluation, StepBreakdown } from '../simulation/evaluation.js';
import { type Interval, scaled, uncertaintyOf } from '../uncertainty/intervals.js';
import { type BaselineSample, baselineSample, fitBaseline } from './baseline.js';
import type { LeftOutPrediction } from './leftOutRuns.js';
import type { MeasuredRun } from './runs.js';
import { comparedBytes, type Outcome, relativeError, type Score, score } from './score.js';
import { withStated } from './stated.js';

/** What a predictor answers for one run. Thrown `SlipwayError`s become skipped rows; any other error is a bug. */
export interface Prediction {
  readonly scenario: Scenario;
  readonly evaluation: Evaluation;
}
export type Predict = (run: MeasuredRun['run']) => Prediction;

/** The document of `slipway validate --json`. */
export interface ValidationResult {
  readonly schemaVersion: 1;
  readonly runs: readonly ValidatedRun[];
  readonly summary: ValidationSummary;
}

/** The score of the rows that count, the rival beside it, and the rows whose layout the source does not give in full. */
export interface ValidationSummary extends Score {
  /** Rows whose source contradicts itself; never scored. */
  readonly excluded: number;
  readonly baseline: Score;
  readonly unknownFields: Score & { readonly baseline: Score };
  /** The same rows predicted with constants fitted without their families; null for runs that did not ship. */
  readonly leftOut: Score | null;
  readonly unknownFieldsLeftOut: Score | null;
}

export interface ValidatedRun {
  readonly id: string;
  readonly family: string;
  /** Which score the row counts in. */
  readonly scoredIn: 'summary' | 'unknownFields' | 'none';
  readonly measured: MeasuredRun['measured'];
  readonly predicted: PredictedRun | null;
  readonly stepError: number | null;
  readonly memoryError: number | null;
  readonly fits: boolean | null;
  readonly skipped: string | null;
}

export interface PredictedRun {
  readonly stepSeconds: number;
  /** 80 % of runs like this one, those of its own family not among them. */
  readonly stepSecondsInterval: Interval;
  /** The figure that `measured.memoryKind` names, so that `memoryError` compares like with like. */
  readonly peakBytes: number;
  readonly peakBytesInterval: Interval;
  readonly probabilityOfNotFitting: number;
  readonly allocatedBytes: number;
  readonly reservedBytes: number;
  readonly deviceBytes: number;
  readonly capacityBytes: number;
  readonly breakdown: StepBreakdown;
}

/** Predicts every run and scores the predictions against what was measured. */
export function validateRuns(
  runs: readonly MeasuredRun[],
  predict: Predict,
  leftOut: ReadonlyMap<string, LeftOutPrediction> = new Map(),
): ValidationResult {
  const rows = runs.map((run) => predictRow(run, predict));
  const headline = rows.filter((row) => row.scoredIn === 'summary');
  const unknown = rows.filter((row) => row.scoredIn === 'unknownFields');
  return {
    schemaVersion: 1,
    runs: rows.map(validatedRun),
    summary: {
      ...score(headline),
      excluded: rows.filter((row) => row.scoredIn === 'none').length,
      baseline: score(baselineOutcomes(headline)),
      unknownFields: { ...score(unknown), baseline: score(baselineOutcomes(unknown)) },
      leftOut: leftOutScore(headline, leftOut),
      unknownFieldsLeftOut: leftOutScore(unknown, leftOut),
    },
  };
}

function leftOutScore(
  rows: readonly PredictedRow[],
  predictions: ReadonlyMap<string, LeftOutPrediction>,
): Score | null {
  const outcomes = rows.flatMap(({ run, skipped }): Outcome[] => {
    const found = predictions.get(run.id);
    if (found === undefined || skipped !== null) return [];
    const { stepSeconds: predictedSeconds, peakBytes: predictedPeakBytes, fits } = found;
    return [{ run, skipped: null, predictedSeconds, predictedPeakBytes, fits }];
  });
  return outcomes.length === 0 ? null : score(outcomes);
}

interface PredictedRow extends Outcome {
  readonly scoredIn: ValidatedRun['scoredIn'];
  readonly prediction: Prediction | null;
  readonly baseline: BaselineSample | null;
}

function predictRow(run: MeasuredRun, predict: Predict): PredictedRow {
  const scoredIn = run.problems.length > 0 ? 'none' : run.unknown.length > 0 ? 'unknownFields' : 'summary';
  const answer = predictOrReason(run, predict);
  const nothing = { predictedSeconds: null, predictedPeakBytes: null, fits: null, prediction: null, baseline: null };
  if (typeof answer === 'string') return { run, scoredIn, skipped: answer, ...nothing };
  const { evaluation, scenario } = answer;
  return {
    run,
    scoredIn,
    skipped: null,
    predictedSeconds: evaluation.stepSeconds,
    predictedPeakBytes: comparedBytes(run, evaluation),
    fits: evaluation.fits,
    prediction: answer,
    baseline: baselineSample(scenario),
  };
}

function predictOrReason(run: MeasuredRun, predict: Predict): Prediction | string {
  try {
    const prediction = predict(withStated(run.run, run.stated));
    const { feasible, reasons, stepSeconds } = prediction.evaluation;
    // A plan that only lacks memory still has a step time, and somebody ran it.
    if (!feasible && !(stepSeconds > 0)) return reasons.map((reason) => reason.message).join('; ');
    invariant(Number.isFinite(stepSeconds) && stepSeconds > 0, `step of ${stepSeconds} s predicted for ${run.id}`);
    return prediction;
  } catch (error) {
    if (error instanceof SlipwayError) return error.message;
    throw error;
  }
}

/** The baseline answers the rows that the model answers: same rows, and a constant fitted to exactly those. */
function baselineOutcomes(rows: readonly PredictedRow[]): Outcome[] {
  const samples = rows.flatMap(({ run, baseline }) => {
    const measuredSeconds = run.measured.stepSeconds;
    return baseline === null || measuredSeconds === undefined ? [] : [{ ...baseline, measuredSeconds }];
  });
  const constants = fitBaseline(samples);
  return rows.map(({ run, skipped, baseline }) => {
    const constant = baseline === null ? undefined : constants.get(baseline.group);
    const predictedSeconds = baseline === null || constant === undefined ? null : baseline.idealSeconds / constant;
    return { run, skipped, predictedSeconds, predictedPeakBytes: null, fits: null };
  });
}

function validatedRun(row: PredictedRow): ValidatedRun {
  const { run, scoredIn, prediction, fits, skipped } = row;
  const { measured } = run;
  return {
    id: run.id,
    family: run.family,
    scoredIn,
    measured,
    predicted: prediction === null ? null : predictedRun(run, prediction),
    stepError: relativeError(row.predictedSeconds, measured.stepSeconds),
    memoryError: relativeError(row.predictedPeakBytes, measured.peakMemoryBytes),
    fits,
    skipped,
  };
}

function predictedRun(run: MeasuredRun, { scenario, evaluation }: Prediction): PredictedRun {
  const { stepSeconds, allocatedBytes, reservedBytes, deviceBytes, capacityBytes, breakdown } = evaluation;
  const peakBytes = comparedBytes(run, evaluation);
  const { stepFactors, memoryFactors, probabilityOfNotFitting } = uncertaintyOf(scenario, evaluation, run.family);
  return {
    stepSeconds,
    stepSecondsInterval: scaled(stepSeconds, stepFactors),
    peakBytes,
    peakBytesInterval: scaled(peakBytes, memoryFactors),
    probabilityOfNotFitting,
    allocatedBytes,
    reservedBytes,
    deviceBytes,
    capacityBytes,
    breakdown,
  };
}
