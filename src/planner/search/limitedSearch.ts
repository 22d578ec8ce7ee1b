import type { Plan, PlanRequest } from './request.js';
import { planSearch } from './search.js';

/** Candidates, and reports of progress, that a question beside the main one may cost: some seconds. */
const MOST_EVALUATED = 60_000;
const MOST_REPORTS = 1500;

/** The best plan, and whether the search could prove that it is. */
export interface LimitedAnswer {
  readonly plan: Plan | undefined;
  readonly proven: boolean;
}

/**
 * The best plan that a search finds before it has done too much, if it finds one. For ways out of a dead end, which must not
 * keep anybody waiting. `patience` multiplies what it may do.
 */
export async function limitedSearch(request: PlanRequest, patience = 1): Promise<LimitedAnswer> {
  const limit = new AbortController();
  let reports = 0;
  const search = planSearch({ ...request, top: 1, diverse: false, signal: limit.signal });
  for (;;) {
    const { done, value } = await search.next();
    if (done === true) return { plan: value.plans[0], proven: value.complete };
    reports++;
    const enough = value.evaluated > patience * MOST_EVALUATED || reports > patience * MOST_REPORTS;
    if (enough || request.signal?.aborted === true) limit.abort();
  }
}

export async function limitedPlan(request: PlanRequest, patience = 1): Promise<Plan | undefined> {
  return (await limitedSearch(request, patience)).plan;
}
