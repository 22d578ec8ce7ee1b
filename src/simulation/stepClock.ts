import { type Pass, type PipelineOrder, passKinds } from '../parallelism/pipeline/order.js';
import type { Schedule } from '../parallelism/pipeline/schedule.js';
import {
  type ChunkCost,
  exposedGather,
  gradientPieces,
  messageSeconds,
  rankParameters,
  type WorkCost,
} from './chunkCost.js';
import { RankHeap } from './engine/rankHeap.js';
import { rankUpdate } from './optimizerStep.js';
import { type OrderSteps, orderSteps } from './orderSteps.js';
import { alonePasses } from './pass/alonePasses.js';
import type { Prepared } from './prepare.js';
import { RankClock } from './rankClock.js';

/** Passes that wait for what never comes: rank and the pass it is stuck at. */
export interface StuckPass {
  readonly rank: number;
  readonly pass: Pass;
}

/**
 * The time of the event simulation's step without its tasks: the same passes, messages, gathers and reductions, and the same contention,
 * rank by rank as far as each knows its inputs. Several times as fast, and little to warm up. Ranks that go on alone have updated their
 * weights; with a common update, `commonUpdateSeconds` comes on top. Returns the pass at which an order locks, and infinity as soon as a
 * rank's passes cannot end within `mostSeconds`, for callers that do not want such an answer.
 */
export function clockStep(
  p: Prepared,
  order: PipelineOrder,
  chunks: readonly ChunkCost[],
  schedule: Schedule,
  mostSeconds = Number.POSITIVE_INFINITY,
): number | StuckPass {
  return new StepClock(p, order, chunks, schedule.staggered, mostSeconds).run();
}

/**
 * The update that follows when all ranks have their gradients: that of the slowest rank. 0 where ranks go on alone. `works` are those of the
 * kinds of chunks.
 */
export function commonUpdateSeconds(p: Prepared, works: readonly WorkCost[], schedule: Schedule): number {
  if (schedule.staggered) return 0;
  // Ranks of DualPipe hold what their mirror images hold as well.
  const mirrored = schedule.id === 'dualpipe';
  let slowest = 0;
  for (const rank of mirrored ? p.kinds.sends.keys() : p.kinds.runEnds) {
    const holders = mirrored ? [rank, p.degrees.pipelineParallel - 1 - rank] : [rank];
    const held = { dense: 0, expert: 0 };
    for (const holder of holders) {
      works.forEach(({ parameters }, kind) => {
        const chunks = p.kinds.onRank[holder * works.length + kind] ?? 0;
        held.dense += chunks * parameters.dense;
        held.expert += chunks * parameters.expert;
      });
    }
    const { deviceSeconds, offloadSeconds } = rankUpdate(p, held, rank, false);
    slowest = Math.max(slowest, deviceSeconds + offloadSeconds);
  }
  return slowest;
}

/** In place of a gather's number: none, and not beside the passes. */
const noGather = -1;
const onCompute = -2;

class StepClock {
  private readonly steps: OrderSteps;
  private readonly clocks: readonly RankClock[];
  /** By chunk, kind of pass and whether it is alone; NaN until asked for. */
  private readonly seconds: Float64Array;
  private readonly alone: readonly Uint8Array[] | undefined;
  /** When a result is where it is needed; NaN until then. */
  private readonly arrivals: Float64Array;
  /** By rank: its next pass. */
  private readonly next: Int32Array;
  private readonly firstStart: Float64Array;
  /** By beginning of a chunk on a rank: the gather that it waits for. */
  private readonly gatherOf: Int32Array;
  private readonly firstGather: Float64Array;
  private readonly firstForward: Float64Array;
  private readonly send: number;
  /** Ranks that may be able to go on. */
  private readonly awake: number[] = [];
  private readonly isAwake: Uint8Array;
  /** By rank: the result that it waits for, -1 where it does not wait. */
  private readonly awaited: Int32Array;
  private readonly finished: Uint8Array;
  private readonly arriving: RankHeap;
  /** By rank: seconds of its own that are still to come, of which it can save none. */
  private readonly left: Float64Array;
  private late = false;

