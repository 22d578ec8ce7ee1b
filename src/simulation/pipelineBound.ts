import type { RankParameters } from '../parallelism/data.js';
import { interleavedWarmUp } from '../parallelism/pipeline/interleaved.js';
import type { Schedule } from '../parallelism/pipeline/schedule.js';
import type { Chunk } from '../parallelism/stages.js';
import { exposedGather, exposedPieces, messageSeconds, type WorkCost } from './chunkCost.js';
import { rankUpdate } from './optimizerStep.js';
import type { Prepared } from './prepare.js';

/** The rank whose bound is the longest, and what its step is made of. */
export interface PipelineBound {
  readonly rank: number;
  /** From the first task to the last, or the rank's own span in a staggered schedule. */
  readonly seconds: number;
  /** A tighter bound, with reductions that slow the passes beside them; its parts are not told apart. */
  readonly slowedSeconds: number;
  /** Messages on the bound's path: the rank's own where they block it, and those of the fill and drain. */
  readonly sendSeconds: number;
  /** Gathers and reductions on the path. */
  readonly dataSeconds: number;
  readonly optimizerSeconds: number;
  readonly offloadSeconds: number;
}

/**
 * A time that no execution of the schedule's order can beat, for the event simulation's own passes and messages.
 *
 * For rank i: the first micro-batch must come down to it, the rank must do all its passes, and the last gradient must go back up:
 * sum of forward passes before i + m x (own passes) + sum of backward passes before i. The rank also idles where it must: its first
 * backward pass waits for the way down and back through the ranks behind it, while the order gives it only so many forward passes
 * to do; and its last backward pass likewise. The bound is the largest over the ranks, exact for uniform stages.
 */
export function pipelineBound(
  p: Prepared,
  chunks: readonly Chunk[],
  works: readonly WorkCost[],
  schedule: Schedule,
): PipelineBound {
  return new BoundBuilder(p, chunks, works, schedule).longest();
}

/** No update. */
const none = { deviceSeconds: 0, offloadSeconds: 0 };

/** What one rank does, summed over its chunks, per micro-batch; and its data-parallel traffic of the step. */
class RankLoad {
  passes = 0;
  sends = 0;
  longestForward = 0;
  longestBackward = 0;
  dense = 0;
  expert = 0;
  /** Traffic that blocks compute before the end. */
  blockingData = 0;
  /** What the first gather adds, and what is left after the last backward pass. */
  firstGather = 0;
  lastReduce = 0;
  /** Gradients that travel beside passes: all of them, and what cannot have travelled when the rank's passes end. */
  besidePasses = 0;
  leftAtEnd = 0;
  private first = true;

  constructor(private readonly builder: BoundBuilder) {}

  add(chunk: number, work: WorkCost): void {
    const { forward, backward, weight } = this.builder;
    const f = forward[chunk] ?? 0;
    const b = (backward[chunk] ?? 0) + (weight[chunk] ?? 0);
    this.passes += f + b;
    this.longestForward = Math.max(this.longestForward, f);
    this.longestBackward = Math.max(this.longestBackward, b);
    this.dense += work.parameters.dense;
    this.expert += work.parameters.expert;
    const { overlapParameterGather, overlapGradientReduce } = this.builder.p.strategy;
    if (overlapGradientReduce) {
      this.besidePasses += work.reduceSeconds;
      if (this.first)
        this.leftAtEnd = work.reduceSeconds - (1 - 1 / work.reducePieces) * Math.min(work.reduceSeconds, b);
    }
    if (this.first) {
      this.firstGather = exposedGather(this.builder.p, work.gatherSeconds, f);
      this.lastReduce = overlapGradientReduce ? this.reduceAfter(work, chunk) : work.reduceSeconds;
    } else {
      // Gradients of the first chunk come last; those of the others block the rank before, unless they overlap.
      if (!overlapParameterGather) this.blockingData += work.gatherSeconds;
      if (!overlapGradientReduce) this.blockingData += work.reduceSeconds;
    }
    this.first = false;
  }

  private reduceAfter(work: WorkCost, chunk: number): number {
    const { schedule, backward, weight, p } = this.builder;
    // DualPipe's last pass may be a whole backward pass or a weight gradient; the longer one hides more.
    const apart = schedule.splitsWeightGradient && schedule.id !== 'dualpipe';
    const beside = (apart ? 0 : (backward[chunk] ?? 0)) + (weight[chunk] ?? 0);
    return exposedPieces(work.reduceSeconds, beside, work.reducePieces, p.contention);
  }
}

