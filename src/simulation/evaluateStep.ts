import { SlipwayError } from '../errors.js';
import { degreesOf } from '../parallelism/degrees.js';
import type { Scenario } from '../scenario/scenario.js';
import { evaluate } from './closedForm.js';
import type { Evaluation, StepBreakdown } from './evaluation.js';
import { stepByPasses } from './simulate.js';
import { orderRepeats, simulateSeconds } from './steadyState.js';

/** Passes up to which a step is simulated event by event in a few milliseconds, also by a process that has just started. */
const cheapEvents = 1_000;
/** Passes up to which it is followed pass by pass. */
const cheapPasses = 200_000;

/**
 * Memory and time of a step. The time rests on the event simulation where that is cheap, on the passes alone where there are many of
 * them, and on the closed form beyond; each is a bound of the one before, within a few percent. What they add to the closed form is time
 * that ranks wait for one another: bubble, or exposed data-parallel traffic where there is no pipeline.
 */
export function evaluateStep(scenario: Scenario): Evaluation {
  const bound = evaluate(scenario);
  const { pipelineParallel, virtualStages, microBatches } = degreesOf(scenario);
  const passes = 2 * pipelineParallel * virtualStages;
  const followed = orderRepeats(scenario.strategy) ? Math.min(microBatches, 5 * pipelineParallel + 2) : microBatches;
  if (passes * followed <= cheapEvents) {
    const seconds = simulated(scenario);
    return seconds === undefined ? bound : withSeconds(bound, 'simulation', seconds, scenario);
  }
  if (passes * microBatches <= cheapPasses) return withSeconds(bound, 'passes', stepByPasses(scenario), scenario);
  return bound;
}

/** Undefined where the steady state does not show and the whole step is too long to simulate. */
function simulated(scenario: Scenario): number | undefined {
  try {
    return simulateSeconds(scenario).stepSeconds;
  } catch (error) {
    if (error instanceof SlipwayError && error.code === 'unsupported') return undefined;
    throw error;
  }
}

function withSeconds(bound: Evaluation, method: Evaluation['method'], seconds: number, scenario: Scenario): Evaluation {
  const { framework, accelerators, strategy } = scenario;
  const slowest = 1 + framework.jitter * Math.sqrt(2 * Math.log(accelerators));
  const stepSeconds = (seconds + framework.stepOverheadSeconds) * slowest;
  const more = Math.max(0, stepSeconds - bound.stepSeconds);
  const key = strategy.pipelineParallel > 1 ? 'pipelineBubbleSeconds' : 'dataParallelSeconds';
  const breakdown: StepBreakdown = { ...bound.breakdown, [key]: bound.breakdown[key] + more };
  return { ...bound, method, stepSeconds: bound.stepSeconds + more, breakdown };
}
