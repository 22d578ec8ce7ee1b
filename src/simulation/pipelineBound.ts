import type { Schedule } from '../parallelism/pipeline/schedule.js';
import { type ChunkCost, exposedPieces, gradientPieces, messageSeconds } from './chunkCost.js';
import { optimizerSeconds } from './optimizerStep.js';
import type { Prepared } from './prepare.js';

/** Passes of one chunk with everything that runs inside them. */
interface PassTimes {
  readonly forward: number;
  readonly inputGradient: number;
  readonly weightGradient: number;
}

/** One rank: its chunks in depth order, and sums over them per micro-batch. */
interface RankLoad {
  readonly chunks: readonly number[];
  readonly forward: number;
  readonly inputGradient: number;
  readonly weightGradient: number;
  /** Messages that a rank sends per micro-batch. */
  readonly sends: number;
}

/** The rank whose bound is the longest, and what its step is made of. */
export interface PipelineBound {
  readonly rank: number;
  /** From the first task to the last, or the rank's own span in a staggered schedule. */
  readonly seconds: number;
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
export function pipelineBound(p: Prepared, chunks: readonly ChunkCost[], schedule: Schedule): PipelineBound {
  return new BoundBuilder(p, chunks, schedule).longest();
}

class BoundBuilder {
  private readonly passes: readonly PassTimes[];
  private readonly ranks: readonly RankLoad[];
  private readonly send: number;
  private readonly blocking: number;
  private readonly stages: number;
  private readonly perRank: number;
  private readonly m: number;

  constructor(
    private readonly p: Prepared,
    private readonly chunks: readonly ChunkCost[],
    private readonly schedule: Schedule,
  ) {
    this.stages = p.degrees.pipelineParallel;
    this.perRank = chunks.length / this.stages;
    this.m = p.degrees.microBatches;
    this.send = this.stages > 1 ? messageSeconds(p) : 0;
    this.blocking = p.strategy.overlapPipelineSend ? 0 : this.send;
    this.passes = chunks.map((c) => ({
      forward: c.cost.pass.forward + c.shardedForward,
      inputGradient: c.cost.pass.inputGradient + c.shardedBackward,
      weightGradient: c.cost.pass.weightGradient,
    }));
    this.ranks = this.loads();
  }

  private loads(): RankLoad[] {
    const own: number[][] = Array.from({ length: this.stages }, () => []);
    for (const { chunk } of this.chunks) own[chunk.stage]?.push(chunk.chunk);
    return own.map((chunks) => {
      let forward = 0;
      let inputGradient = 0;
      let weightGradient = 0;
      let sends = 0;
      for (const chunk of chunks) {
        const pass = this.passes[chunk];
        if (pass === undefined) continue;
        forward += pass.forward;
        inputGradient += pass.inputGradient;
        weightGradient += pass.weightGradient;
        if (this.hops(chunk, chunk + 1)) sends++;
        if (this.hops(chunk, chunk - 1)) sends++;
      }
      return { chunks, forward, inputGradient, weightGradient, sends };
    });
  }

  /** A message goes from chunk to its neighbour: there is one, and on another rank. */
  private hops(chunk: number, neighbour: number): boolean {
    const other = this.chunks[neighbour];
    return other !== undefined && other.chunk.stage !== this.chunks[chunk]?.chunk.stage;
  }

  longest(): PipelineBound {
    let best: PipelineBound | undefined;
    for (let rank = 0; rank < this.stages; rank++) {
      const bound = this.ofRank(rank);
      if (best === undefined || bound.seconds > best.seconds) best = bound;
    }
    if (best === undefined) throw new Error('internal error: a pipeline without ranks');
    const optimizer = this.optimizer(this.schedule.staggered ? best.rank : undefined);
    return {
      ...best,
      seconds: best.seconds + optimizer.deviceSeconds + optimizer.offloadSeconds,
      optimizerSeconds: optimizer.deviceSeconds,
      offloadSeconds: optimizer.offloadSeconds,
    };
  }

