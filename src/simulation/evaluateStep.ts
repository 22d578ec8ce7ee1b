import type { Scenario } from '../scenario/scenario.js';
import { evaluate } from './closedForm.js';
import type { Evaluation, StepBreakdown } from './evaluation.js';
import { memoryByPasses } from './memoryByPasses.js';
import { simulateSeconds } from './steadyState.js';

/**
 * Memory and time of a step. The time rests on the event simulation, from its steady state where the pipeline is long in one. What that adds
 * to the closed form, a bound of it, is time that ranks wait for one another: bubble, or exposed data-parallel traffic where there is no
 * pipeline.
 */
export function evaluateStep(scenario: Scenario): Evaluation {
  const bound = evaluate(scenario);
  if (!bound.feasible) return bound;
  const { framework, accelerators, strategy } = scenario;
  const slowest = 1 + framework.jitter * Math.sqrt(2 * Math.log(accelerators));
  const stepSeconds = (simulateSeconds(scenario).stepSeconds + framework.stepOverheadSeconds) * slowest;
  const more = Math.max(0, stepSeconds - bound.stepSeconds);
  const key = strategy.pipelineParallel > 1 ? 'pipelineBubbleSeconds' : 'dataParallelSeconds';
  const breakdown: StepBreakdown = { ...bound.breakdown, [key]: bound.breakdown[key] + more };
  const memory = strategy.pipelineParallel > 1 ? memoryByPasses(scenario) : {};
  return { ...bound, ...memory, method: 'simulation', stepSeconds: bound.stepSeconds + more, breakdown };
}
