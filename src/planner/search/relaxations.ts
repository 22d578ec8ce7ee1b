import { formatBytes, formatCount, formatDollars, formatRatio, formatSeconds } from '../../quantity/format.js';
import { conjunctsOf } from '../../quantity/rangeExpression.js';
import type { Dimension } from '../../quantity/units.js';
import { figureOf } from './figures.js';
import { valueOfExpression } from './goal.js';
import { type LimitedAnswer, limitedSearch } from './limitedSearch.js';
import type { Plan, PlanRequest } from './request.js';

/** A condition that rules every plan out, and the plan that comes nearest to it while it meets the others. */
export interface Relaxation {
  /** `mfu > 0.9`, `the deadline of 30 days`. */
  readonly condition: string;
  /** What the plan reaches instead: `mfu 59.2 %`, `41.2 days`; empty where that is no figure. */
  readonly reached: string;
  /** Nothing comes nearer. */
  readonly proven: boolean;
  readonly plan: Plan;
}

/** Sizes of the cluster that are looked at where there are many. */
const LIKELY_SIZES = 3;

/** One condition of a request, and how to come near it without it. */
interface Condition {
  readonly name: string;
  readonly without: PlanRequest;
  /** What is made small to come nearest; the request's own objective where there is no such figure. */
  readonly nearest?: string;
  reached(request: PlanRequest, plan: Plan): Promise<string>;
}

/**
 * Where candidates fit but none meets the conditions: each condition given up by itself, with the plan that misses it by least. Where that
 * does not help, each one by itself with all others given up. Empty where nothing fits even so.
 */
export async function relaxations(request: PlanRequest): Promise<readonly Relaxation[]> {
  const conditions = await conditionsOf(request);
  const single = await nearestOf(request, conditions);
  if (single.length > 0 || conditions.length < 2) return single;
  const { where: _where, deadlineSeconds: _deadline, budgetDollars: _budget, ...free } = request;
  return nearestOf(
    request,
    conditions.map((condition) => ({ ...condition, without: free })),
  );
}

async function nearestOf(request: PlanRequest, conditions: readonly Condition[]): Promise<readonly Relaxation[]> {
  const found: Relaxation[] = [];
  for (const condition of conditions) {
    const { plan, proven } = await nearestPlan(condition);
    if (plan === undefined) continue;
    found.push({ condition: condition.name, reached: await condition.reached(request, plan), proven, plan });
  }
  return found;
}

/** The bound of an unusual objective, or of many sizes, may leave too much to look at: then a good plan, without the proof. */
async function nearestPlan({ without, nearest }: Condition): Promise<LimitedAnswer> {
  if (nearest === undefined) return limitedSearch(without);
  const sought = { ...without, objective: nearest };
  const sizes = without.accelerators ?? [];
  if (sizes.length <= 1) {
    const answer = await limitedSearch(sought);
    return answer.plan === undefined && !answer.proven ? limitedSearch(without) : answer;
  }
  const found: Plan[] = [];
  for (const size of await likelySizes(without, nearest, sizes)) {
    const { plan } = await limitedSearch({ ...sought, accelerators: [size] });
    if (plan !== undefined) found.push(plan);
  }
  if (found.length === 0) return { ...(await limitedSearch(without)), proven: false };
  return { plan: found.reduce((a, b) => (b.score < a.score ? b : a)), proven: false };
}

/** All sizes together would take too long: the fastest plans are those of the largest, the cheapest those of the smallest that work. */
async function likelySizes(
  without: PlanRequest,
  nearest: string,
  sizes: readonly number[],
): Promise<readonly number[]> {
  if (nearest === 'training.seconds') return sizes.slice(-LIKELY_SIZES);
  const { plan } = await limitedSearch({ ...without, objective: 'accelerators' });
  const least = plan?.accelerators ?? 0;
  return sizes.filter((size) => size >= least).slice(0, LIKELY_SIZES);
}

async function conditionsOf(request: PlanRequest): Promise<readonly Condition[]> {
  const { where, deadlineSeconds, budgetDollars } = request;
  const found: Condition[] = [];
  if (deadlineSeconds !== undefined) {
    const { deadlineSeconds: _, ...without } = request;
    const reached = (one: PlanRequest, plan: Plan): Promise<string> => figureText('training.seconds', one, plan);
    found.push({
      name: `the deadline of ${formatSeconds(deadlineSeconds)}`,
      without,
      nearest: 'training.seconds',
      reached,
    });
  }
  if (budgetDollars !== undefined) {
    const { budgetDollars: _, ...without } = request;
    const reached = (one: PlanRequest, plan: Plan): Promise<string> => figureText('training.costUsd', one, plan);
    found.push({
      name: `the budget of ${formatDollars(budgetDollars)}`,
      without,
      nearest: 'training.costUsd',
      reached,
    });
  }
  return where === undefined ? found : [...found, ...(await partsOf(request, where))];
}

/** The conditions that `and` joins, each with the others held. */
async function partsOf(request: PlanRequest, where: string): Promise<readonly Condition[]> {
  const parts = await conjunctsOf(where);
  return parts.map(({ text, slack }, index): Condition => {
    const others = parts.filter((_, other) => other !== index).map((other) => `(${other.text})`);
    const { where: _, ...free } = request;
    return {
      name: text,
      without: others.length === 0 ? free : { ...free, where: others.join(' and ') },
      ...(slack === undefined ? {} : { nearest: slack.excess }),
      reached: (one, plan) => (slack === undefined ? Promise.resolve('') : figureText(slack.compared, one, plan)),
    };
  });
}

const texts: Readonly<Partial<Record<Dimension, (value: number) => string>>> = {
  bytes: formatBytes,
  seconds: formatSeconds,
  dollars: formatDollars,
  ratio: formatRatio,
};

/** `mfu 59.2 %`: what an expression comes to for a plan. */
async function figureText(expression: string, { scenario }: PlanRequest, plan: Plan): Promise<string> {
  const { accelerators, strategy, evaluation } = plan;
  const value = await valueOfExpression(expression, { scenario: { ...scenario, accelerators, strategy }, evaluation });
  const figure = figureOf(expression);
  if (!Number.isFinite(value)) return `${expression} without a value`;
  const text = `${value < 0 ? '-' : ''}${(texts[figure?.dimension ?? 'count'] ?? formatCount)(Math.abs(value))}`;
  // Time and money speak for themselves.
  return figure?.path === 'training.seconds' || figure?.path === 'training.costUsd' ? text : `${expression} ${text}`;
}