class BoundBuilder {
  /** Passes of every chunk, with what is exposed inside them. */
  readonly forward: Float64Array;
  readonly backward: Float64Array;
  readonly weight: Float64Array;
  /** Sums over the chunks before one, messages included: on the way down, and on the way up. */
  private readonly down: Float64Array;
  private readonly up: Float64Array;
  private readonly ranks: RankLoad[] = [];
  /** The longest bound with reductions that slow the passes beside them. */
  private slowed = 0;
  private readonly send: number;
  private readonly blocking: number;
  private readonly stages: number;
  private readonly perRank: number;
  private readonly m: number;

  constructor(
    readonly p: Prepared,
    private readonly chunks: readonly Chunk[],
    works: readonly WorkCost[],
    readonly schedule: Schedule,
  ) {
    const n = chunks.length;
    this.stages = p.degrees.pipelineParallel;
    this.perRank = n / this.stages;
    this.m = p.degrees.microBatches;
    this.send = this.stages > 1 ? messageSeconds(p) : 0;
    this.blocking = p.strategy.overlapPipelineSend ? 0 : this.send;
    this.forward = new Float64Array(n);
    this.backward = new Float64Array(n);
    this.weight = new Float64Array(n);
    this.down = new Float64Array(n + 1);
    this.up = new Float64Array(n + 1);
    for (let rank = 0; rank < this.stages; rank++) this.ranks.push(new RankLoad(this));
    this.sumUp(works);
  }

  private sumUp(works: readonly WorkCost[]): void {
    const { schedule, send } = this;
    for (let chunk = 0; chunk < works.length; chunk++) {
      const work = works[chunk];
      const place = this.chunks[chunk];
      if (work === undefined || place === undefined) continue;
      const pass = work.cost.pass;
      const f = pass.forward + work.shardedForward;
      const b = pass.inputGradient + work.shardedBackward;
      const w = pass.weightGradient;
      this.forward[chunk] = f;
      this.backward[chunk] = b;
      this.weight[chunk] = w;
      this.down[chunk + 1] = (this.down[chunk] ?? 0) + f + send;
      // The next rank waits for the whole backward pass, or its input gradient where the weight gradient runs apart.
      this.up[chunk + 1] = (this.up[chunk] ?? 0) + b + (schedule.splitsWeightGradient ? 0 : w) + send;
      const rank = this.ranks[place.stage];
      if (rank === undefined) continue;
      rank.add(chunk, work);
      if (this.hops(place, chunk + 1)) rank.sends++;
      if (this.hops(place, chunk - 1)) rank.sends++;
    }
  }

  /** A message goes from a chunk to its neighbour: there is one, and on another rank. */
  private hops(place: Chunk, neighbour: number): boolean {
    const other = this.chunks[neighbour];
    return other !== undefined && other.stage !== place.stage;
  }

  longest(): PipelineBound {
    let rank = 0;
    let seconds = -1;
    for (let i = 0; i < this.stages; i++) {
      // A rank that goes on alone takes its own update with it, so that the longest span need not have the longest passes.
      const own = this.schedule.staggered ? this.optimizer(i) : none;
      const bound = this.ofRank(i) + own.deviceSeconds + own.offloadSeconds;
      if (bound > seconds) {
        seconds = bound;
        rank = i;
      }
    }
    let slowedSeconds = Math.max(seconds, this.slowed);
    const optimizer = this.optimizer(rank);
    if (!this.schedule.staggered) {
      seconds += optimizer.deviceSeconds + optimizer.offloadSeconds;
      slowedSeconds += optimizer.deviceSeconds + optimizer.offloadSeconds;
    }
    const load = this.load(rank);
    const hops = this.endsAlone() ? 0 : rank + Math.max(0, this.blocking > 0 ? rank - 1 : rank);
    return {
      rank,
      seconds,
      slowedSeconds,
      sendSeconds: this.m * load.sends * this.blocking + hops * this.send,
      dataSeconds: load.blockingData + this.firstGather(rank) + this.lastReduce(rank),
      optimizerSeconds: optimizer.deviceSeconds,
      offloadSeconds: optimizer.offloadSeconds,
    };
  }

