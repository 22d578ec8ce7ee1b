import { invariant } from '../errors.js';
import type { RankParameters } from '../parallelism/data.js';
import { interleavedWarmUp } from '../parallelism/pipeline/interleaved.js';
import type { Schedule } from '../parallelism/pipeline/schedule.js';
import { exposedGather, exposedPieces, messageSeconds, type WorkCost } from './chunkCost.js';
import { rankUpdate } from './optimizerStep.js';
import type { Prepared } from './prepare.js';

/** The rank whose bound is the longest, and what its step is made of. */
export interface PipelineBound {
  readonly rank: number;
  /** From the first task to the last, or the rank's own span in a staggered schedule. */
  readonly seconds: number;
  /**
   * A tighter bound, with reductions that slow the passes beside them; its parts are not told apart. Without the update, where all ranks make
   * that together.
   */
  readonly slowedSeconds: number;
  readonly commonUpdateSeconds: number;
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
 * `works` are those of the kinds of chunks, `p.kinds`.
 *
 * Along a run of ranks that hold the same, fill and drain grow and waiting falls by the same from rank to rank until it is gone: the bound is largest
 * at an end of the run, and the others are not looked at.
 */
export function pipelineBound(p: Prepared, works: readonly WorkCost[], schedule: Schedule): PipelineBound {
  return new BoundBuilder(p, works, schedule).longest();
}

/** `commonUpdateSeconds` alone: how much of the states lies on the host changes nothing else of the bound. */
export function boundOfUpdate(p: Prepared, works: readonly WorkCost[], schedule: Schedule): number {
  return new BoundBuilder(p, works, schedule).commonUpdate();
}

/** No update. */
const none = { deviceSeconds: 0, offloadSeconds: 0 };

/** Passes and traffic of the chunks of one kind. */
interface KindLoad {
  readonly forward: number;
  readonly backward: number;
  readonly weight: number;
  /** What a micro-batch needs to pass on the way up: a whole backward pass, or its input gradient where weight gradients run apart. */
  readonly up: number;
  readonly dense: number;
  readonly expert: number;
  /** Of a rank's first chunk: what the gather adds, and what is left after the last backward pass. */
  readonly firstGather: number;
  readonly lastReduce: number;
  /** Of its other chunks: traffic that blocks compute before the end. */
  readonly blockingData: number;
  /** Gradients that travel beside passes, and of a first chunk's what cannot have travelled when the rank's passes end. */
  readonly besidePasses: number;
  readonly leftAtEnd: number;
}

function kindLoad(p: Prepared, schedule: Schedule, work: WorkCost): KindLoad {
  const { pass } = work.cost;
  const { gatherSeconds, reduceSeconds, reducePieces } = work;
  const { overlapParameterGather, overlapGradientReduce } = p.strategy;
  const forward = pass.forward + work.shardedForward;
  const backward = pass.inputGradient + work.shardedBackward;
  const weight = pass.weightGradient;
  // DualPipe's last pass may be a whole backward pass or a weight gradient; the longer one hides more.
  const apart = schedule.splitsWeightGradient && schedule.id !== 'dualpipe';
  const beside = (apart ? 0 : backward) + weight;
  return {
    forward,
    backward,
    weight,
    up: backward + (schedule.splitsWeightGradient ? 0 : weight),
    dense: work.parameters.dense,
    expert: work.parameters.expert,
    firstGather: exposedGather(p, gatherSeconds, forward),
    lastReduce: overlapGradientReduce
      ? exposedPieces(reduceSeconds, beside, reducePieces, p.contention)
      : reduceSeconds,
    blockingData: (overlapParameterGather ? 0 : gatherSeconds) + (overlapGradientReduce ? 0 : reduceSeconds),
    besidePasses: overlapGradientReduce ? reduceSeconds : 0,
    leftAtEnd: overlapGradientReduce
      ? reduceSeconds - (1 - 1 / reducePieces) * Math.min(reduceSeconds, backward + weight)
      : 0,
  };
}

/** What one rank does, summed over its chunks, per micro-batch; and its data-parallel traffic of the step. */
class RankLoad {
  passes = 0;
  longestForward = 0;
  longestBackward = 0;
  dense = 0;
  expert = 0;
  blockingData = 0;
  besidePasses = 0;

  constructor(
    readonly first: KindLoad,
    readonly sends: number,
  ) {
    // Gradients of the first chunk come last; those of the others block the rank before, unless they overlap.
    this.blockingData = -first.blockingData;
  }

