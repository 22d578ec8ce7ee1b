import { criticalPath, type RunFileInput, resolveScenario, type SimulatedStep, simulateStep } from '../../../index.js';
import { degreesOf } from '../../../parallelism/degrees.js';
import { addTaskSeconds, type CauseSeconds, noSeconds } from '../../../simulation/criticalPath.js';
import { streamNames, streamsPerRank } from '../../../simulation/engine/taskGraph.js';
import type { RankMemory } from '../../../simulation/memoryTimeline.js';
import { taskKinds } from '../../../simulation/stepTasks.js';
import type { RunValue } from '../scenario/runValue.js';
import type { MemoryCurve, RankPicture, StepPicture, StreamPicture } from './picture.js';

/** Passes up to which a step is simulated whole: half a second. A longer one repeats itself; its beginning shows how. */
const mostPasses = 300_000;
/** Parts of the step that the memory curve has: more than a terminal has columns. */
const curveParts = 512;

/** Simulates the step of a run and packs it for the UI. Throws `SlipwayError` where the run cannot be simulated. */
export function stepPicture(run: RunValue, baseDirectory: string): StepPicture {
  const scenario = resolveScenario(run as RunFileInput, { baseDirectory });
  const { pipelineParallel, virtualStages, microBatches } = degreesOf(scenario);
  const perMicroBatch = 2 * pipelineParallel * virtualStages;
  const affordable = Math.max(2 * pipelineParallel, Math.floor(mostPasses / perMicroBatch));
  const simulated = Math.min(microBatches, affordable);
  const step = simulateStep(scenario, simulated < microBatches ? { microBatches: simulated } : {});
  return {
    makespanSeconds: step.makespanSeconds,
    stepSeconds: step.stepSeconds,
    events: step.timeline.events,
    ranks: ranksOf(step),
    parts: partsOf(step),
    microBatches: simulated,
    allMicroBatches: microBatches,
  };
}

function ranksOf(step: SimulatedStep): RankPicture[] {
  const streams = streamsOf(step);
  return Array.from({ length: step.graph.ranks }, (_, rank) => {
    const own = streams.slice(rank * streamsPerRank, (rank + 1) * streamsPerRank);
    const [compute] = own;
    const busySeconds = compute?.ends.reduce((sum, end, i) => sum + end - (compute.starts[i] ?? 0), 0) ?? 0;
    return {
      streams: own.filter(({ kinds }, index) => index === 0 || kinds.length > 0),
      busySeconds,
      memory: curveOf(step.memory[rank], step.makespanSeconds),
    };
  });
}

interface OpenStream {
  kinds: number[];
  microBatches: number[];
  chunks: number[];
  starts: number[];
  ends: number[];
  critical: number[];
}

/** Pieces that a pass was cut into are joined again. */
function streamsOf(step: SimulatedStep): StreamPicture[] {
  const { graph, timeline, tasks } = step;
  const onPath = new Uint8Array(graph.size);
  for (const task of criticalPath(step).tasks) onPath[task] = 1;
  const open = Array.from({ length: graph.ranks * streamsPerRank }, (): OpenStream => {
    return { kinds: [], microBatches: [], chunks: [], starts: [], ends: [], critical: [] };
  });
  for (let task = 0; task < graph.size; task++) {
    const info = tasks[graph.labels[task] ?? 0];
    const stream = open[graph.streams[task] ?? 0];
    if (info === undefined || stream === undefined) continue;
    const kind = taskKinds.indexOf(info.kind);
    const start = timeline.start[task] ?? 0;
    const end = timeline.end[task] ?? 0;
    const last = stream.kinds.length - 1;
    const joins =
      stream.kinds[last] === kind &&
      stream.microBatches[last] === info.microBatch &&
      stream.chunks[last] === info.chunk;
    if (joins && stream.ends[last] === start) {
      stream.ends[last] = end;
      stream.critical[last] = Math.max(stream.critical[last] ?? 0, onPath[task] ?? 0);
    } else {
      stream.kinds.push(kind);
      stream.microBatches.push(info.microBatch);
      stream.chunks.push(info.chunk);
      stream.starts.push(start);
      stream.ends.push(end);
      stream.critical.push(onPath[task] ?? 0);
    }
  }
  return open.map((stream, index) => packed(stream, streamNames[index % streamsPerRank] ?? ''));
}

function packed(stream: OpenStream, name: string): StreamPicture {
  return {
    stream: name,
    kinds: Uint8Array.from(stream.kinds),
    microBatches: Int32Array.from(stream.microBatches),
    chunks: Int32Array.from(stream.chunks),
    starts: Float64Array.from(stream.starts),
    ends: Float64Array.from(stream.ends),
    critical: Uint8Array.from(stream.critical),
  };
}

/** Passes of one kind and chunk cost the same, so one of each says what all are made of; pieces of a pass are added up. */
function partsOf({ graph, tasks }: SimulatedStep): Record<string, CauseSeconds> {
  const parts: Record<string, CauseSeconds> = {};
  const shown = new Map<string, number>();
  for (let task = 0; task < graph.size; task++) {
    const info = tasks[graph.labels[task] ?? 0];
    if (info?.parts === undefined) continue;
    const key = `${info.kind}:${info.chunk}`;
    const first = shown.get(key) ?? info.microBatch;
    if (first !== info.microBatch) continue;
    shown.set(key, first);
    parts[key] ??= noSeconds();
    addTaskSeconds(parts[key], info, graph.seconds[task] ?? 0);
  }
  return parts;
}

function curveOf(memory: RankMemory | undefined, makespanSeconds: number): MemoryCurve {
  const mostBytes = new Float64Array(curveParts);
  if (memory === undefined) {
    return { mostBytes, stateBytes: 0, peakBytes: 0, peakSeconds: 0, inFlightMicroBatches: 0 };
  }
  const { curve, stateBytes, peakBytes, peakSeconds, inFlightMicroBatches } = memory;
  const partOf = (seconds: number): number =>
    Math.min(curveParts - 1, Math.max(0, Math.floor((seconds / makespanSeconds) * curveParts)));
  let part = 0;
  let bytes = stateBytes;
  for (const [seconds, now] of curve) {
    const at = partOf(seconds);
    for (; part < at; part++) mostBytes[part] = Math.max(mostBytes[part] ?? 0, bytes);
    mostBytes[at] = Math.max(mostBytes[at] ?? 0, bytes, now);
    bytes = now;
  }
  for (; part < curveParts; part++) mostBytes[part] = Math.max(mostBytes[part] ?? 0, bytes);
  return { mostBytes, stateBytes, peakBytes, peakSeconds, inFlightMicroBatches };
}
