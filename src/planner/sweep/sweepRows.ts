import { SlipwayError } from '../../errors.js';
import type { Architecture } from '../../model/architecture.js';
import { countParameters, type ParameterCounts } from '../../model/parameters.js';
import type { Scenario } from '../../scenario/scenario.js';
import type { Evaluation } from '../../simulation/evaluation.js';
import { trainingRun } from '../../training/run.js';
import { throughput } from '../throughput.js';
import type { SweepDefinition } from './definition.js';
import { type Cell, type ColumnKind, cellsOf, kindOfFigure, type PointAnswer } from './figures.js';
import { type Grid, makeGrid } from './grid.js';
import { planLabel, planPoint } from './planPoint.js';
import { PointEvaluations } from './pointEvaluation.js';
import { PointScenarios } from './pointScenario.js';

/** A column of the answer. */
export interface Column {
  readonly name: string;
  readonly kind: ColumnKind;
}

/** What became of a point: it runs, it runs but does not fit, a search found no plan, or it cannot be run at all; `reason` says why. */
export type PointStatus = 'fits' | 'does-not-fit' | 'no-plan' | 'illegal';

/** A sweep whose every value was checked: its columns, and the row of any of its points. */
export interface Sweep {
  readonly definition: SweepDefinition;
  readonly grid: Grid;
  /** `id`, the varied keys, `status`, `reason`, with searches `plan`, and the figures. */
  readonly columns: readonly Column[];
  /** Cells in the order of `columns`; a promise only where presets are read or a search runs. */
  row(index: number): Cell[] | Promise<Cell[]>;
}

/** Checks the definition; throws `SlipwayError` where no point could be right. */
export async function prepareSweep(definition: SweepDefinition): Promise<Sweep> {
  const grid = makeGrid(definition);
  const scenarios = await PointScenarios.of(definition);
  const evaluations = new PointEvaluations(definition);
  const columns = columnsOf(definition, scenarios.kinds);
  const counts = new WeakMap<Architecture, ParameterCounts>();
  const countsOf = (model: Architecture): ParameterCounts => {
    const known = counts.get(model) ?? countParameters(model);
    counts.set(model, known);
    return known;
  };
  const planned = definition.method === 'plan';
  const answered = (index: number, cells: readonly Cell[], answer: PointAnswer): Cell[] => {
    const status: PointStatus = answer.evaluation.fits ? 'fits' : 'does-not-fit';
    const label = planned ? [planLabel(answer)] : [];
    return [grid.id(index), ...cells, status, null, ...label, ...cellsOf(answer, definition.figures)];
  };
  const without = (index: number, cells: readonly Cell[], status: PointStatus, reason: string): Cell[] => {
    const none = [...(planned ? [null] : []), ...definition.figures.map(() => null)];
    return [grid.id(index), ...cells, status, reason, ...none];
  };
  const refused = (index: number, cells: readonly Cell[], error: unknown): Cell[] => {
    if (!(error instanceof SlipwayError)) throw error;
    return without(index, cells, 'illegal', reasonOf(error));
  };
  const evaluated = (index: number, digits: readonly number[]): Cell[] => {
    const cells: Cell[] = definition.axes.map(() => null);
    try {
      const scenario = scenarios.at(digits, cells);
      const evaluation = evaluations.of(scenario, digits);
      return answered(index, cells, answerOf(scenario, evaluation, definition, countsOf(scenario.model)));
    } catch (error) {
      return refused(index, cells, error);
    }
  };
  const searched = async (index: number, digits: readonly number[]): Promise<Cell[]> => {
    const cells: Cell[] = definition.axes.map(() => null);
    try {
      await scenarios.load(digits);
      const found = await planPoint(scenarios.at(digits, cells), definition.objective);
      if ('reason' in found) return without(index, cells, 'no-plan', found.reason);
      const { scenario, evaluation } = found;
      return answered(index, cells, answerOf(scenario, evaluation, definition, countsOf(scenario.model)));
    } catch (error) {
      return refused(index, cells, error);
    }
  };
  return {
    definition,
    grid,
    columns,
    row(index) {
      const digits = grid.digits(index);
      if (planned) return searched(index, digits);
      const loading = scenarios.load(digits);
      return loading === undefined ? evaluated(index, digits) : loading.then(() => evaluated(index, digits));
    },
  };
}

function answerOf(
  scenario: Scenario,
  evaluation: Evaluation,
  { flopsConvention }: SweepDefinition,
  parameters: ParameterCounts,
): PointAnswer {
  return {
    scenario,
    evaluation,
    throughput: throughput(scenario, evaluation, flopsConvention, parameters.active),
    training: trainingRun(scenario, evaluation.stepSeconds, parameters.total),
  };
}

function reasonOf({ message, place }: SlipwayError): string {
  return place.key === undefined || message.includes(place.key.split('.').at(-1) ?? '')
    ? message
    : `${place.key}: ${message}`;
}

function columnsOf({ axes, figures, method }: SweepDefinition, kinds: readonly ColumnKind[]): readonly Column[] {
  return [
    { name: 'id', kind: 'text' },
    ...axes.map(({ name }, index): Column => ({ name, kind: kinds[index] ?? 'text' })),
    { name: 'status', kind: 'text' },
    { name: 'reason', kind: 'text' },
    ...(method === 'plan' ? [{ name: 'plan', kind: 'text' } as const] : []),
    ...figures.map((name): Column => ({ name, kind: kindOfFigure(name) })),
  ];
}
