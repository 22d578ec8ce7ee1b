import type { Scenario } from '../../scenario/scenario.js';
import { smallIsBetter, type Term } from './goal.js';
import type { Plan } from './request.js';

/** Values of a plan on the axes, all to be made small. */
export function axisTerms(axes: readonly string[], scenario: Scenario): readonly Term[] {
  return axes.map((axis) => smallIsBetter(axis, scenario, 'pareto'));
}

/** Positions of the plans that no other plan beats: none is as good on all axes and better on one. */
export function paretoOf(plans: readonly Plan[], axes: readonly string[], scenario: Scenario): readonly number[] {
  const terms = axisTerms(axes, scenario);
  const points = plans.map(({ strategy, evaluation, accelerators }) =>
    terms.map(
      (term) =>
        term({
          scenario: { ...scenario, strategy, accelerators },
          evaluation,
          stepSeconds: evaluation.stepSeconds,
          confirmed: true,
        })[0],
    ),
  );
  return points.flatMap((point, index) => (points.some((other) => dominates(other, point)) ? [] : [index]));
}

function dominates(a: readonly number[], b: readonly number[]): boolean {
  return a.every((value, i) => value <= (b[i] ?? 0)) && a.some((value, i) => value < (b[i] ?? 0));
}