  private ofRank(rank: number): PipelineBound {
    const load = this.load(rank);
    const mirrored = this.schedule.id === 'dualpipe';
    const sends = load.sends * this.blocking * this.m;
    const passes = this.m * (load.forward + load.inputGradient + load.weightGradient);
    const data = this.ownData(rank);
    if (this.schedule.staggered || mirrored) {
      const idle = this.schedule.id === 'zb-h1' ? this.idleSeconds(rank) : 0;
      const seconds = data.blocking + passes + sends + idle + data.last;
      return { rank, seconds, sendSeconds: sends, dataSeconds: data.blocking + data.last, optimizerSeconds: 0, offloadSeconds: 0 };
    }
    const fill = this.fillSeconds(rank);
    const drain = this.drainSeconds(rank);
    const first = rank === 0 ? data.first : Math.max(data.firstAlone, this.ownData(0).first + fill.passes + fill.sends);
    const after = Math.max(drain.passes + drain.sends + this.ownData(0).last, data.last);
    const seconds = first + (data.blocking - data.firstAlone) + passes + sends + this.idleSeconds(rank) + after;
    const dataSeconds = Math.min(seconds, (rank === 0 ? data.first : this.ownData(0).first) + data.blocking - data.firstAlone + this.ownData(0).last);
    return { rank, seconds, sendSeconds: sends + fill.sends + drain.sends, dataSeconds, optimizerSeconds: 0, offloadSeconds: 0 };
  }

  /** DualPipe: half of the micro-batches run through the rank's own chunk, half through its mirror image. */
  private load(rank: number): RankLoad {
    const own = this.ranks[rank];
    if (own === undefined) throw new Error('internal error: no such rank');
    const mirror = this.schedule.id === 'dualpipe' ? this.ranks[this.stages - 1 - rank] : undefined;
    if (mirror === undefined) return own;
    return {
      chunks: own.chunks,
      forward: (own.forward + mirror.forward) / 2,
      inputGradient: (own.inputGradient + mirror.inputGradient) / 2,
      weightGradient: (own.weightGradient + mirror.weightGradient) / 2,
      sends: Math.min(own.sends, mirror.sends),
    };
  }

  /** Forward passes and messages before the first micro-batch is here. */
  private fillSeconds(rank: number): { passes: number; sends: number } {
    let passes = 0;
    for (let chunk = 0; chunk < rank; chunk++) passes += this.passes[chunk]?.forward ?? 0;
    return { passes, sends: rank * this.send };
  }

  /** Backward passes of the ranks before this one, and the messages between them, after its last backward pass. */
  private drainSeconds(rank: number): { passes: number; sends: number } {
    let passes = 0;
    for (let chunk = 0; chunk < rank; chunk++) passes += this.backward(chunk);
    // The rank's own message counts among its sends where it blocks.
    const hops = this.blocking > 0 ? Math.max(0, rank - 1) : rank;
    return { passes, sends: hops * this.send };
  }

  /** A backward pass as the next rank waits for it: whole, or its input gradient where the weight gradient runs apart. */
  private backward(chunk: number): number {
    const pass = this.passes[chunk];
    if (pass === undefined) return 0;
    return pass.inputGradient + (this.schedule.splitsWeightGradient ? 0 : pass.weightGradient);
  }

  /** Forward passes of a rank before its first backward pass, beyond the first. */
  private warmUp(rank: number): number {
    const total = this.m * this.perRank;
    const behind = this.stages - 1 - rank;
    if (this.schedule.id === 'gpipe' || this.schedule.id === 'breadth-first') return total - 1;
    if (this.perRank === 1) return Math.min(this.m - 1, behind);
    if (this.m <= this.stages) return total - 1;
    return Math.min(total - 1, 2 * behind + (this.perRank - 1) * this.stages);
  }