  constructor(
    private readonly p: Prepared,
    private readonly order: PipelineOrder,
    private readonly chunks: readonly ChunkCost[],
    private readonly staggered: boolean,
    private readonly mostSeconds: number,
  ) {
    this.steps = orderSteps(order);
    const ranks = order.ranks.length;
    this.arrivals = new Float64Array(this.steps.results).fill(Number.NaN);
    this.next = this.steps.starts.slice(0, ranks);
    this.firstStart = new Float64Array(ranks).fill(Number.NaN);
    this.gatherOf = new Int32Array(this.steps.beginnings).fill(noGather);
    this.firstGather = new Float64Array(ranks);
    this.firstForward = new Float64Array(ranks);
    this.isAwake = new Uint8Array(ranks);
    this.awaited = new Int32Array(ranks).fill(-1);
    this.finished = new Uint8Array(ranks);
    this.arriving = new RankHeap(ranks);
    this.left = new Float64Array(ranks);
    this.send = ranks > 1 ? messageSeconds(p) : 0;
    this.seconds = new Float64Array(8 * order.chunks).fill(Number.NaN);
    this.alone = alonePasses(p, order);
    const arrived = (message: number, at: number): void => this.arrive(message, at);
    this.clocks = order.ranks.map(() => new RankClock(p.contention, arrived));
    for (let rank = 0; rank < ranks; rank++) {
      this.prepareRank(rank);
      this.wake(rank);
    }
  }

  /** Adds up the rank's passes, and starts the gathers that run beside them: those wait for nothing. */
  private prepareRank(rank: number): void {
    const { starts, begins, chunk } = this.steps;
    const beside = this.p.strategy.overlapParameterGather;
    let first = true;
    for (let at = starts[rank] as number; at < (starts[rank + 1] as number); at++) {
      this.left[rank] = (this.left[rank] as number) + this.ownSeconds(at, rank);
      const beginning = begins[at] as number;
      if (beginning < 0) continue;
      const seconds = this.chunks[chunk[at] as number]?.gatherSeconds ?? 0;
      if (first) this.firstGather[rank] = seconds;
      first = false;
      if (seconds > 0)
        this.gatherOf[beginning] = beside ? (this.clocks[rank] as RankClock).queueData(seconds) : onCompute;
    }
  }

  /** A pass, and its message where that holds the rank up. */
  private ownSeconds(at: number, rank: number): number {
    const blocks = this.steps.hops[at] === 1 && !this.p.strategy.overlapPipelineSend;
    return this.secondsOf(at, rank) + (blocks ? this.send : 0);
  }

  private secondsOf(at: number, rank: number): number {
    const chunk = this.steps.chunk[at] as number;
    const kind = this.steps.kind[at] as number;
    const alone = this.alone?.[rank]?.[at - (this.steps.starts[rank] as number)] ?? 0;
    const place = 8 * chunk + 2 * kind + alone;
    const seconds = this.seconds[place] as number;
    if (!Number.isNaN(seconds)) return seconds;
    const passes = this.chunks[chunk]?.passes;
    this.seconds[place] = passes?.cost(passKinds[kind] ?? 'forward', alone === 1).seconds ?? 0;
    return this.seconds[place] as number;
  }

  run(): number | StuckPass {
    do {
      for (let rank = this.awake.pop(); rank !== undefined; rank = this.awake.pop()) {
        this.isAwake[rank] = 0;
        while (this.advance(rank));
        if (this.late) return Number.POSITIVE_INFINITY;
        this.noteArrival(rank);
      }
    } while (this.nextMessage());
    const { starts } = this.steps;
    for (let rank = 0; rank < this.order.ranks.length; rank++) {
      const pass = this.order.ranks[rank]?.[(this.next[rank] as number) - (starts[rank] as number)];
      if (pass !== undefined) return { rank, pass };
    }
    return this.staggered ? this.longestSpan() : this.makespan();
  }

  /**
   * Every rank waits. None can start before the first of the messages that are on their way arrives, so its sender idles until then.
   */
  private nextMessage(): boolean {
    const rank = this.arriving.top();
    if (rank < 0) return false;
    this.clocks[rank]?.idle(this.arriving.timeOf(rank));
    this.noteArrival(rank);
    return true;
  }

