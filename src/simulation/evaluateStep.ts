import { scheduleFor } from '../parallelism/pipeline/schedules.js';
import type { Scenario } from '../scenario/scenario.js';
import { chunkCosts, kindCosts, type SharedWork } from './chunkCost.js';
import { evaluatePrepared } from './closedForm.js';
import type { Evaluation, StepBreakdown } from './evaluation.js';
import { memoryByPasses } from './memoryByPasses.js';
import { type Prepared, prepare } from './prepare.js';
import { type LayerTable, layerTable } from './stageCost.js';
import { type SimulatedPipeline, simulatePasses } from './steadyState.js';
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
  return confirmStep(p, layers, bound) ?? bound;
}

/** What a search knows when it asks for a step. */
export interface Asked {
  readonly passes?: RememberedPasses;
  /** A longer step is not wanted. */
  readonly mostSeconds: number;
  readonly shared?: SharedWork;
}

/**
 * `evaluateStep` from its own closed form, `bound`, for searches that have that already; null as soon as it shows that the step takes longer
 * than is wanted, before memory is worked out.
 */
export function confirmStep(p: Prepared, layers: LayerTable, bound: Evaluation, asked?: Asked): Evaluation | null {
  if (!bound.feasible) return bound;
  const { framework, scenario, strategy } = p;
  const { mostSeconds = Number.POSITIVE_INFINITY, passes = new RememberedPasses() } = asked ?? {};
  const works = kindCosts(p, layers, asked?.shared);
  const slowest = 1 + framework.jitter * Math.sqrt(2 * Math.log(scenario.accelerators));
  const apart = framework.stepOverheadSeconds + commonUpdateSeconds(p, works, scheduleFor(strategy));
  const mostOfPasses = (mostSeconds / slowest - apart) * roundingSlack;
  const passesSeconds = passes.seconds(mostOfPasses, () =>
    simulatePasses(p, layers, chunkCosts(p, layers, asked?.shared), mostOfPasses),
  );
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
 * Simulated passes of candidates with the same passes and traffic, which are followed once. How much of the optimizer's states lies on the host, as
 * a rule, changes neither, only the update that follows.
 */
export class RememberedPasses {
  private known: SimulatedPipeline | undefined;
  private most = 0;

  seconds(mostSeconds: number, simulate: () => SimulatedPipeline): number {
    // An answer that was cut short says only that it is above what was asked for.
    if (this.known === undefined || (!Number.isFinite(this.known.passesSeconds) && this.most < mostSeconds)) {
      this.known = simulate();
      this.most = mostSeconds;
    }
    return this.known.passesSeconds;
  }
}
