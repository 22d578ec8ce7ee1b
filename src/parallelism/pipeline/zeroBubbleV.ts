import {
  forward,
  inputGradient,
  type OrderRequest,
  type Pass,
  type PassLengths,
  type PipelineOrder,
  times,
  weightGradient,
} from './order.js';

/**
 * ZB-V's order (Qi et al. 2024, "Pipeline parallelism with controllable memory"), built as the authors' scheduler builds it
 * (sail-sg/zero-bubble, `v_schedule`): a warm-up that fills each rank with forward passes of its two chunks, then rounds of one backward and
 * one forward chunk per rank, with weight gradients wherever a rank would wait for one's length, or for longer than the slowest rank has
 * waited. With F = B = W and no messages no rank waits, within 2 p chunks.
 *
 * Undefined where that construction does not fit: too few micro-batches to fill the pipeline.
 */
export function builtOrderV(request: OrderRequest): PipelineOrder | undefined {
  let best: Builder | undefined;
  for (const fillBackward of [true, false]) {
    for (const fillForward of [true, false]) {
      const built = attempt(request, fillForward, fillBackward);
      if (built !== undefined && (best === undefined || built.longestWait() < best.longestWait())) best = built;
    }
  }
  const { stages, microBatches } = request;
  return best === undefined
    ? undefined
    : { ranks: best.passes, microBatches, chunks: 2 * stages, rankOf: (chunk) => rankOfV(chunk, stages) };
}

/** There and back. */
export function rankOfV(chunk: number, stages: number): number {
  return chunk < stages ? chunk : 2 * stages - 1 - chunk;
}

/** Waits of a first attempt show which ranks may wait without harm in the next; repeated for as long as that helps. */
function attempt(request: OrderRequest, fillForward: boolean, fillBackward: boolean): Builder | undefined {
  let best = run(new Builder(request, fillForward, fillBackward, undefined));
  while (best !== undefined) {
    const next = run(new Builder(request, fillForward, fillBackward, best.waits));
    if (next === undefined || next.longestWait() >= best.longestWait()) break;
    best = next;
  }
  return best;
}

function run(builder: Builder): Builder | undefined {
  return builder.build() ? builder : undefined;
}

/** First or second half of the model on a rank; backward passes come to the second half first. */
type Half = 0 | 1;

class Builder {
  readonly passes: Pass[][];
  /** Seconds that each rank has waited since its first pass. */
  readonly waits: number[];
  private readonly time: number[];
  private readonly alive: number[];
  private readonly forwards: [number, number][];
  private readonly backwards: [number, number][];
  private readonly pending: [number, number][][];
  /** When a pass ends, by chunk and micro-batch; NaN until then. */
  private readonly forwardEnd: Float64Array;
  private readonly backwardEnd: Float64Array;
  private readonly p: number;
  private readonly m: number;
  private readonly lengths: PassLengths;
  private readonly send: number;
  private readonly weightShare: number;
  private failed = false;

  constructor(
    request: OrderRequest,
    private readonly fillForward: boolean,
    private readonly fillBackward: boolean,
    private readonly allowed: readonly number[] | undefined,
  ) {
    this.p = request.stages;
    this.m = request.microBatches;
    this.lengths = request.lengths;
    this.send = request.sendLength ?? 0;
    this.weightShare = request.weightShare ?? 1;
    this.passes = times(this.p, () => []);
    this.waits = times(this.p, () => 0);
    this.time = times(this.p, () => 0);
    this.alive = times(this.p, () => 0);
    this.forwards = times(this.p, () => [0, 0]);
    this.backwards = times(this.p, () => [0, 0]);
    this.pending = times(this.p, () => []);
    this.forwardEnd = new Float64Array(2 * this.p * this.m).fill(Number.NaN);
    this.backwardEnd = new Float64Array(2 * this.p * this.m).fill(Number.NaN);
  }

  longestWait(): number {
    return Math.max(...this.waits);
  }