  private idleSeconds(rank: number): number {
    if (this.stages === 1) return 0;
    const load = this.load(rank);
    const warmUp = this.warmUp(rank);
    const { forward, backward } = this.roundTrips(rank);
    const longestForward = Math.max(...load.chunks.map((c) => this.passes[c]?.forward ?? 0));
    const longestBackward = Math.max(...load.chunks.map((c) => this.wholeBackward(c)));
    const start = Math.max(0, forward - this.blocking - warmUp * (longestForward + this.blocking));
    const end = Math.max(0, backward - this.blocking - warmUp * (longestBackward + this.blocking));
    // With all forward passes first, both waits are the same one.
    const overlap = warmUp + 1 >= this.m * this.perRank;
    return overlap ? Math.max(start, end) : start + end;
  }

  private wholeBackward(chunk: number): number {
    const pass = this.passes[chunk];
    return pass === undefined ? 0 : pass.inputGradient + pass.weightGradient;
  }

  /** From the end of the rank's first forward pass to its first backward pass, and from its last forward to its last backward. */
  private roundTrips(rank: number): { forward: number; backward: number } {
    const last = this.chunks.length - 1;
    const turn = last - (this.stages - 1 - rank);
    let behind = 0;
    for (let chunk = turn + 1; chunk <= last; chunk++) behind += (this.passes[chunk]?.forward ?? 0) + this.backward(chunk) + 2 * this.send;
    let down = 0;
    let up = 0;
    for (let chunk = rank + 1; chunk <= turn; chunk++) down += (this.passes[chunk]?.forward ?? 0) + this.send;
    for (let chunk = turn; chunk > rank; chunk--) up += this.backward(chunk) + this.send;
    return { forward: down + behind, backward: up + behind };
  }

  /** Data-parallel traffic of a rank: what blocks its compute, and what is left at the ends of the step. */
  private ownData(rank: number): { first: number; firstAlone: number; blocking: number; last: number } {
    const { overlapParameterGather, overlapGradientReduce } = this.p.strategy;
    let blocking = 0;
    let firstAlone = 0;
    let first = 0;
    let last = 0;
    const own = this.load(rank).chunks;
    own.forEach((chunk, i) => {
      const cost = this.chunks[chunk];
      const pass = this.passes[chunk];
      if (cost === undefined || pass === undefined) return;
      if (overlapParameterGather) {
        if (i === 0) first = this.gatherBefore(cost.gatherSeconds, pass.forward);
      } else {
        blocking += cost.gatherSeconds;
        if (i === 0) firstAlone = cost.gatherSeconds;
      }
      // Gradients of the first chunk come last; those of the others block the rank before, unless they overlap.
      if (i > 0 && !overlapGradientReduce) blocking += cost.reduceSeconds;
      if (i === 0) last = this.reduceAfter(cost, pass);
    });
    return { first: overlapParameterGather ? first : firstAlone, firstAlone, blocking, last };
  }

  /** Weights gathered beside the first forward pass: only its last piece waits for all of them. */
  private gatherBefore(gather: number, forward: number): number {
    const hidden = Math.min(gather, (1 - 1 / gradientPieces) * forward);
    return gather - hidden + hidden * (this.p.contention - 1);
  }

  private reduceAfter(cost: ChunkCost, pass: PassTimes): number {
    if (!this.p.strategy.overlapGradientReduce) return cost.reduceSeconds;
    const beside = this.schedule.splitsWeightGradient ? pass.weightGradient : pass.inputGradient + pass.weightGradient;
    return exposedPieces(cost.reduceSeconds, beside, cost.reducePieces, this.p.contention);
  }

  /** The slowest rank's update, or one rank's own. */
  private optimizer(only: number | undefined): { deviceSeconds: number; offloadSeconds: number } {
    let worst = { totalSeconds: -1, deviceSeconds: 0, offloadSeconds: 0 };
    for (let rank = 0; rank < this.stages; rank++) {
      if (only !== undefined && rank !== only) continue;
      let dense = 0;
      let expert = 0;
      for (const chunk of this.ranks[rank]?.chunks ?? []) {
        dense += this.chunks[chunk]?.parameters.dense ?? 0;
        expert += this.chunks[chunk]?.parameters.expert ?? 0;
      }
      const seconds = optimizerSeconds(this.p, { dense, expert });
      if (seconds.totalSeconds > worst.totalSeconds) worst = seconds;
    }
    return worst;
  }
}
