import type { Infeasibility } from '../../errors.js';
import { checkDegrees } from '../../parallelism/degrees.js';
import type { Strategy } from '../../parallelism/strategy.js';
import { nearestMiss } from './nearestMiss.js';
import { relaxations } from './relaxations.js';
import { moreAccelerators, type Remedy, remedies } from './remedies.js';
import type { Fixed, KeyValue, NearestMiss, PlanRequest, PlanResult } from './request.js';

/** Why there is no plan, and ways to one. */
export interface DeadEnd {
  readonly nearestMiss: NearestMiss | null;
  /** The cheapest first. */
  readonly remedies: readonly Remedy[];
}

/** What a search that was completed and found nothing has to say: never nothing. */
export async function deadEnd(request: PlanRequest, result: PlanResult): Promise<DeadEnd> {
  const nearest = await relaxations(request);
  const [first] = nearest;
  if (first === undefined) return { nearestMiss: memoryMiss(request, result), remedies: await remedies(request) };
  const misses = nearest.map(({ condition, reached, proven }) => {
    if (reached === '') return condition;
    return proven ? `${condition} (at best ${reached})` : `${condition} (nearest found: ${reached})`;
  });
  const reason = { code: 'condition', message: `no plan meets ${misses.join(' or ')}`, numbers: {} };
  const given = nearest.map(({ condition, plan }) => ({ change: `nearest to ${condition}`, plan }));
  // Where sizes were to be chosen, larger ones than there are were no answer.
  const larger = request.accelerators === undefined ? await moreAccelerators(request) : undefined;
  return {
    nearestMiss: { strategy: first.plan.strategy, evaluation: first.plan.evaluation, reason },
    remedies: larger === undefined ? given : [...given, larger],
  };
}

/** The nearest miss of the largest size; where no candidate is legal, the rule that the settled values break. */
function memoryMiss(request: PlanRequest, { nearestMiss: found }: PlanResult): NearestMiss | null {
  const { scenario, accelerators = [] } = request;
  const largest = Math.max(scenario.accelerators, ...accelerators);
  const miss =
    accelerators.length > 1 ? nearestMiss({ ...request, scenario: { ...scenario, accelerators: largest } }) : found;
  return miss ?? ruleMiss(request);
}

function ruleMiss({ scenario, fix = {} }: PlanRequest): NearestMiss | null {
  const reason = brokenRule({ scenario, fix });
  return reason === undefined ? null : { strategy: scenario.strategy, evaluation: null, reason };
}

/** Combinations of settled values that are tried. */
const MOST_TRIED = 256;

/** The first rule of the degrees that every combination of the values breaks; undefined where one of them is legal by itself. */
export function brokenRule({ scenario, fix = {} }: Pick<PlanRequest, 'scenario' | 'fix'>): Infeasibility | undefined {
  let first: Infeasibility | undefined;
  for (const values of combinations(fix)) {
    const [reason] = checkDegrees({ ...scenario, strategy: { ...scenario.strategy, ...values } as Strategy });
    if (reason === undefined) return undefined;
    first ??= reason;
  }
  return first;
}

function combinations(fix: Fixed): readonly Readonly<Record<string, KeyValue>>[] {
  let found: readonly Readonly<Record<string, KeyValue>>[] = [{}];
  for (const [key, values = []] of Object.entries(fix)) {
    found = found.flatMap((one) => values.map((value) => ({ ...one, [key]: value }))).slice(0, MOST_TRIED);
  }
  return found;
}
