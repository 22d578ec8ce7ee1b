import { SlipwayError } from '../errors.js';
import type { Pass } from '../parallelism/pipeline/order.js';

/** What a schedule is for. */
export interface OrderShape {
  readonly stages: number;
  readonly chunksPerStage: number;
  readonly microBatches: number;
  /** Chunks go there and back over the ranks instead of round and round. */
  readonly vShaped: boolean;
}

/** A pass and where in the table it stands. */
export interface Placed {
  readonly pass: Pass;
  readonly rank: number;
  readonly slot: number;
  /** As written. */
  readonly cell: string;
  readonly line: number | undefined;
  /** Which of the rank's own chunks. */
  readonly local: number;
}

/** Refuses an order that leaves a pass out, does one twice, goes backward before forward, or waits in a circle. */
export function refuseIllegalOrder(
  ranks: readonly (readonly Placed[])[],
  own: readonly (readonly number[])[],
  shape: OrderShape,
  file: string,
): void {
  const places = new Places(shape);
  const problem =
    firstProblem(ranks, (placed) => places.add(placed)) ??
    missing(places, own, shape) ??
    firstProblem(ranks, (placed) => tooEarly(placed, places)) ??
    circle(ranks, places, shape);
  if (problem === undefined) return;
  const { placed, message } = problem;
  const line = placed?.line === undefined ? {} : { line: placed.line };
  const where = placed === undefined ? '' : `${at(placed)}: `;
  throw new SlipwayError('invalid-run-file', `${where}${message}`, { file, ...line });
}

interface Problem {
  /** Undefined where something is missing from the table. */
  readonly placed: Placed | undefined;
  readonly message: string;
}

function at({ rank, slot }: Placed): string {
  return `rank ${rank}, slot ${slot}`;
}

/** Where each pass of each chunk and micro-batch stands; a whole backward pass is the input and the weight gradient. */
class Places {
  private readonly forwards: (Placed | undefined)[];
  private readonly inputGradients: (Placed | undefined)[];
  private readonly weightGradients: (Placed | undefined)[];

  constructor(private readonly shape: OrderShape) {
    const size = shape.stages * shape.chunksPerStage * shape.microBatches;
    this.forwards = new Array<Placed | undefined>(size);
    this.inputGradients = new Array<Placed | undefined>(size);
    this.weightGradients = new Array<Placed | undefined>(size);
  }

  private key({ microBatch, chunk }: Pick<Pass, 'microBatch' | 'chunk'>): number {
    return chunk * this.shape.microBatches + microBatch;
  }

  forward(pass: Pick<Pass, 'microBatch' | 'chunk'>): Placed | undefined {
    return this.forwards[this.key(pass)];
  }

  inputGradient(pass: Pick<Pass, 'microBatch' | 'chunk'>): Placed | undefined {
    return this.inputGradients[this.key(pass)];
  }

  weightGradient(pass: Pick<Pass, 'microBatch' | 'chunk'>): Placed | undefined {
    return this.weightGradients[this.key(pass)];
  }

  /** The reason why the pass cannot be where it is, or nothing. */
  add(placed: Placed): string | undefined {
    const { kind, microBatch } = placed.pass;
    const { microBatches } = this.shape;
    if (microBatch >= microBatches) {
      const wayOut = 'they follow from globalBatchSize';
      return `${placed.cell} is of micro-batch ${microBatch}, but they are 0 to ${microBatches - 1} (${wayOut})`;
    }
    const lists =
      kind === 'backward'
        ? [this.inputGradients, this.weightGradients]
        : [kind === 'forward' ? this.forwards : kind === 'inputGradient' ? this.inputGradients : this.weightGradients];
    const key = this.key(placed.pass);
    for (const list of lists) {
      const before = list[key];
      if (before !== undefined) return `${placed.cell} a second time; ${before.cell} is in slot ${before.slot} already`;
      list[key] = placed;
    }
    return undefined;
  }
}

function firstProblem(
  ranks: readonly (readonly Placed[])[],
  problemOf: (placed: Placed) => string | undefined,
): Problem | undefined {
  for (const passes of ranks) {
    for (const placed of passes) {
      const message = problemOf(placed);
      if (message !== undefined) return { placed, message };
    }
  }
  return undefined;
}