  /** When a waiting rank's first message arrives. */
  private noteArrival(rank: number): void {
    const arrival = this.clocks[rank]?.nextArrival() ?? Number.POSITIVE_INFINITY;
    if (arrival === Number.POSITIVE_INFINITY) this.arriving.remove(rank);
    else this.arriving.set(rank, arrival);
  }

  private arrive(message: number, at: number): void {
    this.arrivals[message] = at;
    const rank = this.steps.waiting[message] as number;
    if (this.awaited[rank] === message) this.wake(rank);
  }

  private wake(rank: number): void {
    this.awaited[rank] = -1;
    if (this.isAwake[rank] === 1) return;
    this.isAwake[rank] = 1;
    this.awake.push(rank);
  }

  /** Runs the rank's next task if all it needs is known; false where it has to wait. */
  private advance(rank: number): boolean {
    const { steps } = this;
    const clock = this.clocks[rank] as RankClock;
    const at = this.next[rank] as number;
    if (at === steps.starts[rank + 1]) {
      this.finishRank(rank, clock);
      return false;
    }
    const second = steps.together[at] === 1 ? at + 1 : -1;
    let gather = this.gatherBefore(at, clock);
    let ready = this.readyAt(at, rank);
    let seconds = this.secondsOf(at, rank);
    let own = this.ownSeconds(at, rank);
    if (second >= 0) {
      gather = Math.max(gather, this.gatherBefore(second, clock));
      ready = Math.max(ready, this.readyAt(second, rank));
      seconds += this.secondsOf(second, rank);
      own += this.ownSeconds(second, rank);
    }
    if (Number.isNaN(ready)) return false;
    this.next[rank] = at + (second < 0 ? 1 : 2);
    clock.idle(ready);
    if (Number.isNaN(this.firstStart[rank])) this.noteStart(rank, at, clock);
    if (this.isLate(rank, own, clock)) return false;
    const ended = this.endedBy(at);
    const endedToo = second < 0 ? undefined : this.endedBy(second);
    const { overlapGradientReduce } = this.p.strategy;
    if (overlapGradientReduce) this.compute(clock, seconds, gather, ended, endedToo);
    else this.compute(clock, seconds, gather, undefined, undefined);
    this.finish(at, clock);
    if (second >= 0) this.finish(second, clock);
    if (!overlapGradientReduce) clock.compute((ended?.reduceSeconds ?? 0) + (endedToo?.reduceSeconds ?? 0));
    return true;
  }

  /** Whether the rank's passes cannot end in time any more, even if it never waits or is slowed again. */
  private isLate(rank: number, own: number, clock: RankClock): boolean {
    const left = this.left[rank] as number;
    // Where ranks go on alone, a late start is no loss.
    if (!this.staggered && clock.now + left > this.mostSeconds) this.late = true;
    this.left[rank] = left - own;
    return this.late;
  }

  private noteStart(rank: number, at: number, clock: RankClock): void {
    this.firstStart[rank] = clock.now;
    this.firstForward[rank] = this.secondsOf(at, rank);
  }

  /** The chunk whose gradients on this rank are complete with this pass. */
  private endedBy(at: number): ChunkCost | undefined {
    return this.steps.endsGradients[at] === 1 ? this.chunks[this.steps.chunk[at] as number] : undefined;
  }

  /** A pass; only its last piece waits for gathered weights, and gradients leave piece by piece. */
  private compute(
    clock: RankClock,
    seconds: number,
    gather: number,
    reduced: ChunkCost | undefined,
    reducedToo: ChunkCost | undefined,
  ): void {
    if (gather < 0 && reduced === undefined && reducedToo === undefined) {
      clock.compute(seconds);
      return;
    }
    const [first, second] = reduced === undefined ? [reducedToo, undefined] : [reduced, reducedToo];
    const pieces = Math.max(first?.reducePieces ?? 1, gather >= 0 ? gradientPieces : 1);
    for (let i = 1; i <= pieces; i++) {
      if (i === pieces && gather >= 0) clock.waitForData(gather);
      clock.compute(seconds / pieces);
      if (first !== undefined && i % (pieces / first.reducePieces) === 0) queueReduction(clock, first, 1);
    }
    // One stream, one after the other: what comes second waits for the last piece of the first anyway.
    if (second !== undefined) queueReduction(clock, second, second.reducePieces);
  }

