import { invariant } from '../../errors.js';
import { RankHeap } from './rankHeap.js';
import { type FrozenGraph, type StreamName, streamNames, streamsPerRank } from './taskGraph.js';

/** When every task ran. */
export interface Timeline {
  readonly start: Float64Array;
  readonly end: Float64Array;
  readonly makespan: number;
  readonly events: number;
  /** The task whose end let this one start: its stream's previous task or a dependency; -1 for a first task. */
  readonly cause: Int32Array;
}

/** Tasks that can never start: an order with a cycle, or one that waits for what nobody does. */
export interface Deadlock {
  readonly deadlock: true;
  /** The first task of each stream that is stuck, lowest stream first. */
  readonly stuck: readonly number[];
}

const compute = 0;
const tensor = streamNames.indexOf('tensor');
const data = streamNames.indexOf('data');

/**
 * Runs the graph: each stream works through its tasks in order; a task starts when it is the first of its stream and its
 * dependencies are done. While a rank's compute stream and another of its streams are busy at once, all of them run slower by
 * `contention`; whole tensor-parallel collectives beside compute slow nothing (docs/model.md, section 4.5). The data stream stands still while one of `dataYieldsTo` moves: they share links. Deterministic: ties go to the lower rank,
 * then the lower stream.
 */
export function runGraph(
  graph: FrozenGraph,
  contention: number,
  dataYieldsTo: readonly StreamName[] = [],
): Timeline | Deadlock {
  return new Engine(graph, contention, dataYieldsTo).run();
}

class Engine {
  private readonly start: Float64Array;
  private readonly end: Float64Array;
  private readonly cause: Int32Array;
  private readonly waits: Int32Array;
  /** Tasks of a stream in order, as a linked list. */
  private readonly nextInStream: Int32Array;
  private readonly head: Int32Array;
  private readonly running: Int32Array;
  /** Work left of the running task, in seconds alone. */
  private readonly left: Float64Array;
  /** Rank clock up to which `left` is current, and the rate since. */
  private readonly clock: Float64Array;
  private readonly rate: Float64Array;
  /** Streams that have tasks at all, rank by rank: `used[firstUsed[r] .. firstUsed[r + 1])`. */
  private readonly used: Int32Array;
  private readonly firstUsed: Int32Array;
  private readonly heap: RankHeap;
  private readonly yieldsTo: readonly number[];
  /** The data stream of a rank while it stands still, else -1. */
  private readonly paused: Int32Array;
  private events = 0;
  private now = 0;

  constructor(
    private readonly graph: FrozenGraph,
    private readonly contention: number,
    dataYieldsTo: readonly StreamName[],
  ) {
    this.yieldsTo = dataYieldsTo.map((name) => streamNames.indexOf(name));
    this.paused = new Int32Array(graph.ranks).fill(-1);
    const streams = graph.ranks * streamsPerRank;
    this.start = new Float64Array(graph.size);
    this.end = new Float64Array(graph.size);
    this.cause = new Int32Array(graph.size).fill(-1);
    this.waits = graph.waitsFor.slice();
    this.nextInStream = new Int32Array(graph.size).fill(-1);
    this.head = new Int32Array(streams).fill(-1);
    this.running = new Int32Array(streams).fill(-1);
    this.left = new Float64Array(streams);
    this.clock = new Float64Array(graph.ranks);
    this.rate = new Float64Array(graph.ranks).fill(1);
    this.heap = new RankHeap(graph.ranks);
    this.linkStreams(streams);
    this.used = Int32Array.from(this.head.keys()).filter((stream) => (this.head[stream] ?? -1) >= 0);
    this.firstUsed = new Int32Array(graph.ranks + 1);
    for (const stream of this.used) {
      const next = Math.floor(stream / streamsPerRank) + 1;
      this.firstUsed[next] = (this.firstUsed[next] ?? 0) + 1;
    }
    for (let rank = 0; rank < graph.ranks; rank++) {
      this.firstUsed[rank + 1] = (this.firstUsed[rank + 1] ?? 0) + (this.firstUsed[rank] ?? 0);
    }
  }

  private linkStreams(streams: number): void {
    const last = new Int32Array(streams).fill(-1);
    for (let task = 0; task < this.graph.size; task++) {
      const stream = this.graph.streams[task] ?? 0;
      const previous = last[stream] ?? -1;
      if (previous < 0) this.head[stream] = task;
      else this.nextInStream[previous] = task;
      last[stream] = task;
    }
  }

  run(): Timeline | Deadlock {
    for (let rank = 0; rank < this.graph.ranks; rank++) {
      this.startReady(rank);
      this.schedule(rank);
    }
    for (let rank = this.heap.top(); rank >= 0; rank = this.heap.top()) {
      this.now = this.heap.timeOf(rank);
      this.finishDue(rank);
    }
    const stuck = this.stuckTasks();
    if (stuck.length > 0) return { deadlock: true, stuck };
    return { start: this.start, end: this.end, makespan: this.now, events: this.events, cause: this.cause };
  }

