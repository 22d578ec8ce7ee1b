import {
  activationTable,
  type MemoryContext,
  type StageMoments,
  separateBeyond,
  stageMoments,
  stageStateBytes,
  workingBytes,
} from '../memory/stageMemory.js';
import type { Timeline } from './engine/engine.js';
import type { FrozenGraph } from './engine/taskGraph.js';
import { heldParameters, stageParameters } from './memoryContext.js';
import { freedShares } from './orderMemory.js';
import type { Prepared } from './prepare.js';
import type { PassMemory, TaskInfo } from './stepTasks.js';

/** Bytes of one rank over a step. */
export interface RankMemory {
  readonly rank: number;
  /** Weights, gradients, optimizer states and buffers that are never freed: there all the time. */
  readonly stateBytes: number;
  readonly peakBytes: number;
  /** Reserved beside the peak: freed blocks that tensors of other sizes do not fit into. */
  readonly separateBytes: number;
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
  readonly update: boolean;
}

/**
 * Activations of a chunk live from the start of its forward pass to the end of its backward pass (its weight gradient where
 * that runs apart); working buffers live during backward passes, temporaries of the update during the update. States, placeholders
 * and gathered ends are there all the time.
 */
export function memoryTimeline(
  p: Prepared,
  context: MemoryContext,
  tasks: readonly TaskInfo[],
  graph: FrozenGraph,
  timeline: Timeline,
): RankMemory[] {
  const table = activationTable(context);
  const moments = p.chunks.map((chunk) => stageMoments(context, table, chunk, heldParameters(p, context, chunk)));
  const ranks = p.stages.map((stage) => {
    const held = stageParameters(p, context, stage);
    const { alwaysBytes, updateBytes, separateBytes } = stageMoments(context, table, stage, held);
    return { fixedBytes: stageStateBytes(context, stage, held) + alwaysBytes, updateBytes, separateBytes };
  });
  const changes = changesByRank(p, tasks, graph, timeline, moments, ranks);
  return ranks.map(({ fixedBytes, separateBytes }, rank) => {
    const own = changes[rank] ?? [];
    const all = replay(rank, fixedBytes, own);
    const passes = replay(
      rank,
      fixedBytes,
      own.filter(({ update }) => !update),
    );
    return { ...all, separateBytes: separateBeyond(separateBytes, passes.peakBytes, all.peakBytes) };
  });
}

function changesByRank(
  p: Prepared,
  tasks: readonly TaskInfo[],
  graph: FrozenGraph,
  timeline: Timeline,
  moments: readonly StageMoments[],
  ranks: readonly { readonly updateBytes: number }[],
): Change[][] {
  const changes: Change[][] = p.stages.map(() => []);
  const shares = p.stages.map(({ stage }) => 1 / Math.max(1, p.chunks.filter((c) => c.stage === stage).length));
  for (let task = 0; task < graph.size; task++) {
    const info = tasks[graph.labels[task] ?? 0];
    if (info === undefined) continue;
    const own = changes[info.rank];
    const span = { start: timeline.start[task] ?? 0, end: timeline.end[task] ?? 0 };
    if (info.kind === 'optimizer') {
      const bytes = ranks[info.rank]?.updateBytes ?? 0;
      if (bytes > 0) own?.push(...during(span, bytes, true));
    }
    for (const pass of info.passes) {
      const chunk = moments[pass.chunk];
      if (chunk !== undefined) own?.push(...passChanges(pass, chunk, span, shares[info.rank] ?? 1));
    }
  }
  // At one moment, what is freed is free before what comes next is taken.
  for (const own of changes) own.sort((a, b) => a.seconds - b.seconds || a.bytes - b.bytes);
  return changes;
}

interface Span {
  readonly start: number;
  readonly end: number;
}

function during({ start, end }: Span, bytes: number, update: boolean): Change[] {
  return [
    { seconds: start, bytes, share: 0, update },
    { seconds: end, bytes: -bytes, share: 0, update },
  ];
}

function passChanges(pass: PassMemory, chunk: StageMoments, span: Span, share: number): Change[] {
  const { keptBytes, headKeptBytes } = chunk;
  const changes: Change[] = [];
  if (pass.allocates) changes.push({ seconds: span.start, bytes: keptBytes + headKeptBytes, share, update: false });
  if (pass.backward) changes.push(...during(span, workingBytes(chunk), false));
  const gone = freedShares(pass, chunk);
  if (gone.kept > 0 || gone.head > 0) {
    const bytes = -(keptBytes * gone.kept + headKeptBytes * gone.head);
    changes.push({ seconds: span.end, bytes, share: -share * gone.kept, update: false });
  }
  return changes;
}

function replay(rank: number, stateBytes: number, changes: readonly Change[]): Omit<RankMemory, 'separateBytes'> {
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
