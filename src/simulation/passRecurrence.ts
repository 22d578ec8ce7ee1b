import type { Pass, PipelineOrder } from '../parallelism/pipeline/order.js';
import type { Schedule } from '../parallelism/pipeline/schedule.js';
import { type ChunkCost, exposedGather, exposedPieces, messageSeconds, rankParameters } from './chunkCost.js';
import { optimizerSeconds } from './optimizerStep.js';
import type { Prepared } from './prepare.js';

/**
 * A step pass by pass: every pass starts when its rank is free and what it needs has arrived. The same passes and messages as the event
 * simulation without its contention between streams, in a few milliseconds also for thousands of passes; a lower bound, too,
 * and a tighter one than sums over ranks can be.
 */
export function passRecurrence(
  p: Prepared,
  order: PipelineOrder,
  chunks: readonly ChunkCost[],
  schedule: Schedule,
): number {
  return new Recurrence(p, order, chunks).run(schedule.staggered);
}

class Recurrence {
  /** When a pass's result is at the rank that needs it; NaN until then. */
  private readonly forwardArrival: Float64Array;
  private readonly backwardArrival: Float64Array;
  private readonly forwardEnd: Float64Array;
  private readonly next: Int32Array;
  private readonly time: Float64Array;
  private readonly firstStart: Float64Array;
  private readonly gathered: Uint8Array;
  private readonly gradientsLeft: Int32Array;
  /** When the gradients that are reduced beside a rank's last passes are there. */
  private readonly reduced: Float64Array;
  private readonly send: number;
  private readonly blocking: number;

  constructor(
    private readonly p: Prepared,
    private readonly order: PipelineOrder,
    private readonly chunks: readonly ChunkCost[],
  ) {
    const slots = order.chunks * order.microBatches;
    const ranks = order.ranks.length;
    this.forwardArrival = new Float64Array(slots).fill(Number.NaN);
    this.backwardArrival = new Float64Array(slots).fill(Number.NaN);
    this.forwardEnd = new Float64Array(slots).fill(Number.NaN);
    this.next = new Int32Array(ranks);
    this.time = new Float64Array(ranks);
    this.firstStart = new Float64Array(ranks).fill(Number.NaN);
    this.gathered = new Uint8Array(ranks * order.chunks);
    this.gradientsLeft = new Int32Array(ranks * order.chunks);
    this.reduced = new Float64Array(ranks);
    this.send = ranks > 1 ? messageSeconds(p) : 0;
    this.blocking = p.strategy.overlapPipelineSend ? 0 : this.send;
    this.countGradients();
  }

  private countGradients(): void {
    this.order.ranks.forEach((passes, rank) => {
      for (const pass of passes) {
        if (pass.kind !== 'backward' && pass.kind !== 'weightGradient') continue;
        const place = rank * this.order.chunks + pass.chunk;
        this.gradientsLeft[place] = (this.gradientsLeft[place] ?? 0) + 1;
      }
    });
  }

  run(staggered: boolean): number {
    const ranks = this.order.ranks.length;
    for (let moved = true; moved; ) {
      moved = false;
      for (let rank = 0; rank < ranks; rank++) while (this.advance(rank)) moved = true;
    }
    let end = 0;
    let optimizer = 0;
    for (let rank = 0; rank < ranks; rank++) {
      const own = this.optimizer(rank);
      const done = Math.max(this.time[rank] ?? 0, this.reduced[rank] ?? 0);
      if (staggered) end = Math.max(end, done + own - (this.firstStart[rank] || 0));
      else end = Math.max(end, done);
      optimizer = Math.max(optimizer, own);
    }
    return staggered ? end : end + optimizer;
  }

  /** Runs the rank's next task if all it needs is known; false where it has to wait for another rank. */
  private advance(rank: number): boolean {
    const passes = this.order.ranks[rank] ?? [];
    const at = this.next[rank] ?? 0;
    const first = passes[at];
    if (first === undefined) return false;
    const second = first.together === true ? passes[at + 1] : undefined;
    const ready = Math.max(this.readyAt(first), second === undefined ? 0 : this.readyAt(second));
    // An order that waits for ever is found by the engine; here the rank just stops.
    if (Number.isNaN(ready)) return false;
    const seconds = this.seconds(first) + (second === undefined ? 0 : this.seconds(second));
    // Weights travel while the rank waits for its micro-batch.
    const gather = this.dataBefore(rank, first) + (second === undefined ? 0 : this.dataBefore(rank, second));
    const start = Math.max(ready, (this.time[rank] ?? 0) + gather);
    // A rank that goes on alone gathers right before its first pass, at the latest.
    if (Number.isNaN(this.firstStart[rank])) this.firstStart[rank] = start - this.gatherShown(first);
    let now = start + seconds;
    now = this.finish(first, now);
    if (second !== undefined) now = this.finish(second, now);
    const end = start + seconds;
    now += this.dataAfter(rank, first, end) + (second === undefined ? 0 : this.dataAfter(rank, second, end));
    this.time[rank] = now;
    this.next[rank] = at + (second === undefined ? 1 : 2);
    return true;
  }