  /** Work done on a rank since its clock, at its rate. */
  private advance(rank: number): void {
    const elapsed = this.now - (this.clock[rank] ?? 0);
    this.clock[rank] = this.now;
    if (elapsed <= 0) return;
    const done = elapsed * (this.rate[rank] ?? 1);
    const paused = this.paused[rank] ?? -1;
    const end = this.firstUsed[rank + 1] ?? 0;
    for (let u = this.firstUsed[rank] ?? 0; u < end; u++) {
      const s = this.used[u] ?? 0;
      if ((this.running[s] ?? -1) >= 0 && s !== paused) this.left[s] = (this.left[s] ?? 0) - done;
    }
  }

  /** Ends what is due on the rank, and starts what that allows there and elsewhere. */
  private finishDue(rank: number): void {
    this.advance(rank);
    const end = this.firstUsed[rank + 1] ?? 0;
    for (let u = this.firstUsed[rank] ?? 0; u < end; u++) {
      const s = this.used[u] ?? 0;
      const task = this.running[s] ?? -1;
      // Rounding may leave a crumb of a task that defined this moment.
      if (task < 0 || (this.left[s] ?? 0) > crumbSeconds * Math.max(1, this.now)) continue;
      this.end[task] = this.now;
      this.running[s] = -1;
      this.events++;
      const following = this.nextInStream[task] ?? -1;
      this.head[s] = following;
      if (following >= 0 && (this.waits[following] ?? 0) === 0) this.cause[following] = task;
      this.release(task, rank);
    }
    this.startReady(rank);
    this.schedule(rank);
  }

  private release(task: number, rank: number): void {
    const { firstEdge, edges, streams } = this.graph;
    const end = firstEdge[task + 1] ?? 0;
    for (let e = firstEdge[task] ?? 0; e < end; e++) {
      const later = edges[e] ?? 0;
      const waits = (this.waits[later] ?? 0) - 1;
      this.waits[later] = waits;
      if (waits > 0) continue;
      const stream = streams[later] ?? 0;
      if (this.head[stream] !== later || (this.running[stream] ?? -1) >= 0) continue;
      this.cause[later] = task;
      const other = Math.floor(stream / streamsPerRank);
      if (other === rank) continue;
      this.advance(other);
      this.startReady(other);
      this.schedule(other);
    }
  }

  /** Starts the first task of every idle stream that waits for nothing. */
  private startReady(rank: number): void {
    const end = this.firstUsed[rank + 1] ?? 0;
    for (let u = this.firstUsed[rank] ?? 0; u < end; u++) {
      const s = this.used[u] ?? 0;
      if ((this.running[s] ?? -1) >= 0) continue;
      const task = this.head[s] ?? -1;
      if (task < 0 || (this.waits[task] ?? 0) > 0) continue;
      this.running[s] = task;
      this.start[task] = this.now;
      this.left[s] = this.graph.seconds[task] ?? 0;
    }
  }

  /** Sets the rank's rate and the time at which its next task ends. */
  private schedule(rank: number): void {
    const paused = this.yieldsTo.length > 0 ? this.pausedStream(rank) : -1;
    this.paused[rank] = paused;
    let busy = 0;
    let quiet = 0;
    const first = rank * streamsPerRank;
    let shortest = Number.POSITIVE_INFINITY;
    const end = this.firstUsed[rank + 1] ?? 0;
    for (let u = this.firstUsed[rank] ?? 0; u < end; u++) {
      const s = this.used[u] ?? 0;
      if ((this.running[s] ?? -1) < 0 || s === paused) continue;
      busy++;
      if (s === first + tensor) quiet = 1;
      shortest = Math.min(shortest, this.left[s] ?? 0);
    }
    if (busy === 0) {
      this.heap.remove(rank);
      return;
    }
    const beside = busy - quiet > 1 && (this.running[first + compute] ?? -1) >= 0;
    const rate = beside ? 1 / this.contention : 1;
    this.rate[rank] = rate;
    this.clock[rank] = this.now;
    this.heap.set(rank, this.now + Math.max(0, shortest) / rate);
  }

  private pausedStream(rank: number): number {
    const first = rank * streamsPerRank;
    return this.yieldsTo.some((stream) => (this.running[first + stream] ?? -1) >= 0) ? first + data : -1;
  }

  private stuckTasks(): number[] {
    const stuck: number[] = [];
    for (const task of this.head) if (task >= 0) stuck.push(task);
    for (const task of this.running) invariant(task < 0, 'a task still runs after the last event');
    return stuck;
  }
}

/** Relative slack for a task to count as done: far below any kernel, far above rounding. */
const crumbSeconds = 1e-13;
