import { SlipwayError } from '../../errors.js';
import { checkRunFile } from '../../scenario/parseRunFile.js';
import { resolveCheckedRun } from '../../scenario/resolveScenario.js';
import type { Scenario } from '../../scenario/scenario.js';
import { evaluate } from '../../simulation/closedForm.js';
import type { Evaluation } from '../../simulation/evaluation.js';
import type { MeasuredRun } from '../runs.js';
import { comparedBytes } from '../score.js';
import { withStated } from '../stated.js';

/** A measured run that the model can express, resolved once. */
export interface FitRow {
  readonly run: MeasuredRun;
  readonly scenario: Scenario;
}

/** What a row was measured to be: each is one error of the fit. */
export interface Observation {
  readonly row: number;
  readonly what: 'step' | 'memory' | 'fit';
}

/** Rows whose source does not contradict itself and whose degrees the model accepts. */
export function fitRows(runs: readonly MeasuredRun[]): readonly FitRow[] {
  return runs.flatMap((run) => {
    if (run.problems.length > 0) return [];
    try {
      const scenario = resolveCheckedRun(checkRunFile(withStated(run.run, run.stated)));
      evaluate(scenario);
      return [{ run, scenario }];
    } catch (error) {
      if (error instanceof SlipwayError) return [];
      throw error;
    }
  });
}

/** Steps with attention sinks take longer by something that is not modelled: they are scored, but shall not pull any constant. */
function stepInforms({ scenario }: FitRow): boolean {
  return !scenario.model.attentionSinks;
}

export function observationsOf(rows: readonly FitRow[]): readonly Observation[] {
  return rows.flatMap((fitRow, row) => {
    const { measured } = fitRow.run;
    const observations: Observation[] = [];
    if (measured.stepSeconds !== undefined && stepInforms(fitRow)) observations.push({ row, what: 'step' });
    if (measured.peakMemoryBytes !== undefined) observations.push({ row, what: 'memory' });
    if (measured.outOfMemory !== undefined || measured.stepSeconds !== undefined)
      observations.push({ row, what: 'fit' });
    return observations;
  });
}

/** Rows of one family beyond this many add no more weight: five hundred runs of one sweep share its peculiarities. */
const mostRowsOfAFamily = 20;
/** A row whose layout the source does not give in full says half as much. */
const unknownFieldsWeight = 0.5;
/** Most decisions between fitting and not are easy; together they weigh as a few measured peaks. */
const decisionWeight = 0.25;

export function weightsOf(rows: readonly FitRow[], observations: readonly Observation[]): Float64Array {
  const counts = new Map<string, number>();
  const keyOf = ({ row, what }: Observation): string => `${what} ${rows[row]?.run.family}`;
  for (const one of observations) counts.set(keyOf(one), (counts.get(keyOf(one)) ?? 0) + 1);
  return Float64Array.from(observations, (one) => {
    const unknown = (rows[one.row]?.run.unknown.length ?? 0) > 0 ? unknownFieldsWeight : 1;
    const decision = one.what === 'fit' ? decisionWeight : 1;
    return unknown * decision * Math.min(1, mostRowsOfAFamily / (counts.get(keyOf(one)) ?? 1));
  });
}

/** Signed logarithm of predicted over measured; of a decision, how far the prediction is on the wrong side. */
export function errorOf({ run }: FitRow, what: Observation['what'], evaluation: Evaluation, stepRatio: number): number {
  const { measured } = run;
  if (what === 'step') return Math.log((evaluation.stepSeconds * stepRatio) / (measured.stepSeconds ?? 1));
  if (what === 'memory') return Math.log(comparedBytes(run, evaluation) / (measured.peakMemoryBytes ?? 1));
  const margin = Math.log(evaluation.deviceBytes / evaluation.capacityBytes);
  return measured.outOfMemory === true ? Math.min(0, margin) : Math.max(0, margin);
}
