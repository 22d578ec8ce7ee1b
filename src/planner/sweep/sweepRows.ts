import { SlipwayError } from '../../errors.js';
import type { Architecture } from '../../model/architecture.js';
import { countParameters, type ParameterCounts } from '../../model/parameters.js';
import type { Scenario } from '../../scenario/scenario.js';
import { evaluate } from '../../simulation/closedForm.js';
import { evaluateStep } from '../../simulation/evaluateStep.js';
import { trainingRun } from '../../training/run.js';
import { throughput } from '../throughput.js';
import type { SweepDefinition } from './definition.js';
import { type Cell, type ColumnKind, cellsOf, kindOfFigure, type PointAnswer } from './figures.js';
import { type Grid, makeGrid } from './grid.js';
import { PointScenarios } from './pointScenario.js';

/** A column of the answer. */
export interface Column {
  readonly name: string;
  readonly kind: ColumnKind;
}

/** What became of a point: it runs, it runs but does not fit, or it cannot be run at all and `reason` says why. */
export type PointStatus = 'fits' | 'does-not-fit' | 'illegal';

/** A sweep whose every value was checked: its columns, and the row of any of its points. */
export interface Sweep {
  readonly definition: SweepDefinition;
  readonly grid: Grid;
  /** `id`, the varied keys, `status`, `reason`, and the figures. */
  readonly columns: readonly Column[];
  /** Cells in the order of `columns`; a promise only where presets are read or a search runs. */
  row(index: number): Cell[] | Promise<Cell[]>;
}

/** Checks the definition; throws `SlipwayError` where no point could be right. */
export async function prepareSweep(definition: SweepDefinition): Promise<Sweep> {
  const grid = makeGrid(definition);
  const scenarios = await PointScenarios.of(definition);
  const columns = columnsOf(definition, scenarios.kinds);
  const counts = new WeakMap<Architecture, ParameterCounts>();
  const countsOf = (model: Architecture): ParameterCounts => {
    const known = counts.get(model) ?? countParameters(model);
    counts.set(model, known);
    return known;
  };
  const evaluated = (index: number, digits: readonly number[]): Cell[] => {
    const cells: Cell[] = definition.axes.map(() => null);
    try {
      const scenario = scenarios.at(digits, cells);
      const answer = answerOf(scenario, definition, countsOf(scenario.model));
      const status: PointStatus = answer.evaluation.fits ? 'fits' : 'does-not-fit';
      return [grid.id(index), ...cells, status, null, ...cellsOf(answer, definition.figures)];
    } catch (error) {
      if (!(error instanceof SlipwayError)) throw error;
      return [grid.id(index), ...cells, 'illegal', reasonOf(error), ...definition.figures.map(() => null)];
    }
  };
  return {
    definition,
    grid,
    columns,
    row(index) {
      const digits = grid.digits(index);
      const loading = scenarios.load(digits);
      return loading === undefined ? evaluated(index, digits) : loading.then(() => evaluated(index, digits));
    },
  };
}

function answerOf(
  scenario: Scenario,
  { method, flopsConvention }: SweepDefinition,
  parameters: ParameterCounts,
): PointAnswer {
  const evaluation = method === 'closed-form' ? evaluate(scenario) : evaluateStep(scenario);
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

function columnsOf({ axes, figures }: SweepDefinition, kinds: readonly ColumnKind[]): readonly Column[] {
  return [
    { name: 'id', kind: 'text' },
    ...axes.map(({ name }, index): Column => ({ name, kind: kinds[index] ?? 'text' })),
    { name: 'status', kind: 'text' },
    { name: 'reason', kind: 'text' },
    ...figures.map((name): Column => ({ name, kind: kindOfFigure(name) })),
  ];
}
