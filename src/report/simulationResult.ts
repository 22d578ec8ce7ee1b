import { invariant } from '../errors.js';
import { fullestTotals } from '../memory/totals.js';
import { type CauseSeconds, criticalPath } from '../simulation/criticalPath.js';
import { type StreamSeconds, streamSeconds } from '../simulation/innerTasks.js';
import type { RankMemory } from '../simulation/memoryTimeline.js';
import type { StepAtScale } from '../simulation/perturbation.js';
import type { SimulatedStep } from '../simulation/simulate.js';
import { type StageActivity, stageActivities } from '../simulation/stageActivity.js';
import type { TaskInfo, TaskKind } from '../simulation/stepTasks.js';
import { letters } from './timelineSpans.js';

/** The answer of `slipway simulate`, and its JSON document. Keys may be added; those here stay. */
export interface SimulationResult {
  readonly schemaVersion: 1;
  readonly run: {
    readonly model: string;
    readonly cluster: string;
    readonly accelerators: number;
    readonly stages: number;
    readonly chunksPerStage: number;
    readonly microBatches: number;
    readonly dataParallel: number;
    readonly schedule: string;
  };
  readonly step: {
    /** What one step costs in a long run; the same as in `estimate`. */
    readonly seconds: number;
    /** The part of it that was simulated; the rest is fixed work of the framework and waiting for stragglers. */
    readonly timelineSeconds: number;
    /** From the first task to the last; more than `timelineSeconds` where ranks start the next step on their own. */
    readonly makespanSeconds: number;
    /** Mean share of the step in which a rank waits for passes of others. */
    readonly bubbleFraction: number;
    /** Under noise: the timeline over many draws, and of the slowest data-parallel replica; null without noise. */
    readonly atScale: StepAtScale | null;
  };
  readonly memory: {
    /** Allocated on the fullest accelerator, and with what allocator and driver add. */
    readonly peakBytes: number;
    readonly deviceBytes: number;
    readonly capacityBytes: number;
    readonly fits: boolean;
    /** Where a stage first goes over what there is. */
    readonly overflow: Overflow | null;
  };
  readonly stages: readonly SimulatedStage[];
  /** Pieces of one pass and what follows on one stage are joined. */
  readonly criticalPath: readonly PathPart[];
  readonly criticalPathSeconds: CauseSeconds & { waitSeconds: number };
  /** Tasks simulated. */
  readonly events: number;
}

export interface SimulatedStage {
  readonly stage: number;
  readonly busySeconds: number;
  readonly idleSeconds: number;
  /** Adds up to the simulated part of the step. */
  readonly exposed: StageActivity['exposed'];
  /** Seconds that each stream of the stage is busy, inside passes and beside them; compute counts kernels alone. */
  readonly streams: StreamSeconds;
  readonly peakBytes: number;
  /** When in the step. */
  readonly peakAtSeconds: number;
  readonly stateBytes: number;
  readonly inFlightMicroBatches: number;
}

export interface PathPart {
  readonly stage: number;
  readonly kind: TaskKind;
  readonly microBatch: number;
  readonly chunk: number;
  readonly startSeconds: number;
  readonly seconds: number;
}

export interface Overflow {
  readonly stage: number;
  readonly atSeconds: number;
  /** What runs on the stage then, such as `F5`; empty where nothing does. */
  readonly pass: string;
}

/** Sums a simulated step up. */
export function simulationResult(step: SimulatedStep, atScale: StepAtScale | null = null): SimulationResult {
  const { prepared: p, order, memory } = step;
  const activities = stageActivities(step);
  const streams = streamSeconds(step);
  const path = criticalPath(step);
  return {
    schemaVersion: 1,
    run: {
      model: p.model.name,
      cluster: p.scenario.cluster.id || 'the cluster given',
      accelerators: p.scenario.accelerators,
      stages: order.ranks.length,
      chunksPerStage: order.chunks / order.ranks.length,
      microBatches: order.microBatches,
      dataParallel: p.degrees.dataParallel,
      schedule: step.schedule.id,
    },
    step: {
      seconds: wholeStepSeconds(step),
      timelineSeconds: step.stepSeconds,
      makespanSeconds: step.makespanSeconds,
      bubbleFraction:
        activities.reduce((sum, { exposed }) => sum + exposed.pipelineBubbleSeconds, 0) /
        (activities.length * step.stepSeconds),
      atScale,
    },
    memory: memoryOf(step),
    stages: activities.map((activity, stage) => stageOf(activity, streams[stage], memory[stage])),
    criticalPath: pathParts(step, path.tasks),
    criticalPathSeconds: path.seconds,
    events: step.timeline.events,
  };
}

