import type { Strategy } from '../../parallelism/strategy.js';
import type { Plan, PlanRequest } from './request.js';
import { planOf } from './whyNot.js';

/** One change that makes a plan possible where there is none. */
export interface Remedy {
  readonly change: string;
  readonly plan: Plan;
}

/** Larger clusters are tried up to this multiple. */
const mostDoublings = 6;

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
  const held = { ...request, top: 1, diverse: false };
  for (const key of memoryKeys.filter((one) => isSettled(request, one))) {
    const [plan] = (await planOf(opened(held, key))).plans;
    if (plan !== undefined) found.push({ change: `leave ${key} open`, plan });
  }
  found.sort((a, b) => a.plan.score - b.plan.score);
  const larger = await moreAccelerators(held);
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
async function moreAccelerators(request: PlanRequest): Promise<Remedy | undefined> {
  const largest = Math.max(...(request.accelerators ?? [request.scenario.accelerators]));
  for (let doubling = 1; doubling <= mostDoublings; doubling++) {
    const accelerators = largest * 2 ** doubling;
    const [plan] = (await planOf({ ...request, accelerators: [accelerators] })).plans;
    if (plan !== undefined) return { change: `${accelerators} accelerators`, plan };
  }
  return undefined;
}
