import type { Scenario } from '../../scenario/scenario.js';
import { clusterSizes } from './clusterSizes.js';
import type { PlanProgress, PlanRequest, PlanResult } from './request.js';
import { planSearch } from './search.js';

/** Sizes that are looked at between the smallest that works and the one before it. */
const MOST_BETWEEN = 32;

/**
 * The smallest cluster that meets the conditions of a request, and the plans for it: first over four sizes an octave, then over whole nodes
 * between the one that works and the one before it, every node where there are no more than 32 of them.
 */
export async function* smallestCluster(
  request: Omit<PlanRequest, 'accelerators' | 'objective'>,
): AsyncGenerator<PlanProgress, PlanResult> {
  const sizes = clusterSizes(request.scenario);
  const sought = { ...request, objective: 'accelerators' };
  const coarse = yield* planSearch({ ...sought, accelerators: sizes });
  const found = coarse.plans[0]?.accelerators;
  if (found === undefined || !coarse.complete) return coarse;
  const between = sizesBetween(request.scenario, sizes.filter((size) => size < found).at(-1) ?? 0, found);
  if (between.length === 0) return coarse;
  return yield* planSearch({ ...sought, accelerators: [...between, ...sizes.filter((size) => size >= found)] });
}

/** Whole nodes above one size and below another. */
function sizesBetween({ cluster }: Scenario, above: number, below: number): readonly number[] {
  const node = cluster.acceleratorsPerNode;
  const nodes = Math.ceil(below / node) - Math.floor(above / node) - 1;
  const step = Math.max(1, Math.ceil(nodes / MOST_BETWEEN)) * node;
  const found: number[] = [];
  for (let size = (Math.floor(above / node) + 1) * node; size < below; size += step) found.push(size);
  return found;
}