  /** When all that the pass needs is there; NaN, and the rank waits for it, where that is not known yet. */
  private readyAt(at: number, rank: number): number {
    const needs = this.steps.needs[at] as number;
    const needsOwn = this.steps.needsOwn[at] as number;
    let ready = 0;
    if (needs >= 0) {
      ready = this.arrivals[needs] as number;
      if (Number.isNaN(ready)) this.awaited[rank] = needs;
    }
    return needsOwn < 0 ? ready : Math.max(ready, this.arrivals[needsOwn] as number);
  }

  /**
   * Weights of a chunk before its first pass on the rank: the traffic to wait for, or time of the rank's own, which it spends while it waits
   * for its inputs.
   */
  private gatherBefore(at: number, clock: RankClock): number {
    const beginning = this.steps.begins[at] as number;
    if (beginning < 0) return noGather;
    const gather = this.gatherOf[beginning] as number;
    if (gather !== onCompute) return gather;
    this.gatherOf[beginning] = noGather;
    clock.compute(this.chunks[this.steps.chunk[at] as number]?.gatherSeconds ?? 0);
    return noGather;
  }

  /** The result goes to the neighbouring chunk: at once on the same rank, else as a message beside the next passes or before them. */
  private finish(at: number, clock: RankClock): void {
    const { steps } = this;
    const keeps = steps.keeps[at] as number;
    if (keeps >= 0) this.arrivals[keeps] = clock.now;
    const gives = steps.gives[at] as number;
    if (gives < 0) return;
    if (steps.hops[at] === 1) {
      if (this.p.strategy.overlapPipelineSend) {
        clock.queueSend(this.send, gives);
        return;
      }
      clock.compute(this.send);
    }
    this.arrive(gives, clock.now);
  }

  /** A rank that goes on alone updates its weights as soon as its own gradients are reduced. */
  private finishRank(rank: number, clock: RankClock): void {
    if (!this.staggered || this.finished[rank] === 1) return;
    this.finished[rank] = 1;
    clock.idle(clock.finishData());
    const { deviceSeconds, offloadSeconds } = rankUpdate(this.p, rankParameters(this.p, this.chunks, rank), rank, true);
    clock.compute(deviceSeconds + offloadSeconds);
  }

  /** All ranks wait for the gradient norm. */
  private makespan(): number {
    let end = 0;
    for (const clock of this.clocks) end = Math.max(end, clock.finishData());
    return end;
  }

  /** The longest span of a rank that goes on alone; see `longestSpan` of the simulation. */
  private longestSpan(): number {
    let longest = 0;
    this.clocks.forEach((clock, rank) => {
      const start = this.firstStart[rank] ?? 0;
      const end = Math.max(clock.now, clock.finishSends());
      longest = Math.max(
        longest,
        end - start + lateGather(this.p, this.firstGather[rank] ?? 0, start, this.firstForward[rank] ?? 0),
      );
    });
    return longest;
  }
}

/**
 * Ranks that go on alone gather when their own step begins, not when the first rank's does: what the gather of the first weights adds to
 * a span from the first pass on, beyond what it already adds where it takes longer than the first micro-batch takes to come.
 */
export function lateGather(p: Prepared, gather: number, start: number, forward: number): number {
  if (start <= 0) return 0;
  const late = Math.max(0, gather - start - (1 - 1 / gradientPieces) * forward);
  return Math.max(0, exposedGather(p, gather, forward) - late);
}

function queueReduction(clock: RankClock, { reduceSeconds, reducePieces }: ChunkCost, pieces: number): void {
  for (let i = 0; i < pieces && reduceSeconds > 0; i++) clock.queueData(reduceSeconds / reducePieces);
}
