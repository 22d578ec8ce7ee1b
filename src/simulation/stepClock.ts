import type { Pass, PipelineOrder } from '../parallelism/pipeline/order.js';
import type { Schedule } from '../parallelism/pipeline/schedule.js';
import { type ChunkCost, exposedGather, gradientPieces, messageSeconds, rankParameters } from './chunkCost.js';
import { RankHeap } from './engine/rankHeap.js';
import { rankUpdate } from './optimizerStep.js';
import type { Prepared } from './prepare.js';
import { RankClock } from './rankClock.js';

/** Passes that wait for what never comes: rank and the pass it is stuck at. */
export interface StuckPass {
  readonly rank: number;
  readonly pass: Pass;
}

/**
 * The time of the event simulation's step without its tasks: the same passes, messages, gathers and reductions, and the same contention,
 * rank by rank as far as each knows its inputs. Several times as fast, and little to warm up. Returns the pass at which an order locks.
 */
export function clockStep(
  p: Prepared,
  order: PipelineOrder,
  chunks: readonly ChunkCost[],
  schedule: Schedule,
): number | StuckPass {
  return new StepClock(p, order, chunks, schedule.staggered).run();
}

/** In place of a gather's number: not beside the passes. */
const onCompute = -2;

class StepClock {
  private readonly clocks: readonly RankClock[];
  /** When a pass's result is on the rank that needs it; NaN until then. Down first, then up. */
  private readonly arrivals: Float64Array;
  private readonly forwardEnd: Float64Array;
  private readonly next: Int32Array;
  private readonly firstStart: Float64Array;
  /** By rank and chunk: the gather that the first forward pass waits for, -1 for none; and gradient passes still to come. */
  private readonly gatherOf: Int32Array;
  private readonly gradientsLeft: Int32Array;
  private readonly firstGather: Float64Array;
  private readonly firstForward: Float64Array;
  private readonly send: number;
  /** Ranks that may be able to go on. */
  private readonly awake: number[] = [];
  private readonly isAwake: Uint8Array;
  private readonly finished: Uint8Array;
  private readonly arriving: RankHeap;

  constructor(
    private readonly p: Prepared,
    private readonly order: PipelineOrder,
    private readonly chunks: readonly ChunkCost[],
    private readonly staggered: boolean,
  ) {
    const slots = order.chunks * order.microBatches;
    const ranks = order.ranks.length;
    this.arrivals = new Float64Array(2 * slots).fill(Number.NaN);
    this.forwardEnd = new Float64Array(slots).fill(Number.NaN);
    this.next = new Int32Array(ranks);
    this.firstStart = new Float64Array(ranks).fill(Number.NaN);
    this.gatherOf = new Int32Array(ranks * order.chunks).fill(-1);
    this.gradientsLeft = new Int32Array(ranks * order.chunks);
    this.firstGather = new Float64Array(ranks);
    this.firstForward = new Float64Array(ranks);
    this.isAwake = new Uint8Array(ranks);
    this.finished = new Uint8Array(ranks);
    this.arriving = new RankHeap(ranks);
    this.send = ranks > 1 ? messageSeconds(p) : 0;
    this.clocks = order.ranks.map(() => new RankClock(p.contention, (message, at) => this.arrive(message, at)));
    order.ranks.forEach((passes, rank) => {
      this.prepareRank(passes, rank);
      this.wake(rank);
    });
  }

  /** Counts gradient passes, and starts the gathers that run beside passes: they wait for nothing. */
  private prepareRank(passes: readonly Pass[], rank: number): void {
    const seen = new Set<number>();
    for (const { kind, chunk } of passes) {
      const place = rank * this.order.chunks + chunk;
      if (kind === 'backward' || kind === 'weightGradient')
        this.gradientsLeft[place] = (this.gradientsLeft[place] ?? 0) + 1;
      if (kind !== 'forward' || seen.has(chunk)) continue;
      const seconds = this.chunks[chunk]?.gatherSeconds ?? 0;
      if (seen.size === 0) this.firstGather[rank] = seconds;
      seen.add(chunk);
      if (seconds <= 0) continue;
      const beside = this.p.strategy.overlapParameterGather;
      this.gatherOf[place] = beside ? (this.clocks[rank]?.queueData(seconds) ?? -1) : onCompute;
    }
  }

