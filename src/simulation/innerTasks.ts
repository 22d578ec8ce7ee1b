import type { PassKind } from '../parallelism/pipeline/order.js';
import { type StreamName, streamNames, streamsPerRank } from './engine/taskGraph.js';
import type { SimulatedPass } from './pass/passTime.js';
import type { SimulatedStep } from './simulate.js';
import type { TaskInfo } from './stepTasks.js';

/** A kernel or transfer inside a pass, at its place in the step. */
export interface InnerTask {
  readonly rank: number;
  readonly stream: StreamName;
  readonly name: string;
  /** Which layer of the pass; -1 outside layers. */
  readonly layer: number;
  readonly startSeconds: number;
  readonly endSeconds: number;
}

/** A pass in the step: the pieces that it was cut into, joined. */
interface PlacedPass {
  readonly info: TaskInfo;
  /** Where its pieces start and end; each is an equal share of it. */
  readonly starts: number[];
  readonly ends: number[];
}

type Step = Pick<SimulatedStep, 'graph' | 'timeline' | 'tasks' | 'chunks'>;

/** Tasks inside passes that `innerTasks` gives at most: some tens of megabytes of trace. */
const mostTasks = 200_000;

/**
 * What runs inside the passes between two moments, all passes of micro-batch 0 first, then of 1 and so on, as many as there is room for. A pass that
 * was stretched, by traffic beside it or by noise, is stretched in all its parts alike.
 */
export function innerTasks(step: Step, fromSeconds: number, toSeconds: number): InnerTask[] {
  const passes = placedPasses(step).filter(
    ({ starts, ends }) => (starts[0] ?? 0) < toSeconds && (ends[ends.length - 1] ?? 0) > fromSeconds,
  );
  passes.sort((a, b) => a.info.microBatch - b.info.microBatch);
  const tasks: InnerTask[] = [];
  for (const pass of passes) {
    if (tasks.length > mostTasks) break;
    tasks.push(...tasksOf(step, pass));
  }
  return tasks;
}

function placedPasses({ graph, timeline, tasks }: Step): PlacedPass[] {
  const passes: PlacedPass[] = [];
  const last: (PlacedPass | undefined)[] = [];
  for (let task = 0; task < graph.size; task++) {
    const info = tasks[graph.labels[task] ?? 0];
    if (info?.parts === undefined) continue;
    const before = last[info.rank];
    const start = timeline.start[task] ?? 0;
    const end = timeline.end[task] ?? 0;
    const { kind, microBatch, chunk } = info;
    if (before?.info.kind === kind && before.info.microBatch === microBatch && before.info.chunk === chunk) {
      before.starts.push(start);
      before.ends.push(end);
      continue;
    }
    const pass = { info, starts: [start], ends: [end] };
    last[info.rank] = pass;
    passes.push(pass);
  }
  return passes;
}

/** Timelines of the passes that run in a task, one after the other, and the seconds of each. */
export function timelinesOf(
  { chunks }: Pick<Step, 'chunks'>,
  { kind, chunk, passes, alone }: TaskInfo,
): { readonly pass: SimulatedPass; readonly seconds: number }[] {
  const kinds: readonly [PassKind, number][] =
    kind === 'together'
      ? passes.map((one) => [one.backward ? 'backward' : 'forward', one.chunk])
      : [[kind as PassKind, chunk]];
  return kinds.flatMap(([of, at]) => {
    const own = chunks[at]?.passes;
    if (own === undefined) return [];
    return [{ pass: own.timeline(of, alone === true), seconds: own.cost(of, alone === true).seconds }];
  });
}

function tasksOf(step: Step, placed: PlacedPass): InnerTask[] {
  const inside = timelinesOf(step, placed.info);
  const whole = inside.reduce((sum, { seconds }) => sum + seconds, 0);
  const { rank } = placed.info;
  let before = 0;
  const found: InnerTask[] = [];
  for (const { pass, seconds } of inside) {
    const { graph, timeline, tasks } = pass;
    for (let task = 0; task < graph.size; task++) {
      const { name = '', layer = -1, again = false } = tasks[graph.labels[task] ?? 0] ?? {};
      found.push({
        rank,
        stream: streamNames[(graph.streams[task] ?? 0) % streamsPerRank] ?? 'compute',
        name: again ? `${name} again` : name,
        layer,
        startSeconds: momentAt(placed, (before + (timeline.start[task] ?? 0)) / whole),
        endSeconds: momentAt(placed, (before + (timeline.end[task] ?? 0)) / whole),
      });
    }
    before += seconds;
  }
  return found;
}

/** When a share of the pass is done. */
function momentAt({ starts, ends }: PlacedPass, share: number): number {
  const pieces = starts.length;
  const piece = Math.min(pieces - 1, Math.max(0, Math.floor(share * pieces)));
  const start = starts[piece] ?? 0;
  const end = ends[piece] ?? 0;
  return Math.min(end, start + (share * pieces - piece) * (end - start));
}

/** Seconds that each stream of a stage is busy, inside passes and beside them; `compute` counts kernels alone. */
export type StreamSeconds = { [stream in StreamName]: number };

export function streamSeconds(step: Step): StreamSeconds[] {
  const { graph, timeline, tasks } = step;
  const sums = Array.from(
    { length: graph.ranks },
    (): StreamSeconds => ({ compute: 0, tensor: 0, pieces: 0, context: 0, expert: 0, send: 0, data: 0, host: 0 }),
  );
  const known = new Map<string, readonly (readonly [StreamName, number])[]>();
  for (let task = 0; task < graph.size; task++) {
    const info = tasks[graph.labels[task] ?? 0];
    const sum = info === undefined ? undefined : sums[info.rank];
    if (info === undefined || sum === undefined) continue;
    const seconds = (timeline.end[task] ?? 0) - (timeline.start[task] ?? 0);
    if (info.parts === undefined) {
      const stream = streamNames[(graph.streams[task] ?? 0) % streamsPerRank] ?? 'compute';
      sum[stream] += seconds;
      continue;
    }
    const key = `${info.kind} ${info.chunk} ${info.alone} ${info.passes.map(({ chunk }) => chunk).join()}`;
    let shares = known.get(key);
    if (shares === undefined) {
      shares = sharesOf(step, info);
      known.set(key, shares);
    }
    for (const [stream, share] of shares) sum[stream] += share * seconds;
  }
  return sums;
}

/** By stream, how much of a pass it is busy. */
function sharesOf(step: Step, info: TaskInfo): (readonly [StreamName, number])[] {
  const inside = timelinesOf(step, info);
  const whole = inside.reduce((sum, { seconds }) => sum + seconds, 0);
  const busy = new Map<StreamName, number>();
  for (const { pass } of inside) {
    const { graph, timeline } = pass;
    for (let task = 0; task < graph.size; task++) {
      const stream = streamNames[(graph.streams[task] ?? 0) % streamsPerRank] ?? 'compute';
      const seconds = (timeline.end[task] ?? 0) - (timeline.start[task] ?? 0);
      busy.set(stream, (busy.get(stream) ?? 0) + seconds);
    }
  }
  return [...busy].map(([stream, seconds]) => [stream, whole > 0 ? seconds / whole : 0] as const);
}