function missing(places: Places, own: readonly (readonly number[])[], shape: OrderShape): Problem | undefined {
  for (let rank = 0; rank < own.length; rank++) {
    for (const [local, chunk] of (own[rank] ?? []).entries()) {
      for (let microBatch = 0; microBatch < shape.microBatches; microBatch++) {
        const pass = { microBatch, chunk };
        const name = `${microBatch}${local === 0 ? '' : `.${local}`}`;
        const gone =
          (places.forward(pass) === undefined && `F${name}`) ||
          (places.inputGradient(pass) === undefined && `B${name}`) ||
          (places.weightGradient(pass) === undefined && `W${name}`);
        if (gone)
          return {
            placed: undefined,
            message: `rank ${rank} has no ${gone}; a run has ${shape.microBatches} micro-batches`,
          };
      }
    }
  }
  return undefined;
}

/** A backward pass before its own forward pass, a weight gradient before its input gradient. */
function tooEarly(placed: Placed, places: Places): string | undefined {
  const { kind } = placed.pass;
  if (kind === 'forward') return undefined;
  const first = kind === 'weightGradient' ? places.inputGradient(placed.pass) : places.forward(placed.pass);
  if (first === undefined || first.slot < placed.slot) return undefined;
  return `${placed.cell} comes before its ${first.cell} in slot ${first.slot}`;
}

/** Runs the order without times; what is left when nothing can go on waits in a circle. */
function circle(ranks: readonly (readonly Placed[])[], places: Places, shape: OrderShape): Problem | undefined {
  const next = ranks.map(() => 0);
  const isDone = ({ rank, slot }: Placed): boolean => {
    const head = ranks[rank]?.[next[rank] ?? 0];
    return head === undefined || head.slot > slot;
  };
  const waitsFor = (placed: Placed): Placed | undefined => needs(placed, places, shape).find((need) => !isDone(need));
  // A rank is looked at again only when a neighbour went on.
  const queue = ranks.map((_, rank) => rank);
  const queued = ranks.map(() => true);
  for (let rank = queue.pop(); rank !== undefined; rank = queue.pop()) {
    queued[rank] = false;
    const before = next[rank] ?? 0;
    for (let head = ranks[rank]?.[before]; head !== undefined; head = ranks[rank]?.[next[rank] ?? 0]) {
      if (waitsFor(head) !== undefined) break;
      next[rank] = (next[rank] ?? 0) + 1;
    }
    if (next[rank] === before) continue;
    for (const other of [rank - 1, rank + 1, 0, ranks.length - 1]) {
      if (other === rank || queued[other] !== false) continue;
      queued[other] = true;
      queue.push(other);
    }
  }
  const stuck = ranks.flatMap((passes, rank) => passes[next[rank] ?? 0] ?? []);
  const [first] = stuck;
  return first === undefined ? undefined : { placed: first, message: circleMessage(first, ranks, next, waitsFor) };
}

/** What has to be done on other chunks before a pass: the chunk before it going forward, the one after it going backward. */
function needs({ pass }: Placed, places: Places, { stages, chunksPerStage }: OrderShape): Placed[] {
  const { kind, microBatch, chunk } = pass;
  if (kind === 'weightGradient') return [];
  const forward = kind === 'forward';
  const other = chunk + (forward ? -1 : 1);
  if (other < 0 || other >= stages * chunksPerStage) return [];
  const need = forward
    ? places.forward({ microBatch, chunk: other })
    : places.inputGradient({ microBatch, chunk: other });
  return need === undefined ? [] : [need];
}

function circleMessage(
  first: Placed,
  ranks: readonly (readonly Placed[])[],
  next: readonly number[],
  waitsFor: (placed: Placed) => Placed | undefined,
): string {
  const seen = new Set<number>();
  const words: string[] = [];
  for (let head: Placed | undefined = first; head !== undefined && !seen.has(head.rank) && words.length < 3; ) {
    seen.add(head.rank);
    const need = waitsFor(head);
    if (need === undefined) break;
    words.push(`${head.cell} waits for ${need.cell} of ${at(need)}`);
    head = ranks[need.rank]?.[next[need.rank] ?? 0];
  }
  return `deadlock: ${words.join(', behind ')}, which can never run`;
}
