import {
  forward,
  inputGradient,
  type Pass,
  type PassLengths,
  type PipelineOrder,
  times,
  weightGradient,
} from './order.js';

/** What a greedy order is built for: which rank holds which chunk, and how much a rank may keep alive. */
export interface GreedyRequest {
  readonly stages: number;
  readonly microBatches: number;
  readonly chunks: number;
  readonly lengths: PassLengths;
  readonly rankOf: (chunk: number) => number;
  /**
   * What a free rank prefers, best first; a postponed weight gradient is run when nothing on the list is ready. Of several lists
   * the one whose longest rank takes the least time wins, the earlier one where they tie.
   */
  readonly prefer: readonly (readonly Preference[])[];
  readonly weightShare?: number;
  /** Chunk activations that a rank may keep; one that waits for its weight gradient only counts `weightShare`. */
  readonly limit: (rank: number) => number;
}

/** A pass of the rank's n-th chunk in depth order, or a weight gradient once so many are postponed. */
export type Preference =
  | { readonly pass: 'backward'; readonly local: number }
  /** `leave` keeps room for that many chunks further down, without which the order could lock itself. */
  | { readonly pass: 'forward'; readonly local: number; readonly leave: number }
  | { readonly pass: 'weight'; readonly postponed: number };

interface RankState {
  readonly passes: Pass[];
  readonly chunks: readonly number[];
  firstStart: number;
  freeAt: number;
  alive: number;
  /** Next micro-batch of each own chunk, by kind. */
  readonly forwards: number[];
  readonly backwards: number[];
  readonly pendingWeights: Pass[];
}

/**
 * List scheduling with weight gradients apart: whenever a rank is free it runs the pass it prefers of those that are ready, forward passes
 * only as far as its memory allows. Time runs on the given lengths, messages take none.
 */
export function greedyOrder(request: GreedyRequest): PipelineOrder {
  let best: GreedyBuilder | undefined;
  for (const prefer of request.prefer) {
    const builder = new GreedyBuilder(request, prefer);
    // A list may fill a rank's memory with forward passes that none of its backward passes can follow.
    if (builder.run() && (best === undefined || builder.span() < best.span())) best = builder;
  }
  if (best === undefined) throw new Error('internal error: a greedy order is stuck');
  const { microBatches, chunks, rankOf } = request;
  return { ranks: best.ranks.map(({ passes }) => passes), microBatches, chunks, rankOf };
}

function emptyRanks({ stages, chunks, rankOf }: GreedyRequest): RankState[] {
  return times(stages, (rank): RankState => {
    const own = times(chunks, (c) => c).filter((c) => rankOf(c) === rank);
    return {
      passes: [],
      chunks: own,
      firstStart: -1,
      freeAt: 0,
      alive: 0,
      forwards: own.map(() => 0),
      backwards: own.map(() => 0),
      pendingWeights: [],
    };
  });
}

class GreedyBuilder {
  private readonly forwardDone: Float64Array;
  private readonly backwardDone: Float64Array;

  private readonly weightShare: number;
  readonly ranks: readonly RankState[];

  constructor(
    private readonly request: GreedyRequest,
    private readonly prefer: readonly Preference[],
  ) {
    this.ranks = emptyRanks(request);
    this.weightShare = request.weightShare ?? 1;
    const size = request.chunks * request.microBatches;
    this.forwardDone = new Float64Array(size).fill(Number.POSITIVE_INFINITY);
    this.backwardDone = new Float64Array(size).fill(Number.POSITIVE_INFINITY);
  }

  /** False where no rank can go on. */
  run(): boolean {
    const { microBatches } = this.request;
    let left = this.ranks.reduce((sum, rank) => sum + 3 * rank.chunks.length * microBatches, 0);
    while (left > 0) {
      // The rank that can do something first; ties go to the lower rank.
      let best: { rank: RankState; index: number; start: number } | undefined;
      this.ranks.forEach((rank, index) => {
        const start = this.earliestStart(rank, index);
        if (best === undefined || start < best.start) best = { rank, index, start };
      });
      if (best === undefined || best.start === Number.POSITIVE_INFINITY) return false;
      this.step(best.rank, best.index, best.start);
      left--;
    }
    return true;
  }

