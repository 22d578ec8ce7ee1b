import type { Strategy } from '../../parallelism/strategy.js';
import { grouped } from '../../quantity/format.js';
import { limitedPlan } from './limitedSearch.js';
import type { Plan, PlanRequest } from './request.js';

/** One change that makes a plan possible where there is none. */
export interface Remedy {
  readonly change: string;
  readonly plan: Plan;
}

/** Larger clusters are tried up to this multiple. */
const mostDoublings = 6;

/** Where little fits, a search rules most out before it finds anything. */
const PATIENCE = 5;

/** Keys that trade time for memory, when the user settled them. */
const memoryKeys: readonly (keyof Strategy)[] = [
  'recompute',
  'dataSharding',
  'offload',
  'microBatchSize',
  'pipelineParallel',
  'tensorParallel',
  'contextParallel',
  'expertParallel',
  'precision',
];

/** Ways to make it fit: each settled key left open by itself, and more accelerators. The cheapest first: fewest accelerators, then the best score. */
export async function remedies(request: PlanRequest): Promise<readonly Remedy[]> {
  const found: Remedy[] = [];
  for (const key of memoryKeys.filter((one) => isSettled(request, one))) {
    const plan = await limitedPlan(opened(request, key), PATIENCE);
    if (plan !== undefined) found.push({ change: `leave ${key} open`, plan });
  }
  found.sort((a, b) => a.plan.score - b.plan.score);
  const larger = await moreAccelerators(request);
  return larger === undefined ? found : [...found, larger];
}

function isSettled({ scenario, fix }: PlanRequest, key: keyof Strategy): boolean {
  return fix?.[key] !== undefined || !scenario.defaultsFilledIn.some((filled) => filled.key === `strategy.${key}`);
}

function opened(request: PlanRequest, key: keyof Strategy): PlanRequest {
  const { scenario, fix } = request;
  const kept = Object.fromEntries(Object.entries(fix ?? {}).filter(([one]) => one !== key));
  const filled = { key: `strategy.${key}`, value: 'open', from: 'slipway' };
  return { ...request, fix: kept, scenario: { ...scenario, defaultsFilledIn: [...scenario.defaultsFilledIn, filled] } };
}

/** Doubled until something works. The batch stays, so that there is an end to that. */
export async function moreAccelerators(request: PlanRequest): Promise<Remedy | undefined> {
  const largest = Math.max(...(request.accelerators ?? [request.scenario.accelerators]));
  for (let doubling = 1; doubling <= mostDoublings; doubling++) {
    const accelerators = largest * 2 ** doubling;
    const plan = await limitedPlan({ ...request, accelerators: [accelerators] });
    if (plan !== undefined) return { change: `${grouped(accelerators)} accelerators`, plan };
  }
  return undefined;
}
