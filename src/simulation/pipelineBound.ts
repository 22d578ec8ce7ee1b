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
  /** Passes that DualPipe's order does not join with others: nothing hides their token exchange. */
  readonly aloneForward: number;
  readonly aloneBackward: number;
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
  const { pass, unjoined } = work.cost;
  const { gatherSeconds, reduceSeconds, reducePieces } = work;
  const { overlapParameterGather, overlapGradientReduce } = p.strategy;
  const forward = pass.forward;
  const backward = pass.inputGradient;
  const weight = pass.weightGradient;
  // DualPipe's last pass may be a whole backward pass or a weight gradient; the longer one hides more.
  const apart = schedule.splitsWeightGradient && schedule.id !== 'dualpipe';
  const beside = (apart ? 0 : backward) + weight;
  return {
    forward,
    backward,
    weight,
    aloneForward: forward + unjoined.forward,
    aloneBackward: backward + unjoined.backward,
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
    // All ranks share these waits; the rank with the most work stands for them.
    if (this.schedule.id === 'breadth-first' && this.stages > 1) seconds = Math.max(seconds, this.chunkByChunk());
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
      const alone = this.firstGather(rank) + own + idle + this.slowedBySends(load.sends, idle) + this.lastReduce(rank);
      return rank === 0 && this.schedule.id === 'zb-h1' ? Math.max(alone, this.behindSlowest()) : alone;
    }
    const { first } = this.load(0);
    // The rank's own last message counts among its sends where it blocks.
    const drain = this.up(0, rank) - (this.blocking > 0 && rank > 0 ? this.send : 0);
    const start =
      rank === 0 ? first.firstGather : Math.max(this.gatherAlone(load), first.firstGather + this.down(0, rank));
    const idle = this.idleSeconds(rank);
    const after = drain + first.lastReduce;
    const end = Math.max(after, rank === 0 ? 0 : load.first.lastReduce - this.blocking);
    const plain = start + own + idle.all + this.slowedBySends(load.sends, idle.all) + end;
    this.slowed = Math.max(this.slowed, start + own + idle.beforeGradients + this.besideReductions(rank, drain));
    return plain;
  }

  /**
   * What a rank's messages add to its passes. All but the last are on their way while it works or waits: of S seconds, those that do not fit into
   * the time it waits run beside passes, which they slow by the contention c. Waiting longer than it must would cost more, as c - 1 < 1.
   */
  private slowedBySends(sends: number, idleSeconds: number): number {
    if (this.blocking > 0) return 0;
    const slower = Math.min(1, Math.max(0, this.p.contention - 1));
    return slower * Math.max(0, (this.m * sends - 1) * this.send - idleSeconds);
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
   * Breadth-first: a rank turns to a chunk when all micro-batches are through its chunk before, and the first has come from the neighbour; the
   * last is through no sooner than one pass after it is through there.
   */
  private chunkByChunk(): number {
    const { stages, chunks, m, send } = this;
    /** When a rank is through with what it began last. */
    const free = new Float64Array(stages);
    free[0] = this.ofChunk(0).firstGather;
    let first = 0;
    let last = 0;
    for (let i = 0; i < 2 * chunks; i++) {
      const chunk = i < chunks ? i : 2 * chunks - 1 - i;
      const { forward, backward, weight } = this.ofChunk(chunk);
      const pass = i < chunks ? forward : backward + weight;
      const hop = i === 0 || i === chunks ? 0 : send;
      const start = Math.max(free[chunk % stages] ?? 0, first + hop);
      first = start + pass;
      last = Math.max(start + m * pass, last + hop + pass);
      free[chunk % stages] = last;
    }
    return last + this.ofChunk(0).lastReduce;
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
    const sends = (this.load(rank).sends + this.load(mirror).sends) / 2;
    const waits = fromEnd === 0 ? this.roundTrips() : 0;
    const busy = own + waits + this.unjoinedSeconds(fromEnd) + this.slowedBySends(sends, waits);
    return this.firstGather(rank) + fill + busy + Math.max(this.lastReduce(rank), drain - postponed);
  }

  /** DualPipe: what passes take longer that the order does not join with others. */
  private unjoinedSeconds(fromEnd: number): number {
    const near = this.ofChunk(fromEnd);
    const far = this.ofChunk(this.stages - 1 - fromEnd);
    const inner = this.stages / 2 - fromEnd - 1;
    const most = near.aloneForward - near.forward + far.aloneBackward - far.backward;
    const less = far.aloneForward - far.forward + near.aloneBackward - near.backward;
    return (2 * inner + fromEnd + 1) * most + (inner + fromEnd + 1) * less;
  }

  /**
   * DualPipe's outermost ranks (DeepSeek-V3 report, figure 5). From the start to the rank's first backward pass, that micro-batch goes down all
   * ranks and comes back: in split backward passes on the far half, in passes joined with forward passes on the near half. From the rank's last
   * forward pass on, the micro-batch goes down in joined passes and comes back in split ones. Meanwhile the rank has only the passes that its
   * order puts there. With equal stages both together are the published bubble, (p/2 - 1)(F&B + B - 3W).
   */
  private roundTrips(): number {
    if (this.blocking > 0) return 0;
    const { stages, send } = this;
    const inner = stages / 2 - 1;
    const own = this.ofChunk(0);
    const far = this.ofChunk(stages - 1);
    let there = 2 * (stages - 1) * send + own.aloneForward;
    let back = 2 * (stages - 1) * send + own.aloneBackward + far.weight;
    for (let i = 1; i < stages; i++) {
      const at = this.ofChunk(i);
      const mirror = this.ofChunk(stages - 1 - i);
      there += at.aloneForward + (i > stages / 2 ? at.aloneBackward : mirror.forward + at.backward + at.weight);
      back += at.forward + mirror.backward + mirror.weight + at.aloneBackward;
    }
    const farWhole = far.aloneBackward + far.weight;
    const before =
      (2 * inner + 1) * own.aloneForward +
      far.aloneForward +
      inner * (farWhole + far.aloneForward) +
      (own.forward + far.backward + far.weight);
    const joined = far.forward + own.backward + own.weight;
    const after = (inner + 1) * (joined + farWhole + own.aloneBackward) + inner * Math.max(own.weight, far.weight);
    const [start, end] = [Math.max(0, there - before), Math.max(0, back - after)];
    // With the fewest micro-batches the first backward pass comes right after the last forward pass: one wait may be both.
    return this.m > 2 * stages ? start + end : Math.max(start, end);
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
