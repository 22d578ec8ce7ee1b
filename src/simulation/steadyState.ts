import { degreesOf } from '../parallelism/degrees.js';
import type { Scenario } from '../scenario/scenario.js';
import { type SimulatedStep, simulateStep } from './simulate.js';

/** A step's time, simulated in full or extrapolated from its steady state. */
export interface SimulatedSeconds {
  readonly stepSeconds: number;
  /** Micro-batches that were really simulated in the longest run. */
  readonly simulatedMicroBatches: number;
  /** The longest run: its first and last part are those of the whole step. */
  readonly step: SimulatedStep;
}

/** After how many micro-batches an order repeats: groups of p with interleaving, pairs in DualPipe. */
function period(scenario: Scenario): number {
  const { pipelineSchedule, pipelineParallel, virtualStages } = scenario.strategy;
  if (pipelineParallel === 1) return 1;
  if (pipelineSchedule === 'dualpipe') return 2;
  return virtualStages > 1 && pipelineSchedule !== 'zb-v' ? pipelineParallel : 1;
}

/**
 * Whether a schedule's order repeats once the pipeline is full. A list schedule's (ZB-H2, ZB-V) may drift for long and then change, and
 * depends on the number of micro-batches: on gpt3-175b 14 of 112 micro-batches promised 1 % too little.
 */
export function orderRepeats({ pipelineSchedule, pipelineParallel }: Scenario['strategy']): boolean {
  return pipelineParallel === 1 || (pipelineSchedule !== 'zb-h2' && pipelineSchedule !== 'zb-v');
}

/** Runs of the steady state must agree to this relative difference; far below any effect, above rounding over 1e6 sums. */
const agreement = 1e-9;

/**
 * Once the pipeline is full its pattern repeats, so every further period adds the same time. Three runs of n, n + 1 and n + 2
 * periods show it; where they do not agree, the whole step is simulated.
 */
export function simulateSeconds(scenario: Scenario): SimulatedSeconds {
  const { microBatches, pipelineParallel } = degreesOf(scenario);
  if (!orderRepeats(scenario.strategy)) return whole(scenario, microBatches);
  const u = period(scenario);
  const full = microBatches - Math.floor((microBatches - shortestFullPipeline(pipelineParallel, u)) / u) * u;
  const longest = full + 2 * u;
  if (longest >= microBatches) return whole(scenario, microBatches);
  const [first, second, third] = [full, full + u, longest].map((n) => simulateStep(scenario, { microBatches: n }));
  if (first === undefined || second === undefined || third === undefined) return whole(scenario, microBatches);
  const step = third.stepSeconds - second.stepSeconds;
  const before = second.stepSeconds - first.stepSeconds;
  if (Math.abs(step - before) > agreement * third.stepSeconds) return whole(scenario, microBatches);
  const stepSeconds = third.stepSeconds + ((microBatches - longest) / u) * step;
  return { stepSeconds, simulatedMicroBatches: longest, step: third };
}

/** Micro-batches that fill and drain any schedule's pipeline without meeting. */
function shortestFullPipeline(stages: number, period: number): number {
  return Math.max(2 * period, 3 * stages);
}

function whole(scenario: Scenario, microBatches: number): SimulatedSeconds {
  const step = simulateStep(scenario);
  return { stepSeconds: step.stepSeconds, simulatedMicroBatches: microBatches, step };
}
