import { brokenRule } from './deadEnd.js';
import type { Fixed, Plan, PlanRequest, PlanResult } from './request.js';
import { planSearch } from './search.js';

/** The answer to "why not these values?". */
export interface WhyNot {
  /** What was asked for. */
  readonly asked: Fixed;
  /** The best plan with all of them, where there is one. */
  readonly plan: Plan | null;
  /** Where there is none: the constraint that binds. */
  readonly reason: string | null;
  /** The nearest plan that works: as many of the values as possible kept, and of those the best. */
  readonly nearest: Plan | null;
  /** Keys whose values the nearest plan gave up. */
  readonly given: readonly string[];
}

/** Runs a search to its end. */
export async function planOf(request: PlanRequest): Promise<PlanResult> {
  const search = planSearch(request);
  for (;;) {
    const { done, value } = await search.next();
    if (done === true) return value;
  }
}

/** Why a plan with these values is not the answer: it is slower, or nothing with them works. */
export async function whyNot(request: PlanRequest, asked: Fixed): Promise<WhyNot> {
  const held = { ...request, top: 1, diverse: false };
  const result = await planOf({ ...held, fix: { ...request.fix, ...asked } });
  const [plan] = result.plans;
  if (plan !== undefined) return { asked, plan, reason: null, nearest: null, given: [] };
  const { nearest, given } = await nearestPlan(held, asked);
  return { asked, plan: null, reason: reasonOf(request, asked, result), nearest, given };
}

/** One value given up, then two, then all. */
async function nearestPlan(
  request: PlanRequest,
  asked: Fixed,
): Promise<{ readonly nearest: Plan | null; readonly given: readonly string[] }> {
  const keys = Object.keys(asked);
  for (const given of [...keys.map((key) => [key]), ...pairs(keys), keys].sort((a, b) => a.length - b.length)) {
    const kept = Object.fromEntries(Object.entries(asked).filter(([key]) => !given.includes(key)));
    const { plans } = await planOf({ ...request, fix: { ...request.fix, ...kept } });
    const [plan] = plans;
    if (plan !== undefined) return { nearest: plan, given };
  }
  return { nearest: null, given: [] };
}

function pairs(keys: readonly string[]): readonly (readonly string[])[] {
  return keys.flatMap((first, i) => keys.slice(i + 1).map((second) => [first, second]));
}

/** The rule that the values break by themselves, else what ruled out the candidates that have them. */
function reasonOf(
  { scenario }: PlanRequest,
  asked: Fixed,
  { searched, rejectedByReason, nearestMiss }: PlanResult,
): string {
  if (searched > 0) {
    if (nearestMiss !== null) return `the candidate that comes nearest ${nearestMiss.reason.message}`;
    return (rejectedByReason.condition ?? 0) > 0
      ? 'no candidate with them meets the conditions'
      : 'no candidate with them is left';
  }
  const broken = brokenRule({ scenario, fix: asked });
  return broken?.message ?? `${scenario.framework.id} cannot launch it: see the rules in docs/planning.md`;
}
