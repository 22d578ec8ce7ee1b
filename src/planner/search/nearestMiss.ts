import type { Infeasibility } from '../../errors.js';
import { checkDegrees } from '../../parallelism/degrees.js';
import { formatBytes } from '../../quantity/format.js';
import type { Scenario } from '../../scenario/scenario.js';
import type { Evaluation } from '../../simulation/evaluation.js';
import { LayerCosts } from './costs.js';
import { LeastMemory } from './leastMemory.js';
import { OpenKeys } from './openKeys.js';
import type { NearestMiss, PlanRequest } from './request.js';
import { Space } from './space.js';

/** Layers and pipelines with the smallest bound of memory that are looked at in full. */
const mostTried = 24;

/**
 * The candidate that needs least beyond what there is, where none fits; among those whose bound is smallest, which is not a proof. With
 * no legal candidate at all: the rule that the strategy as given breaks. Null where candidates fit and conditions ruled them out.
 */
export function nearestMiss({ scenario, fix = {} }: PlanRequest): NearestMiss | null {
  const space = new Space(new OpenKeys(scenario, fix));
  const evaluations = smallest(space).flatMap(({ costs, pipelineParallel }) => {
    const shapes = space.shapesOf(costs.layer, pipelineParallel).slice(0, 1);
    return shapes.flatMap((shape) => {
      const recompute = space.recomputesOf(shape.fullestStage).at(-1);
      if (recompute === undefined) return [];
      return space.statesOf(costs.layer, pipelineParallel).map((states) => {
        const shapeCosts = costs.of(pipelineParallel).of(shape);
        const { strategy, evaluation } = shapeCosts.evaluateAndBound(recompute, states);
        return { strategy, evaluation };
      });
    });
  });
  const [first, ...others] = evaluations;
  if (first === undefined) return illegal(scenario);
  const least = others.reduce((a, b) => (b.evaluation.deviceBytes < a.evaluation.deviceBytes ? b : a), first);
  return least.evaluation.fits ? null : { ...least, reason: doesNotFit(least.evaluation) };
}

function smallest(space: Space): readonly { readonly costs: LayerCosts; readonly pipelineParallel: number }[] {
  const found: { costs: () => LayerCosts; pipelineParallel: number; bytes: number }[] = [];
  for (const group of space.groups()) {
    const memory = new LeastMemory(space, group);
    for (const pipelineParallel of group.pipelines) {
      const [microBatchSize] = space.microBatchesOf(group, pipelineParallel);
      const [contextMethod] = group.methods;
      if (microBatchSize === undefined || contextMethod === undefined) continue;
      const layer = { ...group.choice, microBatchSize, contextMethod };
      const microBatches = space.microBatches(group, pipelineParallel, microBatchSize);
      const bytes = memory.leastBytes(pipelineParallel, microBatchSize, microBatches);
      found.push({ costs: () => new LayerCosts(space, layer), pipelineParallel, bytes });
    }
  }
  found.sort((a, b) => a.bytes - b.bytes);
  return found.slice(0, mostTried).map(({ costs, pipelineParallel }) => ({ costs: costs(), pipelineParallel }));
}

function doesNotFit({ deviceBytes, capacityBytes, hostBytes }: Evaluation): Infeasibility {
  const excess = deviceBytes - capacityBytes;
  if (excess <= 0) {
    const message = `${formatBytes(hostBytes)} per node are more than its host memory and drives hold`;
    return { code: 'host-memory', message, numbers: { hostBytes } };
  }
  const message = `needs ${formatBytes(deviceBytes)}, ${formatBytes(excess)} more than the ${formatBytes(capacityBytes)} there are`;
  return { code: 'memory', message, numbers: { deviceBytes, capacityBytes } };
}

/** The strategy as the run file has it, without an evaluation. */
function illegal(scenario: Scenario): NearestMiss | null {
  const [reason] = checkDegrees(scenario);
  return reason === undefined ? null : { strategy: scenario.strategy, evaluation: null, reason };
}