  build(): boolean {
    this.fillDown();
    this.fillUp();
    for (let round = 0; round < 2 * this.m && !this.failed; round++) {
      this.backwardRound();
      this.forwardRound();
    }
    for (let rank = 0; rank < this.p; rank++) while (this.pendingOf(rank).length > 0) this.runWeight(rank);
    const left = this.backwards.some(([second, first]) => second < this.m || first < this.m);
    return !this.failed && !left;
  }

  private pendingOf(rank: number): [number, number][] {
    return this.pending[rank] ?? [];
  }

  private count(of: readonly (readonly [number, number])[], rank: number, half: Half): number {
    return of[rank]?.[half] ?? 0;
  }

  private chunk(rank: number, half: Half): number {
    return half === 0 ? rank : 2 * this.p - 1 - rank;
  }

  /** When what the next forward pass of a half needs is there; NaN while it is not, -infinity where it needs nothing. */
  private forwardReady(rank: number, half: Half): number {
    const chunk = this.chunk(rank, half);
    const microBatch = this.count(this.forwards, rank, half);
    if (microBatch >= this.m) return Number.NaN;
    if (chunk === 0) return Number.NEGATIVE_INFINITY;
    const end = this.forwardEnd[(chunk - 1) * this.m + microBatch] ?? Number.NaN;
    return end + (rankOfV(chunk - 1, this.p) === rank ? 0 : this.send);
  }

  private backwardReady(rank: number, half: Half): number {
    const chunk = this.chunk(rank, half);
    const microBatch = this.count(this.backwards, rank, half);
    if (microBatch >= this.m) return Number.NaN;
    const own = this.forwardEnd[chunk * this.m + microBatch] ?? Number.NaN;
    if (chunk === 2 * this.p - 1) return own;
    const end = this.backwardEnd[(chunk + 1) * this.m + microBatch] ?? Number.NaN;
    return Math.max(own, end + (rankOfV(chunk + 1, this.p) === rank ? 0 : this.send));
  }

  private start(rank: number, ready: number, seconds: number): number {
    if (Number.isNaN(ready)) this.failed = true;
    const now = this.time[rank] ?? 0;
    const from = Math.max(now, ready);
    if ((this.passes[rank]?.length ?? 0) > 0) this.waits[rank] = (this.waits[rank] ?? 0) + from - now;
    this.time[rank] = from + seconds;
    return from + seconds;
  }

  private runForward(rank: number, half: Half): void {
    const own = this.forwards[rank];
    if (own === undefined || own[half] >= this.m) return;
    const end = this.start(rank, this.forwardReady(rank, half), this.lengths.forward);
    const chunk = this.chunk(rank, half);
    this.forwardEnd[chunk * this.m + own[half]] = end;
    this.passes[rank]?.push(forward(own[half], chunk));
    this.alive[rank] = (this.alive[rank] ?? 0) + 1;
    own[half]++;
  }

  private runBackward(rank: number, half: Half): void {
    const own = this.backwards[rank];
    if (own === undefined) return;
    const end = this.start(rank, this.backwardReady(rank, half), this.lengths.inputGradient);
    const chunk = this.chunk(rank, half);
    this.backwardEnd[chunk * this.m + own[half]] = end;
    this.passes[rank]?.push(inputGradient(own[half], chunk));
    this.pendingOf(rank).push([own[half], chunk]);
    this.alive[rank] = (this.alive[rank] ?? 0) - (1 - this.weightShare);
    own[half]++;
  }

  private runWeight(rank: number): void {
    const next = this.pendingOf(rank).shift();
    if (next === undefined) {
      this.failed = true;
      return;
    }
    this.start(rank, Number.NEGATIVE_INFINITY, this.lengths.weightGradient);
    this.passes[rank]?.push(weightGradient(...next));
    this.alive[rank] = (this.alive[rank] ?? 0) - this.weightShare;
  }

  private hasRoom(rank: number, chunks: number): boolean {
    return (this.alive[rank] ?? 0) + chunks <= 2 * this.p + 1e-9;
  }