  add(load: KindLoad, chunks: number): void {
    const backward = load.backward + load.weight;
    this.passes += chunks * (load.forward + backward);
    this.longestForward = Math.max(this.longestForward, load.forward);
    this.longestBackward = Math.max(this.longestBackward, backward);
    this.dense += chunks * load.dense;
    this.expert += chunks * load.expert;
    this.blockingData += chunks * load.blockingData;
    this.besidePasses += chunks * load.besidePasses;
  }
}

class BoundBuilder {
  private readonly loads: readonly KindLoad[];
  private readonly ranks = new Map<number, RankLoad>();
  private readonly looked: readonly number[];
  /** The longest bound with reductions that slow the passes beside them. */
  private slowed = 0;
  private readonly send: number;
  private readonly blocking: number;
  private readonly stages: number;
  private readonly chunks: number;
  private readonly perRank: number;
  private readonly m: number;

  constructor(
    private readonly p: Prepared,
    works: readonly WorkCost[],
    private readonly schedule: Schedule,
  ) {
    this.stages = p.degrees.pipelineParallel;
    this.chunks = p.chunks.length;
    this.perRank = this.chunks / this.stages;
    this.m = p.degrees.microBatches;
    this.send = this.stages > 1 ? messageSeconds(p) : 0;
    this.blocking = p.strategy.overlapPipelineSend ? 0 : this.send;
    this.loads = works.map((work) => kindLoad(p, schedule, work));
    // Ranks of DualPipe hold what their mirror images hold as well.
    this.looked = schedule.id === 'dualpipe' ? [...p.kinds.sends.keys()] : p.kinds.runEnds;
  }

  /** A rank's first chunk has the rank's own number. */
  private rankLoad(rank: number): RankLoad {
    const { onRank, sends } = this.p.kinds;
    const { loads } = this;
    const total = new RankLoad(this.ofChunk(rank), sends[rank] ?? 0);
    for (let kind = 0; kind < loads.length; kind++) {
      const chunks = onRank[rank * loads.length + kind] ?? 0;
      const load = loads[kind];
      if (chunks > 0 && load !== undefined) total.add(load, chunks);
    }
    return total;
  }

  private ofChunk(chunk: number): KindLoad {
    const load = this.loads[this.p.kinds.kindOf[chunk] ?? 0];
    invariant(load !== undefined, 'no such chunk');
    return load;
  }

  private load(rank: number): RankLoad {
    let load = this.ranks.get(rank);
    if (load === undefined) {
      load = this.rankLoad(rank);
      this.ranks.set(rank, load);
    }
    return load;
  }

  /** A micro-batch's way down through chunks `from` to `to` - 1, and its way back up, messages included. */
  private down(from: number, to: number): number {
    const { before } = this.p.kinds;
    const { loads } = this;
    const width = loads.length;
    let sum = (to - from) * this.send;
    for (let k = 0; k < width; k++)
      sum += ((before[to * width + k] ?? 0) - (before[from * width + k] ?? 0)) * (loads[k]?.forward ?? 0);
    return sum;
  }

  private up(from: number, to: number): number {
    const { before } = this.p.kinds;
    const { loads } = this;
    const width = loads.length;
    let sum = (to - from) * this.send;
    for (let k = 0; k < width; k++)
      sum += ((before[to * width + k] ?? 0) - (before[from * width + k] ?? 0)) * (loads[k]?.up ?? 0);
    return sum;
  }

  longest(): PipelineBound {
    let rank = 0;
    let seconds = -1;
    for (const i of this.looked) {
      // A rank that goes on alone takes its own update with it, so that the longest span need not have the longest passes.
      const own = this.schedule.staggered ? this.optimizer(i) : none;
      const bound = this.ofRank(i) + own.deviceSeconds + own.offloadSeconds;
      if (bound > seconds) {
        seconds = bound;
        rank = i;
      }
    }
    const slowedSeconds = Math.max(seconds, this.slowed);
    const optimizer = this.optimizer(rank);
    const commonUpdateSeconds = this.schedule.staggered ? 0 : optimizer.deviceSeconds + optimizer.offloadSeconds;
    seconds += commonUpdateSeconds;
    const load = this.load(rank);
    const hops = this.endsAlone() ? 0 : rank + Math.max(0, this.blocking > 0 ? rank - 1 : rank);
    return {
      rank,
      seconds,
      slowedSeconds,
      commonUpdateSeconds,
      sendSeconds: this.m * load.sends * this.blocking + hops * this.send,
      dataSeconds: load.blockingData + this.firstGather(rank) + this.lastReduce(rank),
      optimizerSeconds: optimizer.deviceSeconds,
      offloadSeconds: optimizer.offloadSeconds,
    };
  }

  commonUpdate(): number {
    if (this.schedule.staggered) return 0;
    const { deviceSeconds, offloadSeconds } = this.optimizer(0);
    return deviceSeconds + offloadSeconds;
  }

