import type { Strategy } from '../../parallelism/strategy.js';
import type { Scenario } from '../../scenario/scenario.js';
import type { Evaluation } from '../../simulation/evaluation.js';
import { brokenRule } from '../search/deadEnd.js';
import { planScenario } from '../search/planEstimate.js';
import type { PlanResult } from '../search/request.js';
import { planSearch } from '../search/search.js';

/** The best plan of a point: its scenario, and the evaluation that confirmed it. */
export interface PlannedPoint {
  readonly scenario: Scenario;
  readonly evaluation: Evaluation;
}

/** A point for which no plan fits. */
export interface UnplannedPoint {
  /** The nearest miss. */
  readonly reason: string;
}

/** Searches the strategies of a point; what the run file and the axes give stays as it is. */
export async function planPoint(
  scenario: Scenario,
  objective: string | undefined,
): Promise<PlannedPoint | UnplannedPoint> {
  const search = planSearch({ scenario, top: 1, ...(objective === undefined ? {} : { objective }) });
  let result: PlanResult | undefined;
  while (result === undefined) {
    const { done, value } = await search.next();
    if (done === true) result = value;
  }
  const [plan] = result.plans;
  if (plan !== undefined) return { scenario: planScenario(scenario, plan), evaluation: plan.evaluation };
  return { reason: result.nearestMiss?.reason.message ?? brokenRule({ scenario })?.message ?? 'nothing can be run' };
}

/** `tp8 pp16 vp8 dp128 zero-2 mbs1 recompute-selective`: what a row says of a plan. */
export function planLabel({ scenario: { strategy: s }, evaluation }: PlannedPoint): string {
  const degrees: readonly (readonly [string, number])[] = [
    ['tp', s.tensorParallel],
    ['cp', s.contextParallel],
    ['pp', s.pipelineParallel],
    ['vp', s.virtualStages],
    ['ep', s.expertParallel],
    ['dp', evaluation.dataParallel],
  ];
  return [
    ...degrees.filter(([, degree]) => degree > 1).map(([name, degree]) => `${name}${degree}`),
    s.dataSharding,
    `mbs${s.microBatchSize}`,
    ...extras(s),
  ].join(' ');
}

function extras(s: Strategy): readonly string[] {
  const recompute = s.recompute === 'none' ? [] : [`recompute-${s.recompute}`];
  return s.offload === 'none' ? recompute : [...recompute, s.offload];
}