  /** Schedules whose bound is a rank's own span: no fill and drain of others. */
  private endsAlone(): boolean {
    return this.schedule.staggered || this.schedule.id === 'dualpipe';
  }

  private load(rank: number): RankLoad {
    const load = this.ranks[rank];
    if (load === undefined) throw new Error('internal error: no such rank');
    return load;
  }

  private ofRank(rank: number): number {
    const load = this.load(rank);
    const own = this.m * (this.passSeconds(rank) + load.sends * this.blocking) + load.blockingData;
    if (this.schedule.id === 'dualpipe') return this.fromBothEnds(rank, own);
    if (this.endsAlone()) {
      const idle = this.schedule.id === 'zb-h1' ? this.idleSeconds(rank).all : 0;
      const alone = this.firstGather(rank) + own + idle + this.lastReduce(rank);
      return rank === 0 && this.schedule.id === 'zb-h1' ? Math.max(alone, this.behindSlowest()) : alone;
    }
    const first = this.load(0);
    const fill = this.down[rank] ?? 0;
    // The rank's own last message counts among its sends where it blocks.
    const drain = (this.up[rank] ?? 0) - (this.blocking > 0 && rank > 0 ? this.send : 0);
    const start = rank === 0 ? first.firstGather : Math.max(this.gatherAlone(load), first.firstGather + fill);
    const idle = this.idleSeconds(rank);
    const after = drain + first.lastReduce;
    const plain = start + own + idle.all + Math.max(after, rank === 0 ? 0 : load.lastReduce - this.blocking);
    this.slowed = Math.max(this.slowed, start + own + idle.beforeGradients + this.besideReductions(rank, drain));
    return plain;
  }

  /**
   * What reductions beside passes add, and what follows the rank's passes. Of R seconds of traffic, L are left when the passes end, at least
   * what the last bucket holds; the rest runs beside passes, which it slows by the contention c, or beside a rank that waits, which costs more
   * than that (c - 1 <= 1). The step ends no earlier than L after the passes, and no earlier than the gradient reaches the first rank and is
   * reduced there: (c - 1) (R - L) + max(L, drain) is least where both are equal. It starts with the first gradients, after the
   * wait for them.
   */
  private besideReductions(rank: number, drain: number): number {
    const load = this.load(rank);
    const slower = Math.min(1, Math.max(0, this.p.contention - 1));
    const after = rank === 0 ? 0 : drain + this.load(0).lastReduce;
    const left = Math.max(after, load.leftAtEnd - (rank === 0 ? 0 : this.blocking));
    return slower * Math.max(0, load.besidePasses - left) + left;
  }

  /**
   * DualPipe: the first micro-batch comes down from the nearer end, and the gradients of the last go back there; meanwhile a rank has only the
   * weight gradients left that it postponed, as many as it is ranks away from its end.
   */
  private fromBothEnds(rank: number, own: number): number {
    const mirror = this.stages - 1 - rank;
    const fromEnd = Math.min(rank, mirror);
    const fill = Math.min(this.down[rank] ?? 0, this.down[mirror] ?? 0);
    const drain =
      Math.min(this.up[rank] ?? 0, this.up[mirror] ?? 0) - (this.blocking > 0 && fromEnd > 0 ? this.send : 0);
    const postponed = (fromEnd + 1) * Math.max(this.weight[rank] ?? 0, this.weight[mirror] ?? 0);
    return this.firstGather(rank) + fill + own + Math.max(this.lastReduce(rank), drain - postponed);
  }

  /**
   * ZB-H1, the first rank's span: its first micro-batch goes down to any other rank, that one does all its passes but the weight gradients
   * that it postpones beyond its last gradient, and this gradient comes back up.
   */
  private behindSlowest(): number {
    let longest = 0;
    for (let rank = 1; rank < this.stages; rank++) {
      const { sends } = this.load(rank);
      const weights = Math.max(0, this.m - 1 - rank) * (this.weight[rank] ?? 0);
      const passes =
        this.m * ((this.forward[rank] ?? 0) + (this.backward[rank] ?? 0) + sends * this.blocking) + weights;
      const way = (this.down[rank] ?? 0) + (this.up[rank] ?? 0) - this.blocking;
      longest = Math.max(longest, way + passes);
    }
    const first = this.load(0);
    return first.firstGather + longest + (this.weight[0] ?? 0) + first.lastReduce;
  }

