import type { Scenario } from '../scenario/scenario.js';
import { evaluatePrepared } from './closedForm.js';
import type { Evaluation, StepBreakdown } from './evaluation.js';
import { memoryByPasses } from './memoryByPasses.js';
import { type Prepared, prepare } from './prepare.js';
import { type LayerTable, layerTable } from './stageCost.js';
import { simulatePrepared } from './steadyState.js';

/**
 * Memory and time of a step. The time rests on the event simulation, from its steady state where the pipeline is long in one. What that adds
 * to the closed form, a bound of it, is time that ranks wait for one another: bubble, or exposed data-parallel traffic where there is no
 * pipeline.
 */
export function evaluateStep(scenario: Scenario): Evaluation {
  const p = prepare(scenario);
  const layers = layerTable(p);
  const bound = evaluatePrepared(p, layers);
  return withMemory(p, layers, simulatedTime(p, layers, bound));
}

/**
 * `evaluateStep` from its own closed form, `bound`, for searches that have that already; null as soon as the step's seconds show that the
 * caller does not want the answer, before memory is worked out.
 */
export function confirmStep(
  p: Prepared,
  layers: LayerTable,
  bound: Evaluation,
  wanted: (stepSeconds: number) => boolean,
): Evaluation | null {
  const timed = simulatedTime(p, layers, bound);
  return wanted(timed.stepSeconds) ? withMemory(p, layers, timed) : null;
}

function simulatedTime(p: Prepared, layers: LayerTable, bound: Evaluation): Evaluation {
  if (!bound.feasible) return bound;
  const { framework, strategy, scenario } = p;
  const slowest = 1 + framework.jitter * Math.sqrt(2 * Math.log(scenario.accelerators));
  const stepSeconds = (simulatePrepared(p, layers).stepSeconds + framework.stepOverheadSeconds) * slowest;
  const more = Math.max(0, stepSeconds - bound.stepSeconds);
  const key = strategy.pipelineParallel > 1 ? 'pipelineBubbleSeconds' : 'dataParallelSeconds';
  const breakdown: StepBreakdown = { ...bound.breakdown, [key]: bound.breakdown[key] + more };
  return { ...bound, method: 'simulation', stepSeconds: bound.stepSeconds + more, breakdown };
}

function withMemory(p: Prepared, layers: LayerTable, timed: Evaluation): Evaluation {
  if (!timed.feasible || p.strategy.pipelineParallel === 1) return timed;
  return { ...timed, ...memoryByPasses(p, layers) };
}