  /** First halves go down; on the way back every rank takes more of them while it waits for its first second half. */
  private fillDown(): void {
    for (let rank = 0; rank < this.p; rank++) this.runForward(rank, 0);
    for (let rank = this.p - 1; rank >= 0; rank--) {
      const ready = this.forwardReady(rank, 1);
      while (
        rank < this.p - 1 &&
        this.hasRoom(rank, 2 + 2 * rank) &&
        (this.time[rank] ?? 0) + this.lengths.forward <= ready &&
        this.count(this.forwards, rank, 0) < this.m - rank
      ) {
        for (let above = 0; above <= rank; above++) this.runForward(above, 0);
      }
      this.runForward(rank, 1);
    }
  }

  /** First and second halves in turn, until every rank has as many as the one before it. */
  private fillUp(): void {
    let half: Half = 0;
    const both = (rank: number): number => this.count(this.forwards, rank, 0) + this.count(this.forwards, rank, 1);
    for (let rank = 1; rank < this.p; rank++) {
      const behind = (): boolean => {
        const before = this.count(this.forwards, rank - 1, 1);
        return both(rank) < both(rank - 1) || (this.count(this.forwards, rank, 1) <= before && before < this.m);
      };
      for (let tries = 0; behind() && tries < 4 * this.m; tries++) {
        for (let below = this.p - 1; below >= rank; below--) {
          if (!Number.isNaN(this.forwardReady(below, half))) this.runForward(below, half);
        }
        half = half === 0 ? 1 : 0;
      }
    }
  }

  /** Which half's backward pass is a rank's next: first halves as soon as they are here, second halves else. */
  private nextBackward(rank: number): Half {
    const [first, second] = [this.count(this.backwards, rank, 0), this.count(this.backwards, rank, 1)];
    if (first >= second) return 1;
    if (rank === this.p - 1 || second >= this.m) return 0;
    return Number.isNaN(this.backwardReady(rank, 0)) ? 1 : 0;
  }

  private backwardRound(): void {
    const halves = times(this.p, (rank) => this.nextBackward(rank));
    for (let rank = this.p - 1; rank >= 0; rank--) if (halves[rank] === 0) this.backwardStep(rank, 0);
    for (let rank = 0; rank < this.p; rank++) if (halves[rank] === 1) this.backwardStep(rank, 1);
  }

  private backwardStep(rank: number, half: Half): void {
    if (this.count(this.backwards, rank, half) >= this.m) return;
    this.fill(rank, this.backwardReady(rank, half), half === 0 || this.fillBackward);
    this.runBackward(rank, half);
  }

  private nextForward(rank: number): Half | undefined {
    const [first, second] = [this.count(this.forwards, rank, 0), this.count(this.forwards, rank, 1)];
    if (second >= this.m) return undefined;
    if (second >= first) return 0;
    if (rank === this.p - 1 || !Number.isNaN(this.forwardReady(rank, 1))) return 1;
    return Number.isNaN(this.forwardReady(rank, 0)) ? undefined : 0;
  }

  private forwardRound(): void {
    for (let rank = 0; rank < this.p; rank++) {
      const half = this.nextForward(rank);
      if (half === undefined) continue;
      while (!this.hasRoom(rank, 1) && !this.failed) this.runWeight(rank);
      this.fill(rank, this.forwardReady(rank, half), this.fillForward);
      this.runForward(rank, half);
    }
  }

  /** Weight gradients while the rank waits; one more, which makes it late, where it would wait longer than any other has. */
  private fill(rank: number, ready: number, late: boolean): void {
    const { weightGradient: length } = this.lengths;
    while (this.pendingOf(rank).length > 0 && ready >= (this.time[rank] ?? 0) + length) this.runWeight(rank);
    const wait = ready - (this.time[rank] ?? 0);
    if (late && this.pendingOf(rank).length > 0 && wait > this.slack(rank)) this.runWeight(rank);
  }

  /** How much longer the rank may wait before it has waited longest. */
  private slack(rank: number): number {
    let longest = this.longestWait();
    const { allowed } = this;
    if (allowed !== undefined) longest = Math.max(longest, Math.max(...allowed) - (allowed[rank] ?? 0));
    return longest - (this.waits[rank] ?? 0);
  }
}