/** With the framework's fixed work, and the expected maximum of as many noisy ranks as there are. */
function wholeStepSeconds({ prepared, stepSeconds }: SimulatedStep): number {
  const { jitter, stepOverheadSeconds } = prepared.framework;
  const slowest = 1 + jitter * Math.sqrt(2 * Math.log(prepared.scenario.accelerators));
  return (stepSeconds + stepOverheadSeconds) * slowest;
}

function stageOf(
  { stage, busySeconds, idleSeconds, exposed }: StageActivity,
  streams: StreamSeconds | undefined,
  memory?: RankMemory,
): SimulatedStage {
  invariant(streams !== undefined, 'a stage without streams');
  return {
    streams,
    stage,
    busySeconds,
    idleSeconds,
    exposed,
    peakBytes: memory?.peakBytes ?? 0,
    peakAtSeconds: memory?.peakSeconds ?? 0,
    stateBytes: memory?.stateBytes ?? 0,
    inFlightMicroBatches: memory?.inFlightMicroBatches ?? 0,
  };
}

function memoryOf(step: SimulatedStep): SimulationResult['memory'] {
  const { framework, accelerator } = step.prepared;
  const { allocatedBytes: peakBytes, deviceBytes } = fullestTotals(framework, step.memory);
  const capacityBytes = accelerator.usableMemoryBytes;
  const fits = deviceBytes <= capacityBytes;
  return { peakBytes, deviceBytes, capacityBytes, fits, overflow: fits ? null : overflowOf(step) };
}

function overflowOf(step: SimulatedStep): Overflow | null {
  const first = firstOverflow(step);
  if (first === undefined) return null;
  const { stage, atSeconds, pass } = first;
  return { stage, atSeconds, pass: pass === undefined ? '' : `${letters[pass.kind]}${pass.microBatch}` };
}

/** The earliest moment at which a stage needs more than its accelerator has, and the pass that starts then; undefined where all fit. */
export function firstOverflow(
  step: SimulatedStep,
): { readonly stage: number; readonly atSeconds: number; readonly pass: TaskInfo | undefined } | undefined {
  const { framework, accelerator } = step.prepared;
  const { contextBytes, communicatorBytes, fragmentation } = framework.memory;
  const free = accelerator.usableMemoryBytes - contextBytes - communicatorBytes;
  let first: { stage: number; atSeconds: number } | undefined;
  step.memory.forEach(({ curve, separateBytes }, stage) => {
    const room = (free - separateBytes) / (1 + fragmentation);
    const moment = curve.find(([, bytes]) => bytes > room);
    if (moment === undefined || (first !== undefined && first.atSeconds <= moment[0])) return;
    first = { stage, atSeconds: moment[0] };
  });
  return first === undefined ? undefined : { ...first, pass: passAt(step, first.stage, first.atSeconds) };
}

function passAt({ graph, timeline, tasks }: SimulatedStep, rank: number, seconds: number): TaskInfo | undefined {
  for (let task = 0; task < graph.size; task++) {
    const info = tasks[graph.labels[task] ?? 0];
    if (info?.rank !== rank || info.parts === undefined) continue;
    if (timeline.start[task] === seconds) return info;
  }
  return undefined;
}

function pathParts({ graph, timeline, tasks }: SimulatedStep, path: readonly number[]): PathPart[] {
  const parts: { -readonly [K in keyof PathPart]: PathPart[K] }[] = [];
  for (const task of path) {
    const info = tasks[graph.labels[task] ?? 0];
    invariant(info !== undefined, 'a task that nothing describes');
    const { rank: stage, kind, microBatch, chunk } = info;
    const startSeconds = timeline.start[task] ?? 0;
    const seconds = (timeline.end[task] ?? 0) - startSeconds;
    const last = parts[parts.length - 1];
    const joins = last?.stage === stage && last.kind === kind && last.microBatch === microBatch && last.chunk === chunk;
    if (joins) last.seconds += seconds;
    else parts.push({ stage, kind, microBatch, chunk, startSeconds, seconds });
  }
  return parts;
}