  /** Time of the rank that takes longest from its first pass to its last. */
  span(): number {
    return Math.max(...this.ranks.map((rank) => rank.freeAt - Math.max(0, rank.firstStart)));
  }

  private forwardReady(rank: RankState, i: number): number {
    const chunk = rank.chunks[i] ?? 0;
    const m = rank.forwards[i] ?? this.request.microBatches;
    if (m >= this.request.microBatches) return Number.POSITIVE_INFINITY;
    return chunk === 0 ? 0 : this.at(this.forwardDone, chunk - 1, m);
  }

  private backwardReady(rank: RankState, i: number): number {
    const chunk = rank.chunks[i] ?? 0;
    const m = rank.backwards[i] ?? this.request.microBatches;
    if (m >= this.request.microBatches) return Number.POSITIVE_INFINITY;
    const own = this.at(this.forwardDone, chunk, m);
    const next = chunk === this.request.chunks - 1 ? 0 : this.at(this.backwardDone, chunk + 1, m);
    return Math.max(own, next);
  }

  private at(done: Float64Array, chunk: number, microBatch: number): number {
    return done[chunk * this.request.microBatches + microBatch] ?? Number.POSITIVE_INFINITY;
  }

  private earliestStart(rank: RankState, index: number): number {
    if (rank.pendingWeights.length > 0) return rank.freeAt;
    let ready = Number.POSITIVE_INFINITY;
    for (const preference of this.prefer) {
      if (preference.pass === 'backward') ready = Math.min(ready, this.backwardReady(rank, preference.local));
      else if (preference.pass === 'forward' && this.hasRoom(rank, index, preference.leave)) {
        ready = Math.min(ready, this.forwardReady(rank, preference.local));
      }
    }
    return Math.max(ready, rank.freeAt);
  }

  private hasRoom(rank: RankState, index: number, leave: number): boolean {
    return rank.alive + 1 <= this.request.limit(index) - leave + 1e-9;
  }

  /** Runs the preferred pass of those that are ready at `now`. */
  private step(rank: RankState, index: number, now: number): void {
    for (const preference of this.prefer) {
      if (this.isReady(preference, rank, index, now)) {
        this.runPreferred(preference, rank, now);
        return;
      }
    }
    this.runWeight(rank, now);
  }

  private isReady(preference: Preference, rank: RankState, index: number, now: number): boolean {
    if (preference.pass === 'weight') return rank.pendingWeights.length >= preference.postponed;
    if (preference.pass === 'backward') return this.backwardReady(rank, preference.local) <= now;
    return this.hasRoom(rank, index, preference.leave) && this.forwardReady(rank, preference.local) <= now;
  }

  private runPreferred(preference: Preference, rank: RankState, now: number): void {
    if (preference.pass === 'weight') this.runWeight(rank, now);
    else if (preference.pass === 'backward') this.runBackward(rank, preference.local, now);
    else this.runForward(rank, preference.local, now);
  }

  private runWeight(rank: RankState, now: number): void {
    const weight = rank.pendingWeights.shift();
    if (weight === undefined) throw new Error('internal error: a rank was chosen that has nothing to do');
    rank.passes.push(weight);
    rank.alive -= this.weightShare;
    rank.freeAt = now + this.request.lengths.weightGradient;
  }

  private runForward(rank: RankState, i: number, now: number): void {
    const chunk = rank.chunks[i] ?? 0;
    const m = rank.forwards[i] ?? 0;
    if (rank.firstStart < 0) rank.firstStart = now;
    rank.forwards[i] = m + 1;
    rank.alive++;
    rank.freeAt = now + this.request.lengths.forward;
    this.forwardDone[chunk * this.request.microBatches + m] = rank.freeAt;
    rank.passes.push(forward(m, chunk));
  }

  private runBackward(rank: RankState, i: number, now: number): void {
    const chunk = rank.chunks[i] ?? 0;
    const m = rank.backwards[i] ?? 0;
    rank.backwards[i] = m + 1;
    rank.freeAt = now + this.request.lengths.inputGradient;
    this.backwardDone[chunk * this.request.microBatches + m] = rank.freeAt;
    rank.passes.push(inputGradient(m, chunk));
    rank.pendingWeights.push(weightGradient(m, chunk));
    rank.alive -= 1 - this.weightShare;
  }
}
