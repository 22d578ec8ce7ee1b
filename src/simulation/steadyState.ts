import { scheduleFor } from '../parallelism/pipeline/schedules.js';
import type { Scenario } from '../scenario/scenario.js';
import { type ChunkCost, chunkCosts, kindCosts } from './chunkCost.js';
import { type Prepared, prepare } from './prepare.js';
import { passesSecondsOf } from './simulate.js';
import { type LayerTable, layerTable } from './stageCost.js';
import { commonUpdateSeconds } from './stepClock.js';

/** A step's time, simulated in full or extrapolated from its steady state. */
export interface SimulatedSeconds {
  readonly stepSeconds: number;
  /** Micro-batches that were really simulated in the longest run. */
  readonly simulatedMicroBatches: number;
}

/** After how many micro-batches an order repeats: groups of p with interleaving, pairs in DualPipe. */
function period({ pipelineSchedule, pipelineParallel, virtualStages }: Scenario['strategy']): number {
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
/** Passes up to which a step is followed to its end: some tenths of a second. */
const mostFollowed = 400_000;

/**
 * Once the pipeline is full its pattern repeats, so every further period adds the same time. Three runs of n, n + 1 and n + 2
 * periods show it; where they do not agree, the whole step is followed, as far as that is possible in some tenths of a second. A longer step
 * that does not repeat goes on as it did over the last quarter of what was followed.
 */
export function simulateSeconds(scenario: Scenario): SimulatedSeconds {
  const p = prepare(scenario);
  const layers = layerTable(p);
  const works = kindCosts(p, layers);
  const { passesSeconds, simulatedMicroBatches } = simulatePasses(p, layers, chunkCosts(p, layers));
  return { stepSeconds: passesSeconds + commonUpdateSeconds(p, works, scheduleFor(p.strategy)), simulatedMicroBatches };
}

/** A step's time without an update that all ranks make together. */
export interface SimulatedPipeline {
  /** Infinite where the passes were not followed to their end. */
  readonly passesSeconds: number;
  readonly simulatedMicroBatches: number;
}

/** The same for callers that share the prepared parts among many strategies, and want no answer above `mostSeconds`. */
export function simulatePasses(
  p: Prepared,
  layers: LayerTable,
  chunks: readonly ChunkCost[],
  mostSeconds = Number.POSITIVE_INFINITY,
): SimulatedPipeline {
  const { microBatches, pipelineParallel } = p.degrees;
  const secondsOf = passesSecondsOf(p, layers, chunks);
  if (!orderRepeats(p.strategy)) return whole(p, secondsOf, mostSeconds);
  const u = period(p.strategy);
  const full = microBatches - Math.floor((microBatches - shortestFullPipeline(pipelineParallel, u)) / u) * u;
  const longest = full + 2 * u;
  // Three short runs have to pay against one of the whole step.
  if (3 * longest >= microBatches) return whole(p, secondsOf, mostSeconds);
  const [first = 0, second = 0, third = 0] = [full, full + u, longest].map((n) => secondsOf(n));
  const step = third - second;
  if (Math.abs(step - (second - first)) > agreement * third) return whole(p, secondsOf, mostSeconds);
  return { passesSeconds: third + ((microBatches - longest) / u) * step, simulatedMicroBatches: longest };
}

/** Micro-batches that fill and drain any schedule's pipeline without meeting. */
function shortestFullPipeline(stages: number, period: number): number {
  return Math.max(2 * period, 3 * stages);
}

function whole(
  { strategy, degrees }: Prepared,
  secondsOf: ReturnType<typeof passesSecondsOf>,
  mostSeconds: number,
): SimulatedPipeline {
  const { microBatches, pipelineParallel, virtualStages } = degrees;
  const most = mostFollowed / (2 * pipelineParallel * virtualStages);
  if (microBatches <= most) {
    return { passesSeconds: secondsOf(microBatches, undefined, mostSeconds), simulatedMicroBatches: microBatches };
  }
  const u = period(strategy);
  const periods = Math.max(1, Math.floor(most / 4 / u));
  const long = microBatches - Math.ceil((microBatches - most) / u) * u;
  const short = long - periods * u;
  const [end, before] = [secondsOf(long), secondsOf(short)];
  return {
    passesSeconds: end + ((microBatches - long) / (periods * u)) * (end - before),
    simulatedMicroBatches: long,
  };
}
