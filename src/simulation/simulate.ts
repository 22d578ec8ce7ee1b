import { SlipwayError } from '../errors.js';
import { activationTable } from '../memory/stageMemory.js';
import { chunksPerStage } from '../parallelism/degrees.js';
import type { PassLengths, PipelineOrder } from '../parallelism/pipeline/order.js';
import type { Schedule } from '../parallelism/pipeline/schedule.js';
import { scheduleFor } from '../parallelism/pipeline/schedules.js';
import type { Scenario } from '../scenario/scenario.js';
import { type ChunkCost, chunkCosts, kindCosts, messageSeconds } from './chunkCost.js';
import { runGraph, type Timeline } from './engine/engine.js';
import type { FrozenGraph } from './engine/taskGraph.js';
import { memoryContext } from './memoryContext.js';
import { memoryTimeline, type RankMemory } from './memoryTimeline.js';
import { type Perturbation, type StepAtScale, stepAtScale, stretchOf } from './perturbation.js';
import { type Prepared, prepare } from './prepare.js';
import { type RankStart, rankSpans } from './rankSpans.js';
import { type LayerTable, layerTable } from './stageCost.js';
import { clockStep, commonUpdateSeconds, lateGather } from './stepClock.js';
import { type StepTasks, stepTasks, type TaskInfo } from './stepTasks.js';

/** One optimizer step, event by event. */
export interface SimulatedStep {
  readonly prepared: Prepared;
  readonly order: PipelineOrder;
  readonly schedule: Schedule;
  readonly chunks: readonly ChunkCost[];
  readonly tasks: readonly TaskInfo[];
  readonly graph: FrozenGraph;
  readonly timeline: Timeline;
  /** From the first task to the last; a staggered schedule's step is shorter, see `stepSeconds`. */
  readonly makespanSeconds: number;
  /** Where each rank's own step begins; for staggered schedules only. */
  readonly rankStarts?: readonly RankStart[];
  /** What one step costs in a long run, fixed overhead of the framework and stragglers not included. */
  readonly stepSeconds: number;
  /** Bytes of every rank over the step; worked out when first asked for. */
  readonly memory: readonly RankMemory[];
}

export interface SimulateOptions {
  /** Micro-batches to simulate instead of the scenario's; for the steady state. */
  readonly microBatches?: number;
  /** An order of the user's own instead of the schedule's. */
  readonly order?: PipelineOrder;
  /** A checkpoint of the states is copied to the hosts during the step. */
  readonly checkpoint?: boolean;
  /** Slow ranks, slow links, noise; none where not given. */
  readonly perturbation?: Perturbation;
}

/** Simulates one step of a scenario. Throws `SlipwayError` for degrees or orders that cannot run. */
export function simulateStep(scenario: Scenario, options: SimulateOptions = {}): SimulatedStep {
  const p = prepare(scenario);
  refuseEndless(p, options.microBatches ?? p.degrees.microBatches);
  const layers = layerTable(p);
  const chunks = chunkCosts(p, layers);
  const schedule = scheduleFor(p.strategy);
  const order =
    options.order ??
    scheduleOrder(
      p,
      schedule,
      chunks,
      options.microBatches ?? p.degrees.microBatches,
      weightShareOf(p, layers, schedule),
    );
  const stretch = options.perturbation === undefined ? undefined : stretchOf(p, options.perturbation);
  const built = stepTasks(p, order, chunks, schedule.staggered, stretch, options.checkpoint);
  const graph = built.graph.freeze();
  const timeline = runGraph(graph, p.contention);
  if ('deadlock' in timeline) throw stuckAt(built, graph, timeline.stuck);
  const starts = schedule.staggered ? ownStarts(p, chunks, built.tasks, graph, timeline) : undefined;
  let memory: readonly RankMemory[] | undefined;
  return {
    prepared: p,
    order,
    schedule,
    chunks,
    tasks: built.tasks,
    graph,
    timeline,
    makespanSeconds: timeline.makespan,
    ...(starts === undefined ? {} : { rankStarts: starts }),
    stepSeconds: starts === undefined ? timeline.makespan : longestSpan(starts, graph, timeline),
    get memory(): readonly RankMemory[] {
      memory ??= memoryTimeline(p, memoryContext(p, layers, schedule), built.tasks, graph, timeline);
      return memory;
    },
  };
}

/** Passes up to which a step is simulated: some seconds, and a gigabyte of tasks. */
const mostPasses = 4_000_000;

function refuseEndless(p: Prepared, microBatches: number): void {
  const passes = 2 * microBatches * p.chunks.length;
  if (passes <= mostPasses) return;
  throw new SlipwayError(
    'unsupported',
    `${passes.toLocaleString('en')} passes are too many to simulate one by one (at most ${mostPasses.toLocaleString('en')}); the pattern repeats, so lower globalBatchSize`,
    { key: 'strategy.globalBatchSize' },
  );
}

/** The schedule's order for this run. */
export function scheduleOrder(
  p: Prepared,
  schedule: Schedule,
  chunks: readonly ChunkCost[],
  microBatches: number,
  weightShare: number,
): PipelineOrder {
  const stages = p.degrees.pipelineParallel;
  return schedule.order({
    stages,
    microBatches,
    chunks: chunksPerStage(p.strategy),
    lengths: meanLengths(chunks),
    sendLength: stages > 1 ? messageSeconds(p) : 0,
    weightShare,
  });
}

