import { SlipwayError } from '../errors.js';
import { degreesOf } from '../parallelism/degrees.js';
import type { Scenario } from '../scenario/scenario.js';
import { evaluate } from './closedForm.js';
import type { Evaluation, StepBreakdown } from './evaluation.js';
import { simulateSeconds } from './steadyState.js';

/** Passes above which the closed form has to do: about 50 ms of simulation. */
const cheapPasses = 60_000;

/**
 * Memory and time of a step, resting on the event simulation where that is cheap and on its closed-form bound elsewhere. What the
 * simulation takes beyond the bound is time that ranks wait for one another: bubble, or exposed data-parallel traffic where
 * there is no pipeline.
 */
export function evaluateStep(scenario: Scenario): Evaluation {
  const bound = evaluate(scenario);
  if (passesToSimulate(scenario) > cheapPasses) return bound;
  try {
    return withSimulatedStep(bound, simulateSeconds(scenario).stepSeconds, scenario);
  } catch (error) {
    // A schedule that cannot run with these micro-batches still has a bound; whoever simulates it is told.
    if (error instanceof SlipwayError) return bound;
    throw error;
  }
}

function passesToSimulate(scenario: Scenario): number {
  const { pipelineParallel, virtualStages, microBatches } = degreesOf(scenario);
  return 2 * pipelineParallel * virtualStages * Math.min(microBatches, 5 * pipelineParallel + 2);
}

function withSimulatedStep(bound: Evaluation, simulatedSeconds: number, scenario: Scenario): Evaluation {
  const { framework, accelerators, strategy } = scenario;
  const slowest = 1 + framework.jitter * Math.sqrt(2 * Math.log(accelerators));
  const stepSeconds = (simulatedSeconds + framework.stepOverheadSeconds) * slowest;
  const more = Math.max(0, stepSeconds - bound.stepSeconds);
  const key = strategy.pipelineParallel > 1 ? 'pipelineBubbleSeconds' : 'dataParallelSeconds';
  const breakdown: StepBreakdown = { ...bound.breakdown, [key]: bound.breakdown[key] + more };
  return { ...bound, method: 'simulation', stepSeconds: bound.stepSeconds + more, breakdown };
}
