import { activationTable, type MemoryContext, stageBytes } from '../memory/stageMemory.js';
import type { Stage } from '../parallelism/stages.js';
import type { ChunkCost } from './chunkCost.js';
import type { Timeline } from './engine/engine.js';
import type { FrozenGraph } from './engine/taskGraph.js';
import type { TaskInfo } from './stepTasks.js';

/** Bytes of one rank over a step. */
export interface RankMemory {
  readonly rank: number;
  /** Weights, gradients and optimizer states: there all the time. */
  readonly stateBytes: number;
  readonly peakBytes: number;
  /** When in the step the peak is reached. */
  readonly peakSeconds: number;
  /** Micro-batches of the whole stage alive at the peak. */
  readonly inFlightMicroBatches: number;
  /** `[seconds, bytes]` whenever the bytes change, states included. */
  readonly curve: readonly (readonly [number, number])[];
}

interface Change {
  readonly seconds: number;
  readonly bytes: number;
  /** Share of the stage's micro-batch that comes or goes. */
  readonly share: number;
}

/**
 * Activations of a chunk live from the start of its forward pass to the end of its backward pass (its weight gradient where
 * that runs apart); working buffers live during backward passes. The rest is there all the time.
 */
export function memoryTimeline(
  context: MemoryContext,
  stages: readonly Stage[],
  chunks: readonly ChunkCost[],
  tasks: readonly TaskInfo[],
  graph: FrozenGraph,
  timeline: Timeline,
): RankMemory[] {
  const table = activationTable(context);
  const single: MemoryContext = { ...context, schedule: { ...context.schedule, inFlight: () => 1 } };
  const chunkBytes = chunks.map((chunk) =>
    stageBytes(single, table, chunk.chunk, chunk.parameters, chunk.endParameters, 1),
  );
  const changes = changesByRank(stages, chunks, tasks, graph, timeline, chunkBytes, table.weightShare);
  return stages.map((stage) => {
    const own = chunks.filter(({ chunk }) => chunk.stage === stage.stage);
    const parameters = own.reduce(
      (sum, c) => ({ dense: sum.dense + c.parameters.dense, expert: sum.expert + c.parameters.expert }),
      { dense: 0, expert: 0 },
    );
    const ends = own.reduce((sum, c) => sum + c.endParameters, 0);
    const whole = stageBytes(single, table, stage, parameters, ends, 1);
    const states = whole.weightsBytes + whole.gradientsBytes + whole.optimizerBytes;
    const mirrored = context.strategy.pipelineSchedule === 'dualpipe' && stages.length > 1 ? 2 : 1;
    return replay(stage.stage, states * mirrored, changes[stage.stage] ?? []);
  });
}

function changesByRank(
  stages: readonly Stage[],
  chunks: readonly ChunkCost[],
  tasks: readonly TaskInfo[],
  graph: FrozenGraph,
  timeline: Timeline,
  chunkBytes: readonly { readonly activationsBytes: number; readonly buffersBytes: number }[],
  weightShare: number,
): Change[][] {
  const changes: Change[][] = stages.map(() => []);
  const shares = stages.map(({ stage }) => 1 / Math.max(1, chunks.filter(({ chunk }) => chunk.stage === stage).length));
  for (let task = 0; task < graph.size; task++) {
    const info = tasks[graph.labels[task] ?? 0];
    if (info === undefined || info.passes.length === 0) continue;
    const own = changes[info.rank];
    const share = shares[info.rank] ?? 1;
    const start = timeline.start[task] ?? 0;
    const end = timeline.end[task] ?? 0;
    for (const pass of info.passes) {
      const kept = chunkBytes[pass.chunk]?.activationsBytes ?? 0;
      const working = chunkBytes[pass.chunk]?.buffersBytes ?? 0;
      if (pass.allocates) own?.push({ seconds: start, bytes: kept, share });
      if (pass.backward)
        own?.push({ seconds: start, bytes: working, share: 0 }, { seconds: end, bytes: -working, share: 0 });
      const gone = pass.frees ? (pass.waited ? weightShare : 1) : pass.splits ? 1 - weightShare : 0;
      if (gone > 0) own?.push({ seconds: end, bytes: -kept * gone, share: -share * gone });
    }
  }
  // At one moment, what is freed is free before what comes next is taken.
  for (const own of changes) own.sort((a, b) => a.seconds - b.seconds || a.bytes - b.bytes);
  return changes;
}

function replay(rank: number, stateBytes: number, changes: readonly Change[]): RankMemory {
  let bytes = stateBytes;
  let inFlight = 0;
  let peakBytes = stateBytes;
  let peakSeconds = 0;
  let peakInFlight = 0;
  const curve: [number, number][] = [[0, stateBytes]];
  for (const change of changes) {
    bytes += change.bytes;
    inFlight += change.share;
    peakInFlight = Math.max(peakInFlight, inFlight);
    if (bytes > peakBytes) {
      peakBytes = bytes;
      peakSeconds = change.seconds;
    }
    const last = curve[curve.length - 1];
    if (last !== undefined && last[0] === change.seconds) last[1] = bytes;
    else curve.push([change.seconds, bytes]);
  }
  return { rank, stateBytes, peakBytes, peakSeconds, inFlightMicroBatches: peakInFlight, curve };
}
