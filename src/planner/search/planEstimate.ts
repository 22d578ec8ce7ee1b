import type { Scenario } from '../../scenario/scenario.js';
import { type EstimateOptions, estimate } from '../estimate.js';
import type { Estimate } from '../estimateResult.js';
import type { Plan } from './request.js';
import { winnerAdvice } from './winnerAdvice.js';

/** The question with a plan's strategy in it; what the search chose is no default any more. */
export function planScenario(scenario: Scenario, { strategy, accelerators }: Plan): Scenario {
  const values = new Map<string, unknown>(Object.entries(strategy).map(([key, value]) => [`strategy.${key}`, value]));
  const defaultsFilledIn = scenario.defaultsFilledIn.filter(
    ({ key, value }) =>
      (key !== 'accelerators' || value === accelerators) && (!values.has(key) || values.get(key) === value),
  );
  return { ...scenario, strategy, accelerators, defaultsFilledIn };
}

/** Plans as full estimates; the first with what would still help. */
export function planEstimates(
  scenario: Scenario,
  plans: readonly Plan[],
  options: EstimateOptions = {},
): readonly Estimate[] {
  return plans.map((plan, index) => {
    const full = estimate(planScenario(scenario, plan), { ...options, advice: false });
    return index === 0 && options.advice !== false ? { ...full, advice: winnerAdvice(scenario, plan) } : full;
  });
}