  /** Gathered weights on the bound's path: the first rank's where its first micro-batch goes on to the others. */
  private firstGather(rank: number): number {
    if (!this.endsAlone()) return this.load(0).firstGather;
    if (this.schedule.id !== 'dualpipe') return this.load(rank).firstGather;
    // Both ends start at once; the ranks between gather while they wait.
    return rank === 0 || rank === this.stages - 1 ? this.load(0).firstGather : 0;
  }

  /** Reduction after the last backward pass; in DualPipe that of the rank's own chunk or of its mirror image. */
  private lastReduce(rank: number): number {
    if (!this.endsAlone()) return this.load(0).lastReduce;
    const own = this.load(rank).lastReduce;
    if (this.schedule.id !== 'dualpipe') return own;
    // The rank's last message may hide some of it.
    return Math.max(0, Math.min(own, this.load(this.stages - 1 - rank).lastReduce) - this.blocking);
  }

  /** A gather that blocks the rank while it waits for its first micro-batch anyway. */
  private gatherAlone(load: RankLoad): number {
    return this.p.strategy.overlapParameterGather ? 0 : load.firstGather;
  }

  /** DualPipe: half of the micro-batches run through the rank's own chunk, half through its mirror image. */
  private passSeconds(rank: number): number {
    const own = this.load(rank).passes;
    return this.schedule.id === 'dualpipe' ? (own + this.load(this.stages - 1 - rank).passes) / 2 : own;
  }

  /** Forward passes of a rank before its first backward pass, beyond the first. */
  private warmUp(rank: number): number {
    const total = this.m * this.perRank;
    const behind = this.stages - 1 - rank;
    if (this.schedule.id === 'gpipe' || this.schedule.id === 'breadth-first') return total - 1;
    if (!this.schedule.chunked) return Math.min(this.m - 1, behind);
    return Math.min(total - 1, interleavedWarmUp(rank, this.stages, this.m, this.perRank));
  }

  /**
   * Waiting that the order forces on a rank: from its first forward pass to its first backward pass the micro-batch travels down to
   * the last chunk and back, and the rank has only its warm-up to do; from its last forward to its last backward pass likewise.
   */
  private idleSeconds(rank: number): { all: number; beforeGradients: number } {
    if (this.stages === 1) return { all: 0, beforeGradients: 0 };
    const load = this.load(rank);
    const warmUp = this.warmUp(rank);
    const last = this.chunks.length;
    const turn = last - (this.stages - rank);
    const behind = this.between(this.down, turn + 1, last) + this.between(this.up, turn + 1, last);
    const forward = this.between(this.down, rank + 1, turn + 1) + behind;
    const backward = this.between(this.up, rank + 1, turn + 1) + behind;
    const start = Math.max(0, forward - this.blocking - warmUp * (load.longestForward + this.blocking));
    const end = Math.max(0, backward - this.blocking - warmUp * (load.longestBackward + this.blocking));
    // With all forward passes first, both waits are the same one; weights and gradients of later chunks may travel meanwhile.
    const idle = warmUp + 1 >= this.m * this.perRank ? Math.max(start, end) : start + end;
    const { blockingData } = load;
    return { all: Math.max(0, idle - blockingData), beforeGradients: Math.max(0, start - blockingData) };
  }

  private between(sums: Float64Array, from: number, to: number): number {
    return (sums[to] ?? 0) - (sums[from] ?? 0);
  }

  /** The slowest rank's update, or one rank's own where ranks go on alone. */
  private optimizer(rank: number): { deviceSeconds: number; offloadSeconds: number } {
    let most = this.held(rank);
    for (let other = 0; other < this.stages && !this.schedule.staggered; other++) {
      const held = this.held(other);
      if (held.dense + held.expert > most.dense + most.expert) most = held;
    }
    return rankUpdate(this.p, most, rank, this.schedule.staggered);
  }

  /** Parameters on a rank: with DualPipe those of its mirror image as well. */
  private held(rank: number): RankParameters {
    const own = this.load(rank);
    if (this.schedule.id !== 'dualpipe') return own;
    const mirror = this.load(this.stages - 1 - rank);
    return { dense: own.dense + mirror.dense, expert: own.expert + mirror.expert };
  }
}