/** What a chunk that only waits for its weight gradient keeps of its activations. */
function weightShareOf(p: Prepared, layers: LayerTable, schedule: Schedule): number {
  return schedule.splitsWeightGradient ? activationTable(memoryContext(p, layers, schedule)).weightShare : 1;
}

function meanLengths(chunks: readonly ChunkCost[]): PassLengths {
  const mean = (of: (chunk: ChunkCost) => number): number => chunks.reduce((sum, c) => sum + of(c), 0) / chunks.length;
  return {
    forward: mean((c) => c.cost.pass.forward),
    inputGradient: mean((c) => c.cost.pass.inputGradient),
    weightGradient: mean((c) => c.cost.pass.weightGradient),
  };
}

/** First pass of every rank, and what the gather of its weights adds before it: each gathers when its own step begins. */
function ownStarts(
  p: Prepared,
  chunks: readonly ChunkCost[],
  tasks: readonly TaskInfo[],
  graph: FrozenGraph,
  timeline: Timeline,
): RankStart[] {
  const ranks = p.degrees.pipelineParallel;
  const first = new Float64Array(ranks).fill(Number.POSITIVE_INFINITY);
  const gather = new Float64Array(ranks).fill(Number.NaN);
  const forward = new Float64Array(ranks);
  for (let task = 0; task < graph.size; task++) {
    const info = tasks[graph.labels[task] ?? 0];
    const rank = info?.rank ?? 0;
    if (info?.kind === 'checkpoint') continue;
    if (info?.kind === 'gather') {
      if (Number.isNaN(gather[rank])) gather[rank] = graph.seconds[task] ?? 0;
    } else if ((timeline.start[task] ?? 0) < (first[rank] ?? 0)) {
      first[rank] = timeline.start[task] ?? 0;
      forward[rank] = chunks[info?.chunk ?? 0]?.passes.cost('forward', info?.alone ?? false).seconds ?? 0;
    }
  }
  return Array.from(first, (firstPassSeconds, rank) => ({
    firstPassSeconds,
    lateGatherSeconds: lateGather(p, gather[rank] || 0, firstPassSeconds, forward[rank] ?? 0),
  }));
}

/** Own start to last task of the rank that takes longest. */
function longestSpan(starts: readonly RankStart[], graph: FrozenGraph, timeline: Timeline): number {
  const spans = rankSpans({ graph, timeline, rankStarts: starts });
  return Math.max(...spans.map(({ startSeconds, endSeconds }) => endSeconds - startSeconds));
}

function stuckAt(built: StepTasks, graph: FrozenGraph, stuck: readonly number[]): SlipwayError {
  const info = built.tasks[graph.labels[stuck[0] ?? 0] ?? 0];
  return deadlock(info);
}

function deadlock(at: Pick<TaskInfo, 'kind' | 'rank' | 'microBatch' | 'chunk'> | undefined): SlipwayError {
  const where =
    at === undefined ? 'a rank' : `rank ${at.rank} at ${at.kind} of micro-batch ${at.microBatch}, chunk ${at.chunk}`;
  return new SlipwayError('invalid-degrees', `the pipeline order deadlocks: ${where} waits for what never runs`, {
    key: 'strategy.pipelineSchedule',
  });
}

/**
 * `stepSeconds` of `simulateStep`, without its tasks and memory: what to ask where only the time counts. Throws `SlipwayError` for degrees
 * or orders that cannot run.
 */
export function simulatedStepSeconds(
  scenario: Scenario,
  options: Omit<SimulateOptions, 'perturbation' | 'checkpoint'> = {},
): number {
  const p = prepare(scenario);
  const layers = layerTable(p);
  const chunks = chunkCosts(p, layers);
  const passes = passesSecondsOf(p, layers, chunks)(options.microBatches ?? p.degrees.microBatches, options.order);
  return passes + commonUpdateSeconds(p, kindCosts(p, layers), scheduleFor(p.strategy));
}

/**
 * The same without an update that all ranks make together, by number of micro-batches, for callers that ask more than once: what all runs
 * share is worked out once. Infinite where it shows that the passes take longer than `mostSeconds`.
 */
export function passesSecondsOf(
  p: Prepared,
  layers: LayerTable,
  chunks: readonly ChunkCost[],
): (microBatches: number, order?: PipelineOrder, mostSeconds?: number) => number {
  const schedule = scheduleFor(p.strategy);
  return (microBatches, own, mostSeconds) => {
    refuseEndless(p, microBatches);
    const order = own ?? scheduleOrder(p, schedule, chunks, microBatches, weightShareOf(p, layers, schedule));
    const seconds = clockStep(p, order, chunks, schedule, mostSeconds);
    if (typeof seconds === 'number') return seconds;
    throw deadlock({ ...seconds.pass, rank: seconds.rank });
  };
}

/** Draws that show the spread of a step under noise. */
const noiseSamples = 32;

/** A step under noise at the scale of the cluster: every replica draws its own noise, and all wait for the slowest. */
export function simulateAtScale(scenario: Scenario, perturbation: Perturbation): StepAtScale {
  const samples = Array.from(
    { length: perturbation.jitter > 0 ? noiseSamples : 1 },
    (_, i) =>
      simulateStep(scenario, { perturbation: { ...perturbation, seed: perturbation.seed + 7919 * i } }).stepSeconds,
  );
  return stepAtScale(samples, prepare(scenario).degrees.dataParallel);
}
