import type { LeftOutPrediction } from '../leftOutRuns.js';
import type { LeftOutError } from '../residuals.js';
import type { MeasuredRun } from '../runs.js';
import type { Outcome } from '../score.js';
import type { Fitter } from './fit.js';
import type { FitRow } from './rows.js';

/**
 * Every row predicted with constants that were fitted without any row of its family: what to expect of runs that nobody has fitted to.
 * Constants that only that family informs fall back to what is expected of them.
 */
export function leftOutOutcomes(fitter: Fitter): Outcome[] {
  const families = [...new Set(fitter.rows.map(({ run }) => run.family))];
  const valuesWithout = new Map(families.map((family) => [family, fitter.fitWithout(family)]));
  return fitter.rows.flatMap(({ run }, row) => {
    const values = valuesWithout.get(run.family);
    return values === undefined ? [] : fitter.outcome(row, values);
  });
}

/** The left-out predictions as they are kept beside the rows. */
export function leftOutPredictions(outcomes: readonly Outcome[]): Map<string, LeftOutPrediction> {
  return new Map(
    outcomes.flatMap(({ run, predictedSeconds, predictedPeakBytes, fits }) => {
      if (predictedSeconds === null || predictedPeakBytes === null || fits === null) return [];
      return [[run.id, { stepSeconds: predictedSeconds, peakBytes: predictedPeakBytes, fits }] as const];
    }),
  );
}

/** Signed errors of the left-out predictions: of time, and of memory. */
export function leftOutErrors(
  rows: readonly FitRow[],
  predictions: ReadonlyMap<string, LeftOutPrediction>,
): { readonly step: readonly LeftOutError[]; readonly memory: readonly LeftOutError[] } {
  const errorsOf = (
    measuredOf: (run: MeasuredRun) => number | undefined,
    predictedOf: (prediction: LeftOutPrediction) => number,
  ): LeftOutError[] =>
    rows.flatMap(({ run, scenario }) => {
      const measured = measuredOf(run);
      const prediction = predictions.get(run.id);
      if (measured === undefined || prediction === undefined) return [];
      const error = Math.log(measured / predictedOf(prediction));
      return [{ family: run.family, scenario, error, unknownFields: run.unknown.length > 0 }];
    });
  return {
    step: errorsOf(
      ({ measured }) => measured.stepSeconds,
      ({ stepSeconds }) => stepSeconds,
    ),
    memory: errorsOf(
      ({ measured }) => measured.peakMemoryBytes,
      ({ peakBytes }) => peakBytes,
    ),
  };
}
