import type { Infeasibility } from '../../errors.js';
import { checkDegrees } from '../../parallelism/degrees.js';
import { formatBytes } from '../../quantity/format.js';
import type { Scenario } from '../../scenario/scenario.js';
import type { Evaluation } from '../../simulation/evaluation.js';
import { LayerCosts } from './costs.js';
import type { LayerGroup } from './layerChoices.js';
import { LeastMemory } from './leastMemory.js';
import { MinHeap } from './minHeap.js';
import { OpenKeys } from './openKeys.js';
import type { NearestMiss, PlanRequest } from './request.js';
import { Space } from './space.js';
import type { RecomputeSetting } from './stateChoices.js';

/** Layers in a pipeline of so many stages, in the smallest micro-batch: a larger one needs no less. */
interface Place {
  readonly group: LayerGroup;
  readonly pipelineParallel: number;
  readonly microBatchSize: number;
}

interface Miss {
  readonly strategy: Scenario['strategy'];
  readonly evaluation: Evaluation;
}

/**
 * The candidate that needs least on its fullest accelerator, in closed form, where none fits: groups are looked at in the order of a bound of what
 * they need, until no bound is below what was found. With no legal candidate at all: the rule that the strategy as given breaks. Null
 * where candidates fit and conditions ruled them out.
 */
export function nearestMiss({ scenario, fix = {} }: PlanRequest): NearestMiss | null {
  const space = new Space(new OpenKeys(scenario, fix));
  const places = placesOf(space);
  if (places.size === 0) return illegal(scenario);
  let least: Miss | undefined;
  while (places.least < (least?.evaluation.deviceBytes ?? Number.POSITIVE_INFINITY)) {
    const place = places.pop();
    if (place === undefined) break;
    for (const one of candidatesOf(space, place)) {
      if (one.evaluation.deviceBytes < (least?.evaluation.deviceBytes ?? Number.POSITIVE_INFINITY)) least = one;
    }
  }
  if (least === undefined) return illegal(scenario);
  return least.evaluation.fits ? null : { ...least, reason: doesNotFit(least.evaluation) };
}

/** By a bound of the bytes on the device. */
function placesOf(space: Space): MinHeap<Place> {
  const places = new MinHeap<Place>();
  for (const group of space.groups()) {
    const memory = new LeastMemory(space, group);
    for (const pipelineParallel of group.pipelines) {
      const [microBatchSize] = space.microBatchesOf(group, pipelineParallel);
      if (microBatchSize === undefined) continue;
      const microBatches = space.microBatches(group, pipelineParallel, microBatchSize);
      const bytes = memory.leastDeviceBytes(pipelineParallel, microBatchSize, microBatches);
      places.push(bytes, { group, pipelineParallel, microBatchSize });
    }
  }
  return places;
}

/** Memory does not depend on how context-parallel ranks exchange, so one way stands for all. */
function* candidatesOf(space: Space, { group, pipelineParallel, microBatchSize }: Place): Generator<Miss> {
  const [contextMethod] = group.methods;
  if (contextMethod === undefined) return;
  const layer = { ...group.choice, microBatchSize, contextMethod };
  const costs = new LayerCosts(space, layer).of(pipelineParallel);
  for (const shape of space.shapesOf(layer, pipelineParallel)) {
    const shapeCosts = costs.of(shape);
    for (const recompute of leanRecomputes(space.recomputesOf(shape.fullestStage))) {
      for (const states of shapeCosts.states) yield shapeCosts.evaluateAndBound(recompute, states);
    }
  }
}

/** With some layers recomputed a stage keeps less the more they are, and least with all of them. */
function leanRecomputes(settings: readonly RecomputeSetting[]): readonly RecomputeSetting[] {
  const whole = settings.filter(({ recomputeLayers }) => recomputeLayers === 0);
  const last = settings.at(-1);
  return last === undefined || whole.includes(last) ? whole : [...whole, last];
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
