import type { Evaluation } from '../simulation/evaluation.js';
import { type RankedRun, type RankingScore, scoreRanking } from './ranking.js';
import { type MeasuredRun, type MemoryKind, memoryKinds } from './runs.js';
import { groupBy, mean, median, quantile } from './statistics.js';

/** One row after prediction: what both sides said. `null` where a side has no such figure. */
export interface Outcome {
  readonly run: MeasuredRun;
  /** Why the row could not be predicted, or null. A skipped row has no other figure. */
  readonly skipped: string | null;
  readonly predictedSeconds: number | null;
  /** The predicted counterpart of the counter that the source read. */
  readonly predictedPeakBytes: number | null;
  readonly fits: boolean | null;
}

/** Errors are signed fractions, predicted / measured - 1; absolute ones say so in their name. */
export interface StepScore {
  /** Rows with a measured and a predicted step time. */
  readonly stepCount: number;
  readonly medianAbsStepError: number | null;
  readonly meanAbsStepError: number | null;
  readonly p90AbsStepError: number | null;
  /** Mean signed error; negative is optimistic. */
  readonly bias: number | null;
  /** Median signed error, which a few wild rows do not move. */
  readonly medianStepError: number | null;
}

export interface MemoryScore {
  readonly count: number;
  readonly medianAbsMemoryError: number | null;
  readonly meanAbsMemoryError: number | null;
  readonly bias: number | null;
}

/** A run that ended with a step time did fit; one that is marked as out of memory did not. */
export interface OutOfMemoryScore {
  readonly count: number;
  readonly right: number;
  /** Said that it fits, and it did not: the costly mistake. */
  readonly saidFits: number;
  readonly saidDoesNotFit: number;
}

export interface GroupScore extends StepScore {
  /** Rows predicted; `skipped` come on top. */
  readonly count: number;
  readonly skipped: number;
  readonly medianAbsMemoryError: number | null;
  readonly memoryByKind: Readonly<Partial<Record<MemoryKind, MemoryScore>>>;
  readonly outOfMemory: OutOfMemoryScore;
  readonly ranking: RankingScore;
}

export interface Score extends GroupScore {
  /** The headline: the median over families of a family's median absolute error. */
  readonly familyBalancedMedianAbsStepError: number | null;
  /** The median over families of a family's median signed error. */
  readonly familyBalancedBias: number | null;
  readonly byFamily: Readonly<Record<string, GroupScore>>;
}

/** Families of one or two rows are pooled under this name: a median of one row says nothing. */
export const pooledFamily = 'other';
const smallestFamily = 3;

export function score(outcomes: readonly Outcome[]): Score {
  const byFamily = Object.fromEntries(
    [...pooled(outcomes)].map(([family, members]) => [family, scoreGroup(members)] as const),
  );
  const families = Object.values(byFamily);
  return {
    familyBalancedMedianAbsStepError: median(defined(families.map((family) => family.medianAbsStepError))),
    familyBalancedBias: median(defined(families.map((family) => family.medianStepError))),
    ...scoreGroup(outcomes),
    byFamily,
  };
}

export function relativeError(predicted: number | null, measured: number | undefined): number | null {
  return predicted === null || measured === undefined ? null : predicted / measured - 1;
}

function pooled(outcomes: readonly Outcome[]): Map<string, Outcome[]> {
  const families = groupBy(outcomes, ({ run }) => run.family);
  const isSmall = (family: string) => (families.get(family)?.length ?? 0) < smallestFamily;
  return groupBy(outcomes, ({ run }) => (isSmall(run.family) ? pooledFamily : run.family));
}

function scoreGroup(outcomes: readonly Outcome[]): GroupScore {
  const predicted = outcomes.filter((outcome) => outcome.skipped === null);
  return {
    count: predicted.length,
    skipped: outcomes.length - predicted.length,
    ...scoreSteps(defined(predicted.map(stepError))),
    medianAbsMemoryError: median(defined(predicted.map(memoryError)).map(Math.abs)),
    memoryByKind: scoreMemory(predicted),
    outOfMemory: scoreOutOfMemory(predicted),
    ranking: scoreRanking(predicted.flatMap(rankedRun)),
  };
}

function scoreSteps(errors: readonly number[]): StepScore {
  const absolute = errors.map(Math.abs);
  return {
    stepCount: errors.length,
    medianAbsStepError: median(absolute),
    meanAbsStepError: mean(absolute),
    p90AbsStepError: quantile(absolute, 0.9),
    bias: mean(errors),
    medianStepError: median(errors),
  };
}

function scoreMemory(outcomes: readonly Outcome[]): Partial<Record<MemoryKind, MemoryScore>> {
  const scores: Partial<Record<MemoryKind, MemoryScore>> = {};
  for (const kind of memoryKinds) {
    const errors = defined(outcomes.filter(({ run }) => memoryKindOf(run) === kind).map(memoryError));
    if (errors.length === 0) continue;
    const absolute = errors.map(Math.abs);
    scores[kind] = {
      count: errors.length,
      medianAbsMemoryError: median(absolute),
      meanAbsMemoryError: mean(absolute),
      bias: mean(errors),
    };
  }
  return scores;
}

function scoreOutOfMemory(outcomes: readonly Outcome[]): OutOfMemoryScore {
  const decisions = outcomes.flatMap(({ run, fits }) => {
    const ranOut = run.measured.outOfMemory === true;
    const known = ranOut || run.measured.stepSeconds !== undefined || run.measured.outOfMemory === false;
    return known && fits !== null ? [{ fitted: !ranOut, fits }] : [];
  });
  return {
    count: decisions.length,
    right: decisions.filter(({ fitted, fits }) => fitted === fits).length,
    saidFits: decisions.filter(({ fitted, fits }) => fits && !fitted).length,
    saidDoesNotFit: decisions.filter(({ fitted, fits }) => !fits && fitted).length,
  };
}

function stepError(outcome: Outcome): number | null {
  return relativeError(outcome.predictedSeconds, outcome.run.measured.stepSeconds);
}

function memoryError(outcome: Outcome): number | null {
  return relativeError(outcome.predictedPeakBytes, outcome.run.measured.peakMemoryBytes);
}

export function memoryKindOf(run: MeasuredRun): MemoryKind {
  return run.measured.memoryKind ?? 'unstated';
}

function rankedRun({ run, predictedSeconds }: Outcome): RankedRun[] {
  const measuredSeconds = run.measured.stepSeconds;
  if (measuredSeconds === undefined || predictedSeconds === null) return [];
  return [{ run, measuredSeconds, predictedSeconds }];
}

function defined(values: readonly (number | null)[]): number[] {
  return values.filter((value) => value !== null);
}

/** The predicted counterpart of the counter that the source read; one that is not named most often is the reservation. */
export function comparedBytes(run: MeasuredRun, evaluation: Evaluation): number {
  const kind = memoryKindOf(run);
  if (kind === 'allocated') return evaluation.allocatedBytes;
  return kind === 'nvidia-smi' ? evaluation.deviceBytes : evaluation.reservedBytes;
}