  private slot(pass: Pass, chunk: number): number {
    return chunk * this.order.microBatches + pass.microBatch;
  }

  private readyAt(pass: Pass): number {
    if (pass.kind === 'weightGradient') return 0;
    if (pass.kind === 'forward')
      return pass.chunk === 0 ? 0 : (this.forwardArrival[this.slot(pass, pass.chunk - 1)] ?? 0);
    const own = this.forwardEnd[this.slot(pass, pass.chunk)] ?? 0;
    const last = pass.chunk === this.order.chunks - 1;
    return last ? own : Math.max(own, this.backwardArrival[this.slot(pass, pass.chunk + 1)] ?? 0);
  }

  private seconds(pass: Pass): number {
    const cost = this.chunks[pass.chunk];
    if (cost === undefined) return 0;
    const { forward, inputGradient, weightGradient } = cost.cost.pass;
    if (pass.kind === 'forward') return forward + cost.shardedForward;
    if (pass.kind === 'weightGradient') return weightGradient;
    return inputGradient + cost.shardedBackward + (pass.kind === 'backward' ? weightGradient : 0);
  }

  /** Notes when the result arrives, and returns when the rank is free: after its message where that blocks. */
  private finish(pass: Pass, now: number): number {
    if (pass.kind === 'weightGradient') return now;
    const down = pass.kind === 'forward';
    const slot = this.slot(pass, pass.chunk);
    const target = pass.chunk + (down ? 1 : -1);
    const inside = target >= 0 && target < this.order.chunks;
    const { rankOf } = this.order;
    const hop = inside && rankOf(target, pass.microBatch) !== rankOf(pass.chunk, pass.microBatch);
    if (down) this.forwardEnd[slot] = now;
    (down ? this.forwardArrival : this.backwardArrival)[slot] = now + (hop ? this.send : 0);
    return now + (hop ? this.blocking : 0);
  }

  /** Weights of a chunk before its first pass on the rank, as far as they show. */
  private dataBefore(rank: number, pass: Pass): number {
    const place = rank * this.order.chunks + pass.chunk;
    const cost = this.chunks[pass.chunk];
    if (pass.kind !== 'forward' || cost === undefined || this.gathered[place] === 1) return 0;
    this.gathered[place] = 1;
    if (!this.p.strategy.overlapParameterGather) return cost.gatherSeconds;
    // Later chunks are gathered beside earlier ones' passes, deeper ones while the rank waits.
    if (!Number.isNaN(this.firstStart[rank]) || pass.chunk > 0) return 0;
    return this.gatherShown(pass);
  }

  private gatherShown(pass: Pass): number {
    return exposedGather(this.p, this.chunks[pass.chunk]?.gatherSeconds ?? 0, this.seconds(pass));
  }

  /** Gradients of a chunk after its last gradient pass; where they overlap, only those of the rank's last chunk show. */
  private dataAfter(rank: number, pass: Pass, end: number): number {
    const place = rank * this.order.chunks + pass.chunk;
    const cost = this.chunks[pass.chunk];
    if (cost === undefined || (pass.kind !== 'backward' && pass.kind !== 'weightGradient')) return 0;
    const left = (this.gradientsLeft[place] ?? 0) - 1;
    this.gradientsLeft[place] = left;
    if (left > 0) return 0;
    if (!this.p.strategy.overlapGradientReduce) return cost.reduceSeconds;
    const { contention } = this.p;
    this.reduced[rank] = end + exposedPieces(cost.reduceSeconds, this.seconds(pass), cost.reducePieces, contention);
    return 0;
  }

  private optimizer(rank: number): number {
    const { deviceSeconds, offloadSeconds } = optimizerSeconds(this.p, rankParameters(this.p, this.chunks, rank));
    return deviceSeconds + offloadSeconds;
  }
}
