/**
 * Kinds of stream on every rank; tasks on one stream run one after the other, in the order they were added. `pieces` are tensor-parallel
 * collectives in pieces, beside GEMMs that are cut as well.
 */
export const streamNames = ['compute', 'tensor', 'pieces', 'context', 'expert', 'send', 'data', 'host'] as const;
export type StreamName = (typeof streamNames)[number];
export const streamsPerRank = streamNames.length;

export function streamIndex(rank: number, stream: StreamName): number {
  return rank * streamsPerRank + streamNames.indexOf(stream);
}

/**
 * Tasks on streams with dependencies, in typed arrays that grow: one number per task and per edge, so that a step of a million
 * passes fits in memory. `label` is the caller's: an index into whatever describes the task.
 */
export class TaskGraph {
  readonly ranks: number;
  private count = 0;
  private edgeCount = 0;
  private seconds = new Float64Array(1024);
  private streams: Int32Array = new Int32Array(1024);
  private labels: Int32Array = new Int32Array(1024);
  private edgeFrom: Int32Array = new Int32Array(2048);
  private edgeTo: Int32Array = new Int32Array(2048);

  constructor(ranks: number) {
    this.ranks = ranks;
  }

  get size(): number {
    return this.count;
  }

  /** Adds a task behind the others of its stream and returns its number. */
  add(stream: number, seconds: number, label: number): number {
    if (this.count === this.seconds.length) this.grow();
    const task = this.count++;
    this.seconds[task] = seconds;
    this.streams[task] = stream;
    this.labels[task] = label;
    return task;
  }

  /** `later` starts only when `earlier` is done. */
  after(later: number, earlier: number): void {
    if (this.edgeCount === this.edgeFrom.length) {
      this.edgeFrom = doubled(this.edgeFrom);
      this.edgeTo = doubled(this.edgeTo);
    }
    this.edgeFrom[this.edgeCount] = earlier;
    this.edgeTo[this.edgeCount] = later;
    this.edgeCount++;
  }

  /** The arrays as the engine reads them. */
  freeze(): FrozenGraph {
    const { count, edgeCount } = this;
    const firstEdge = new Int32Array(count + 1);
    const waitsFor = new Int32Array(count);
    for (let e = 0; e < edgeCount; e++) {
      firstEdge[(this.edgeFrom[e] ?? 0) + 1] = (firstEdge[(this.edgeFrom[e] ?? 0) + 1] ?? 0) + 1;
      waitsFor[this.edgeTo[e] ?? 0] = (waitsFor[this.edgeTo[e] ?? 0] ?? 0) + 1;
    }
    for (let task = 0; task < count; task++) firstEdge[task + 1] = (firstEdge[task + 1] ?? 0) + (firstEdge[task] ?? 0);
    const next = firstEdge.slice(0, count);
    const edges = new Int32Array(edgeCount);
    for (let e = 0; e < edgeCount; e++) {
      const from = this.edgeFrom[e] ?? 0;
      const place = next[from] ?? 0;
      edges[place] = this.edgeTo[e] ?? 0;
      next[from] = place + 1;
    }
    return {
      ranks: this.ranks,
      size: count,
      seconds: this.seconds.subarray(0, count),
      streams: this.streams.subarray(0, count),
      labels: this.labels.subarray(0, count),
      firstEdge,
      edges,
      waitsFor,
    };
  }

  private grow(): void {
    const bigger = new Float64Array(this.seconds.length * 2);
    bigger.set(this.seconds);
    this.seconds = bigger;
    this.streams = doubled(this.streams);
    this.labels = doubled(this.labels);
  }
}

function doubled(array: Int32Array): Int32Array {
  const bigger = new Int32Array(array.length * 2);
  bigger.set(array);
  return bigger;
}

/** Compressed rows: the successors of task t are `edges[firstEdge[t] .. firstEdge[t + 1])`. */
export interface FrozenGraph {
  readonly ranks: number;
  readonly size: number;
  /** Alone, without contention. */
  readonly seconds: Float64Array;
  readonly streams: Int32Array;
  readonly labels: Int32Array;
  readonly firstEdge: Int32Array;
  readonly edges: Int32Array;
  readonly waitsFor: Int32Array;
}
