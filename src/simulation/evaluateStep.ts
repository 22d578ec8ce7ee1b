import { scheduleFor } from '../parallelism/pipeline/schedules.js';
import type { Scenario } from '../scenario/scenario.js';
import { type ChunkCost, chunkCosts } from './chunkCost.js';
import { evaluatePrepared } from './closedForm.js';
import type { Evaluation, StepBreakdown } from './evaluation.js';
import { memoryByPasses } from './memoryByPasses.js';
import { type Prepared, prepare } from './prepare.js';
import { type LayerTable, layerTable } from './stageCost.js';
import { simulatePasses } from './steadyState.js';
import { commonUpdateSeconds } from './stepClock.js';

/**
 * Memory and time of a step. The time rests on the event simulation, from its steady state where the pipeline is long in one. What that adds
 * to the closed form, a bound of it, is time that ranks wait for one another: bubble, or exposed data-parallel traffic where there is no
 * pipeline.
 */
export function evaluateStep(scenario: Scenario): Evaluation {
  const p = prepare(scenario);
  const layers = layerTable(p);
  const bound = evaluatePrepared(p, layers);
  return confirmStep(p, layers, bound, new SimulatedBefore(), Number.POSITIVE_INFINITY) ?? bound;
}

/**
 * `evaluateStep` from its own closed form, `bound`, for searches that have that already; null as soon as it shows that the step takes longer
 * than `mostSeconds`, before memory is worked out.
 */
export function confirmStep(
  p: Prepared,
  layers: LayerTable,
  bound: Evaluation,
  before: SimulatedBefore,
  mostSeconds: number,
): Evaluation | null {
  if (!bound.feasible) return bound;
  const { framework, scenario, strategy } = p;
  const chunks = chunkCosts(p, layers);
  const slowest = 1 + framework.jitter * Math.sqrt(2 * Math.log(scenario.accelerators));
  const apart = framework.stepOverheadSeconds + commonUpdateSeconds(p, chunks, scheduleFor(strategy));
  const passesSeconds = before.passesSeconds(p, layers, chunks, (mostSeconds / slowest - apart) * roundingSlack);
  const stepSeconds = (passesSeconds + apart) * slowest;
  const more = Math.max(0, stepSeconds - bound.stepSeconds);
  if (bound.stepSeconds + more > mostSeconds) return null;
  const key = strategy.pipelineParallel > 1 ? 'pipelineBubbleSeconds' : 'dataParallelSeconds';
  const breakdown: StepBreakdown = { ...bound.breakdown, [key]: bound.breakdown[key] + more };
  const timed: Evaluation = { ...bound, method: 'simulation', stepSeconds: bound.stepSeconds + more, breakdown };
  return strategy.pipelineParallel === 1 ? timed : { ...timed, ...memoryByPasses(p, layers) };
}

/** Sums in another order differ in their last digits. */
const roundingSlack = 1 + 1e-9;

/**
 * Simulated passes of candidates that share pipeline and layers. How much of the optimizer's states lies on the host, as a rule, changes
 * neither passes nor traffic, only the update that follows; then the passes are followed once.
 */
export class SimulatedBefore {
  private readonly known = new Map<string, { readonly passesSeconds: number; readonly mostSeconds: number }>();

  passesSeconds(p: Prepared, layers: LayerTable, chunks: readonly ChunkCost[], mostSeconds: number): number {
    const schedule = scheduleFor(p.strategy);
    // Ranks that go on alone have their update among their passes, and weight gradients run apart in an order that depends on memory.
    if (schedule.staggered || schedule.splitsWeightGradient) {
      return simulatePasses(p, layers, chunks, mostSeconds).passesSeconds;
    }
    const key = costsKey(chunks);
    const found = this.known.get(key);
    // An answer that was cut short says only that it is above what was asked for.
    if (found !== undefined && (Number.isFinite(found.passesSeconds) || found.mostSeconds >= mostSeconds)) {
      return found.passesSeconds;
    }
    const { passesSeconds } = simulatePasses(p, layers, chunks, mostSeconds);
    this.known.set(key, { passesSeconds, mostSeconds });
    return passesSeconds;
  }
}

/** All that the passes cost, chunk by chunk. */
function costsKey(chunks: readonly ChunkCost[]): string {
  let last: ChunkCost | undefined;
  let key = '';
  for (const one of chunks) {
    // Chunks of one kind share what they cost.
    if (last?.cost !== one.cost) key += JSON.stringify({ ...one, chunk: one.chunk.chunk });
    last = one;
  }
  return key;
}