  run(): number | StuckPass {
    do {
      for (let rank = this.awake.pop(); rank !== undefined; rank = this.awake.pop()) {
        this.isAwake[rank] = 0;
        while (this.advance(rank));
        this.noteArrival(rank);
      }
    } while (this.nextMessage());
    for (let rank = 0; rank < this.order.ranks.length; rank++) {
      const pass = this.order.ranks[rank]?.[this.next[rank] ?? 0];
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
    const slot = message >> 1;
    const chunk = Math.floor(slot / this.order.microBatches);
    this.wake(this.order.rankOf(chunk + ((message & 1) === 0 ? 1 : -1), slot - chunk * this.order.microBatches));
  }

  private wake(rank: number): void {
    if (this.isAwake[rank] === 1) return;
    this.isAwake[rank] = 1;
    this.awake.push(rank);
  }

  /** Runs the rank's next task if all it needs is known; false where it has to wait. */
  private advance(rank: number): boolean {
    const passes = this.order.ranks[rank];
    const clock = this.clocks[rank];
    const at = this.next[rank] ?? 0;
    const first = passes?.[at];
    if (clock === undefined) return false;
    if (first === undefined) {
      this.finishRank(rank, clock);
      return false;
    }
    const second = first.together === true ? passes?.[at + 1] : undefined;
    let gather = this.gatherBefore(rank, first, clock);
    let ready = this.readyAt(first);
    let seconds = this.seconds(first);
    if (second !== undefined) {
      gather = Math.max(gather, this.gatherBefore(rank, second, clock));
      ready = Math.max(ready, this.readyAt(second));
      seconds += this.seconds(second);
    }
    if (Number.isNaN(ready)) return false;
    this.next[rank] = at + (second === undefined ? 1 : 2);
    if (gather >= 0) {
      this.gatherOf[rank * this.order.chunks + first.chunk] = -1;
      if (second !== undefined) this.gatherOf[rank * this.order.chunks + second.chunk] = -1;
    }
    clock.idle(ready);
    this.noteStart(rank, first, clock);
    const ended = this.endsGradients(rank, first) ? this.chunks[first.chunk] : undefined;
    const endedToo = second !== undefined && this.endsGradients(rank, second) ? this.chunks[second.chunk] : undefined;
    const { overlapGradientReduce } = this.p.strategy;
    if (overlapGradientReduce) this.compute(clock, seconds, gather, ended, endedToo);
    else this.compute(clock, seconds, gather, undefined, undefined);
    this.finish(first, rank, clock);
    if (second !== undefined) this.finish(second, rank, clock);
    if (!overlapGradientReduce) clock.compute((ended?.reduceSeconds ?? 0) + (endedToo?.reduceSeconds ?? 0));
    return true;
  }

  private noteStart(rank: number, { chunk }: Pass, clock: RankClock): void {
    if (!Number.isNaN(this.firstStart[rank])) return;
    const cost = this.chunks[chunk];
    this.firstStart[rank] = clock.now;
    this.firstForward[rank] = (cost?.cost.pass.forward ?? 0) + (cost?.shardedForward ?? 0);
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

  private slot(microBatch: number, chunk: number): number {
    return chunk * this.order.microBatches + microBatch;
  }

  private readyAt({ kind, microBatch, chunk }: Pass): number {
    if (kind === 'weightGradient') return 0;
    if (kind === 'forward') return chunk === 0 ? 0 : (this.arrivals[2 * this.slot(microBatch, chunk - 1)] ?? 0);
    const own = this.forwardEnd[this.slot(microBatch, chunk)] ?? 0;
    if (chunk === this.order.chunks - 1) return own;
    return Math.max(own, this.arrivals[2 * this.slot(microBatch, chunk + 1) + 1] ?? 0);
  }

  private seconds({ kind, chunk }: Pass): number {
    const cost = this.chunks[chunk];
    if (cost === undefined) return 0;
    const { forward, inputGradient, weightGradient } = cost.cost.pass;
    if (kind === 'forward') return forward + cost.shardedForward;
    if (kind === 'weightGradient') return weightGradient;
    return inputGradient + cost.shardedBackward + (kind === 'backward' ? weightGradient : 0);
  }

  /**
   * Weights of a chunk before its first pass on the rank: the traffic to wait for, or time of the rank's own, which it spends while it waits
   * for its inputs.
   */
  private gatherBefore(rank: number, { kind, chunk }: Pass, clock: RankClock): number {
    if (kind !== 'forward') return -1;
    const place = rank * this.order.chunks + chunk;
    const gather = this.gatherOf[place] ?? -1;
    if (gather !== onCompute) return gather;
    this.gatherOf[place] = -1;
    clock.compute(this.chunks[chunk]?.gatherSeconds ?? 0);
    return -1;
  }

  /** Whether this is the rank's last gradient pass of the chunk. */
  private endsGradients(rank: number, { kind, chunk }: Pass): boolean {
    if (kind !== 'backward' && kind !== 'weightGradient') return false;
    const place = rank * this.order.chunks + chunk;
    const left = (this.gradientsLeft[place] ?? 0) - 1;
    this.gradientsLeft[place] = left;
    return left === 0;
  }

  /** The result goes to the neighbouring chunk: at once on the same rank, else as a message beside the next passes or before them. */
  private finish({ kind, microBatch, chunk }: Pass, rank: number, clock: RankClock): void {
    if (kind === 'weightGradient') return;
    const down = kind === 'forward';
    const slot = this.slot(microBatch, chunk);
    if (down) this.forwardEnd[slot] = clock.now;
    const target = chunk + (down ? 1 : -1);
    if (target < 0 || target >= this.order.chunks) return;
    const message = 2 * slot + (down ? 0 : 1);
    const hops = this.order.rankOf(target, microBatch) !== rank;
    if (hops && this.p.strategy.overlapPipelineSend) {
      clock.queueSend(this.send, message);
      return;
    }
    if (hops) clock.compute(this.send);
    this.arrive(message, clock.now);
  }

  /** A rank that goes on alone updates its weights as soon as its own gradients are reduced. */
  private finishRank(rank: number, clock: RankClock): void {
    if (!this.staggered || this.finished[rank] === 1) return;
    this.finished[rank] = 1;
    clock.idle(clock.finishData());
    clock.compute(this.optimizer(rank));
  }

  private optimizer(rank: number): number {
    const parameters = rankParameters(this.p, this.chunks, rank);
    const { deviceSeconds, offloadSeconds } = rankUpdate(this.p, parameters, rank, this.staggered);
    return deviceSeconds + offloadSeconds;
  }

  /** All ranks wait for the gradient norm. */
  private makespan(): number {
    let end = 0;
    let optimizer = 0;
    this.clocks.forEach((clock, rank) => {
      end = Math.max(end, clock.finishData());
      optimizer = Math.max(optimizer, this.optimizer(rank));
    });
    return end + optimizer;
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