  /** Schedules whose bound is a rank's own span: no fill and drain of others. */
  private endsAlone(): boolean {
    return this.schedule.staggered || this.schedule.id === 'dualpipe';
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
    const { first } = this.load(0);
    // The rank's own last message counts among its sends where it blocks.
    const drain = this.up(0, rank) - (this.blocking > 0 && rank > 0 ? this.send : 0);
    const start =
      rank === 0 ? first.firstGather : Math.max(this.gatherAlone(load), first.firstGather + this.down(0, rank));
    const idle = this.idleSeconds(rank);
    const after = drain + first.lastReduce;
    const plain = start + own + idle.all + Math.max(after, rank === 0 ? 0 : load.first.lastReduce - this.blocking);
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
    const after = rank === 0 ? 0 : drain + this.load(0).first.lastReduce;
    const left = Math.max(after, load.first.leftAtEnd - (rank === 0 ? 0 : this.blocking));
    return slower * Math.max(0, load.besidePasses - left) + left;
  }

  /**
   * DualPipe: the first micro-batch comes down from the nearer end, and the gradients of the last go back there; meanwhile a rank has only the
   * weight gradients left that it postponed, as many as it is ranks away from its end.
   */
  private fromBothEnds(rank: number, own: number): number {
    const mirror = this.stages - 1 - rank;
    const fromEnd = Math.min(rank, mirror);
    const fill = Math.min(this.down(0, rank), this.down(0, mirror));
    const drain = Math.min(this.up(0, rank), this.up(0, mirror)) - (this.blocking > 0 && fromEnd > 0 ? this.send : 0);
    const postponed = (fromEnd + 1) * Math.max(this.ofChunk(rank).weight, this.ofChunk(mirror).weight);
    return this.firstGather(rank) + fill + own + Math.max(this.lastReduce(rank), drain - postponed);
  }

  /**
   * ZB-H1, the first rank's span: its first micro-batch goes down to any other rank, that one does all its passes but the weight gradients
   * that it postpones beyond its last gradient, and this gradient comes back up.
   */
  private behindSlowest(): number {
    let longest = 0;
    for (const rank of this.looked) {
      if (rank === 0) continue;
      const { sends, first } = this.load(rank);
      const weights = Math.max(0, this.m - 1 - rank) * first.weight;
      const passes = this.m * (first.forward + first.backward + sends * this.blocking) + weights;
      const way = this.down(0, rank) + this.up(0, rank) - this.blocking;
      longest = Math.max(longest, way + passes);
    }
    const { first } = this.load(0);
    return first.firstGather + longest + first.weight + first.lastReduce;
  }

  /** Gathered weights on the bound's path: the first rank's where its first micro-batch goes on to the others. */
  private firstGather(rank: number): number {
    const { firstGather } = this.load(0).first;
    if (!this.endsAlone()) return firstGather;
    if (this.schedule.id !== 'dualpipe') return this.load(rank).first.firstGather;
    // Both ends start at once; the ranks between gather while they wait.
    return rank === 0 || rank === this.stages - 1 ? firstGather : 0;
  }

  /** Reduction after the last backward pass; in DualPipe that of the rank's own chunk or of its mirror image. */
  private lastReduce(rank: number): number {
    if (!this.endsAlone()) return this.load(0).first.lastReduce;
    const own = this.load(rank).first.lastReduce;
    if (this.schedule.id !== 'dualpipe') return own;
    // The rank's last message may hide some of it.
    return Math.max(0, Math.min(own, this.load(this.stages - 1 - rank).first.lastReduce) - this.blocking);
  }

  /** A gather that blocks the rank while it waits for its first micro-batch anyway. */
  private gatherAlone({ first }: RankLoad): number {
    return this.p.strategy.overlapParameterGather ? 0 : first.firstGather;
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
    const last = this.chunks;
    const turn = last - (this.stages - rank);
    const behind = this.down(turn + 1, last) + this.up(turn + 1, last);
    const forward = this.down(rank + 1, turn + 1) + behind;
    const backward = this.up(rank + 1, turn + 1) + behind;
    const start = Math.max(0, forward - this.blocking - warmUp * (load.longestForward + this.blocking));
    const end = Math.max(0, backward - this.blocking - warmUp * (load.longestBackward + this.blocking));
    // With all forward passes first, both waits are the same one; weights and gradients of later chunks may travel meanwhile.
    const idle = warmUp + 1 >= this.m * this.perRank ? Math.max(start, end) : start + end;
    const { blockingData } = load;
    return { all: Math.max(0, idle - blockingData), beforeGradients: Math.max(0, start - blockingData) };
  }

  /** The slowest rank's update, or one rank's own where ranks go on alone. */
  private optimizer(rank: number): { deviceSeconds: number; offloadSeconds: number } {
    let most = this.held(rank);
    if (!this.schedule.staggered) {
      for (const other of this.looked) {
        const held = this.held(other);
        if (held.dense + held.expert > most.dense + most.expert) most = held;
      }
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
