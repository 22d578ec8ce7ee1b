import { SlipwayError } from '../errors.js';
import { dataShardings, recomputes, type Strategy } from '../parallelism/strategy.js';
import { formatBytes } from '../quantity/format.js';
import type { Scenario } from '../scenario/scenario.js';
import { evaluatePrepared } from '../simulation/closedForm.js';
import { confirmStep } from '../simulation/evaluateStep.js';
import type { Evaluation } from '../simulation/evaluation.js';
import { type Prepared, prepare } from '../simulation/prepare.js';
import { type LayerTable, layerTable } from '../simulation/stageCost.js';
import type { Advice } from './estimateResult.js';
import { refusedKeys } from './search/frameworkRules.js';

/** Below this gain a change is not worth a line: the estimate itself is not that exact. */
const LEAST_GAIN = 0.005;
const MOST_ADVICE = 5;

type Change = Partial<Strategy>;

/** Neighbours that the event simulation looks at, the most promising first: a few milliseconds each. */
const MOST_CONFIRMED = 8;

/**
 * Re-evaluates the strategies one change away by what `now` rests on, so that gains are those that the changed run file would show. Where this one
 * fits: those that fit and are faster. Where it does not: those that fit, also two changes away if one is not enough. Fastest first.
 */
export function adviceFor(scenario: Scenario, now: Evaluation): readonly Advice[] {
  const changes = neighbours(scenario.strategy, !now.fits);
  const single = better(scenario, now, changes);
  if (single.length > 0 || now.fits) return single.slice(0, MOST_ADVICE);
  return better(scenario, now, pairs(changes)).slice(0, MOST_ADVICE);
}

/** The closed form bounds the simulation: what is not promising by it need not be simulated. */
function better(scenario: Scenario, now: Evaluation, changes: readonly Change[]): readonly Advice[] {
  // What the user has, the framework takes; a change must not be what it refuses.
  const settled = refusedKeys(scenario, scenario.strategy);
  const slowest = now.fits ? (1 - LEAST_GAIN) * now.stepSeconds : Number.POSITIVE_INFINITY;
  const promising = changes
    .flatMap((change) => {
      const changed = { ...scenario, strategy: { ...scenario.strategy, ...change } };
      if (refusedKeys(changed, changed.strategy).some((key) => !settled.includes(key))) return [];
      const known = tryEvaluate(changed);
      const isPromising = known?.bound.feasible && known.bound.fits && known.bound.stepSeconds <= slowest;
      return isPromising ? [{ change, ...known }] : [];
    })
    .sort((a, b) => a.bound.stepSeconds - b.bound.stepSeconds)
    .slice(0, MOST_CONFIRMED);
  const found = promising.flatMap(({ change, p, layers, bound }): Advice[] => {
    // Followed only as long as it may be faster: half of the neighbours are not.
    const next = now.method === 'simulation' ? confirmStep(p, layers, bound, { mostSeconds: slowest }) : bound;
    if (next === null || !next.fits || next.stepSeconds > slowest) return [];
    const stepSecondsDelta = next.stepSeconds - now.stepSeconds;
    const peakBytesDelta = next.allocatedBytes - now.allocatedBytes;
    return [{ change, stepSecondsDelta, peakBytesDelta, message: message(change, next, now) }];
  });
  return found.sort((a, b) => a.stepSecondsDelta - b.stepSecondsDelta);
}

/** Strategies one change away; where nothing fits, also those that split the model further. */
function neighbours(s: Strategy, splitFurther: boolean): readonly Change[] {
  const changes: Change[] = [{ microBatchSize: s.microBatchSize * 2 }];
  if (s.microBatchSize % 2 === 0) changes.push({ microBatchSize: s.microBatchSize / 2 });
  for (const recompute of recomputes) {
    if (recompute !== s.recompute) changes.push({ recompute, recomputeLayers: 0, recomputeModules: [] });
  }
  for (const dataSharding of dataShardings) {
    if (dataSharding !== s.dataSharding && s.offload === 'none') changes.push({ dataSharding });
  }
  changes.push(...scheduleChanges(s));
  if (splitFurther) {
    changes.push({ tensorParallel: s.tensorParallel * 2, sequenceParallel: true });
    if (s.stageLayers.length === 0) changes.push({ pipelineParallel: s.pipelineParallel * 2 });
    changes.push({ offload: 'optimizer-cpu', optimizerOffloadFraction: 1 });
  }
  return changes;
}

function scheduleChanges(s: Strategy): readonly Change[] {
  if (s.pipelineParallel === 1 || s.stageLayers.length > 0) return [];
  const interleaved = (virtualStages: number): Change => ({
    virtualStages,
    pipelineSchedule: 'interleaved-1f1b',
    overlapPipelineSend: true,
  });
  const plain: Change = { virtualStages: 1, pipelineSchedule: '1f1b', overlapPipelineSend: false };
  if (s.virtualStages === 1) return [interleaved(2), interleaved(4)];
  const halved = s.virtualStages % 2 === 0 && s.virtualStages > 2 ? [interleaved(s.virtualStages / 2)] : [];
  return [interleaved(s.virtualStages * 2), ...halved, plain];
}

function pairs(changes: readonly Change[]): readonly Change[] {
  return changes.flatMap((first, index) =>
    changes
      .slice(index + 1)
      .filter((second) => !Object.keys(second).some((key) => key in first))
      .map((second) => ({ ...first, ...second })),
  );
}

/** A neighbour in closed form, and what its simulation starts from. */
interface Bounded {
  readonly p: Prepared;
  readonly layers: LayerTable;
  readonly bound: Evaluation;
}

/** A neighbour that breaks a rule of the degrees is no advice; any other error is a bug and stays one. */
function tryEvaluate(scenario: Scenario): Bounded | undefined {
  try {
    const p = prepare(scenario);
    const layers = layerTable(p);
    return { p, layers, bound: evaluatePrepared(p, layers) };
  } catch (error) {
    if (error instanceof SlipwayError) return undefined;
    throw error;
  }
}

function message(change: Change, next: Evaluation, now: Evaluation): string {
  const bytes = next.allocatedBytes - now.allocatedBytes;
  const memory =
    Math.abs(bytes) < 2 ** 20 ? 'the same memory' : `${formatBytes(Math.abs(bytes))} ${bytes < 0 ? 'less' : 'more'}`;
  const percent = Math.abs((next.stepSeconds / now.stepSeconds - 1) * 100).toFixed(1);
  const speed = `${percent} % ${next.stepSeconds < now.stepSeconds ? 'faster' : 'slower'}`;
  return now.fits ? `${describe(change)}: ${speed}, ${memory}` : `${describe(change)}: fits, with ${memory}; ${speed}`;
}

/** What a reader has to change; fields that only follow are left out. */
function describe(change: Change): string {
  const following = new Set([
    'recomputeLayers',
    'recomputeModules',
    'overlapPipelineSend',
    'optimizerOffloadFraction',
    'sequenceParallel',
  ]);
  return Object.entries(change)
    .filter(([key]) => !following.has(key))
    .map(([key, value]) => `${key} ${String(value)}`)
    .join(', ');
}
