import type { RankParameters } from '../parallelism/data.js';
import { type Pass, type PipelineOrder, passKinds } from '../parallelism/pipeline/order.js';
import { type ChunkCost, gradientPieces, messageSeconds, rankParameters } from './chunkCost.js';
import { streamIndex, TaskGraph } from './engine/taskGraph.js';
import { checkpointCopySeconds, rankUpdate } from './optimizerStep.js';
import { alonePasses } from './pass/alonePasses.js';
import type { SimulatedPasses } from './pass/simulatedPasses.js';
import type { Stretch } from './perturbation.js';
import type { Prepared } from './prepare.js';
import { type PassParts, partsSeconds } from './stageCost.js';

/** What a task does; the pass kinds come first, in the order of `passKinds`. */
export const taskKinds = [...passKinds, 'together', 'send', 'gather', 'reduce', 'optimizer', 'checkpoint'] as const;
export type TaskKind = (typeof taskKinds)[number];

/** What one task is, beside its place on a stream. */
export interface TaskInfo {
  readonly kind: TaskKind;
  readonly rank: number;
  readonly microBatch: number;
  readonly chunk: number;
  /** Of a pass: exposed seconds by cause. Of two passes together: of both. */
  readonly parts: PassParts | undefined;
  /** Of a pass: no pass of another micro-batch beside it hides its token exchange. */
  readonly alone?: boolean;
  /** What the pass does to memory; empty for anything but the first and last piece of a pass. */
  readonly passes: readonly PassMemory[];
}

/** One pass of a task, as memory sees it. */
export interface PassMemory {
  readonly chunk: number;
  readonly allocates: boolean;
  readonly backward: boolean;
  readonly frees: boolean;
  /** Frees what the weight gradient, which comes later, does not need. */
  readonly splits: boolean;
  /** Frees only what waited for it. */
  readonly waited: boolean;
}

/** The tasks of one optimizer step and what each of them is. */
export interface StepTasks {
  readonly graph: TaskGraph;
  readonly tasks: readonly TaskInfo[];
}

/**
 * Lowers a pipeline order to tasks: passes on the compute stream, messages between chunks on the sender's send stream (or its
 * compute stream where sends do not overlap), gathers before the first forward and reductions after the last backward of each
 * chunk on the data stream, and the optimizer at the end.
 */
export function stepTasks(
  p: Prepared,
  order: PipelineOrder,
  chunks: readonly ChunkCost[],
  staggered: boolean,
  stretch?: Stretch,
  checkpoint = false,
): StepTasks {
  return new StepBuilder(p, order, chunks, staggered, stretch, checkpoint).build();
}

class StepBuilder {
  private readonly graph: TaskGraph;
  private readonly tasks: TaskInfo[] = [];
  /** The task that ends a pass, by pass kind, micro-batch and chunk; -1 where not there yet. */
  private readonly forwardEnd: Int32Array;
  private readonly backwardEnd: Int32Array;
  private readonly forwardStart: Int32Array;
  private readonly backwardStart: Int32Array;
  /** Message of a pass by slot and direction; -1 where none is sent. */
  private readonly sendOf: Int32Array;
  private readonly sendSeconds: number;
  private readonly known = new Map<number, TaskCost>();
  private readonly alone: readonly Uint8Array[] | undefined;
  /** Last data-stream task and last compute task of each rank. */
  private readonly lastReduce: number[] = [];
  private readonly lastCompute: number[] = [];
  private readonly gradientPasses: Int32Array;

  constructor(
    private readonly p: Prepared,
    private readonly order: PipelineOrder,
    private readonly chunks: readonly ChunkCost[],
    private readonly staggered: boolean,
    private readonly stretch: Stretch | undefined,
    private readonly checkpoint: boolean,
  ) {
    const size = order.chunks * order.microBatches;
    this.alone = alonePasses(p, order);
    this.graph = new TaskGraph(order.ranks.length);
    this.forwardEnd = new Int32Array(size).fill(-1);
    this.backwardEnd = new Int32Array(size).fill(-1);
    this.forwardStart = new Int32Array(size).fill(-1);
    this.backwardStart = new Int32Array(size).fill(-1);
    this.gradientPasses = new Int32Array(order.chunks * order.ranks.length);
    this.sendOf = new Int32Array(2 * size).fill(-1);
    this.sendSeconds = order.ranks.length > 1 ? messageSeconds(p) : 0;
  }

  build(): StepTasks {
    this.order.ranks.forEach((passes, rank) => {
      this.addRank(passes, rank);
    });
    this.linkPasses();
    this.addOptimizers();
    return { graph: this.graph, tasks: this.tasks };
  }

  private slot(microBatch: number, chunk: number): number {
    return chunk * this.order.microBatches + microBatch;
  }

  private add(info: TaskInfo, stream: number, seconds: number): number {
    const task = this.graph.add(stream, this.stretched(info, seconds), this.tasks.length);
    this.tasks.push(info);
    return task;
  }

  private stretched({ kind, rank }: TaskInfo, seconds: number): number {
    if (this.stretch === undefined) return seconds;
    const travels = kind === 'send' || kind === 'gather' || kind === 'reduce';
    return travels ? this.stretch.link(seconds) : this.stretch.compute(rank, seconds);
  }

  private addRank(passes: readonly Pass[], rank: number): void {
    const gradients = gradientCounts(passes);
    const seen = new Set<number>();
    for (let i = 0; i < passes.length; i++) {
      const pass = passes[i];
      if (pass === undefined) continue;
      const at = i;
      const beside = pass.together === true ? passes[i + 1] : undefined;
      if (beside !== undefined) i++;
      const both = beside === undefined ? [pass] : [pass, beside];
      const reduced: number[] = [];
      for (const one of both) {
        if (one.kind === 'forward' && !seen.has(one.chunk)) {
          seen.add(one.chunk);
          this.addGather(rank, one.chunk);
        }
        if (endsGradient(one) && this.countGradient(rank, one.chunk) === gradients.get(one.chunk))
          reduced.push(one.chunk);
      }
      this.addPasses(both, rank, at, reduced);
    }
  }

  private countGradient(rank: number, chunk: number): number {
    const place = rank * this.order.chunks + chunk;
    const count = (this.gradientPasses[place] ?? 0) + 1;
    this.gradientPasses[place] = count;
    return count;
  }

  /** Weights of a chunk travel before its first forward pass; unless gathers overlap, that pass waits for all of them. */
  private addGather(rank: number, chunk: number): void {
    const seconds = this.chunks[chunk]?.gatherSeconds ?? 0;
    if (seconds <= 0) return;
    const stream = streamIndex(rank, this.p.strategy.overlapParameterGather ? 'data' : 'compute');
    const info: TaskInfo = { kind: 'gather', rank, microBatch: 0, chunk, parts: undefined, passes: [] };
    const task = this.add(info, stream, seconds);
    if (this.p.strategy.overlapParameterGather) this.pendingGathers.push(task);
  }

  /** Gathers that the next pass must see the end of. */
  private readonly pendingGathers: number[] = [];

  private addPasses(passes: readonly Pass[], rank: number, at: number, reducedAfter: readonly number[]): void {
    const first = passes[0];
    if (first === undefined) return;
    const overlapsReduce = reducedAfter.length > 0 && this.p.strategy.overlapGradientReduce;
    const cuts = overlapsReduce || this.pendingGathers.length > 0 ? gradientPieces : 1;
    const alone = this.alone?.[rank]?.[at] === 1;
    const whole = this.costOf(passes, alone);
    const piece = cuts === 1 ? whole : pieceOf(whole, cuts);
    const kind: TaskKind = passes.length > 1 ? 'together' : first.kind;
    const compute = streamIndex(rank, 'compute');
    const pieces: number[] = [];
    for (let cut = 0; cut < cuts; cut++) {
      const memory = cuts === 1 ? whole.passes : passes.map((pass) => passMemory(pass, cut === 0, cut === cuts - 1));
      pieces.push(
        this.add(
          {
            kind,
            rank,
            microBatch: first.microBatch,
            chunk: first.chunk,
            parts: piece.parts,
            alone,
            passes: memory,
          },
          compute,
          piece.seconds,
        ),
      );
    }
    const start = pieces[0] ?? 0;
    const end = pieces[cuts - 1] ?? 0;
    // The first layers come first, so only the last piece of the pass waits for the whole gather.
    for (const gather of this.pendingGathers.splice(0)) this.graph.after(end, gather);
    for (const pass of passes) this.remember(pass, start, end);
    this.lastCompute[rank] = end;
    // The neighbour waits for the message, so it goes out before the rank turns to its gradients.
    for (const pass of passes) this.addSend(pass, rank, end);
    for (const chunk of reducedAfter) this.addReduce(rank, chunk, overlapsReduce ? pieces : [end]);
  }

  /** Time and memory of one or two passes; the same for every micro-batch, so computed once. */
  private costOf(passes: readonly Pass[], alone: boolean): TaskCost {
    let key = 0;
    for (const pass of passes)
      key =
        key * 8 * this.order.chunks +
        8 * pass.chunk +
        2 * passKinds.indexOf(pass.kind) +
        (alone ? 1 : 0) +
        (passes.length > 1 ? 8 * this.order.chunks : 0);
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const parts = addParts(passes.map(({ kind, chunk }) => this.passesOf(chunk).cost(kind, alone).parts));
    const cost = { parts, seconds: partsSeconds(parts), passes: passes.map((pass) => passMemory(pass, true, true)) };
    this.known.set(key, cost);
    return cost;
  }

  private passesOf(chunk: number): SimulatedPasses {
    const passes = this.chunks[chunk]?.passes;
    if (passes === undefined) throw new Error('internal error: a pass of a chunk that is not there');
    return passes;
  }

  private remember(pass: Pass, start: number, end: number): void {
    const slot = this.slot(pass.microBatch, pass.chunk);
    if (pass.kind === 'forward') {
      this.forwardStart[slot] = start;
      this.forwardEnd[slot] = end;
    } else if (pass.kind !== 'weightGradient') {
      this.backwardStart[slot] = start;
      this.backwardEnd[slot] = end;
    }
  }

  /** Activations go to the rank of the next chunk, gradients to that of the previous one. */
  private addSend(pass: Pass, rank: number, end: number): void {
    if (pass.kind === 'weightGradient') return;
    const down = pass.kind === 'forward';
    const target = pass.chunk + (down ? 1 : -1);
    if (target < 0 || target >= this.order.chunks) return;
    if (this.order.rankOf(target, pass.microBatch) === rank) return;
    const seconds = this.sendSeconds;
    const stream = streamIndex(rank, this.p.strategy.overlapPipelineSend ? 'send' : 'compute');
    const info: TaskInfo = {
      kind: 'send',
      rank,
      microBatch: pass.microBatch,
      chunk: pass.chunk,
      parts: undefined,
      passes: [],
    };
    const task = this.add(info, stream, seconds);
    this.graph.after(task, end);
    this.sendOf[this.slot(pass.microBatch, pass.chunk) * 2 + (down ? 0 : 1)] = task;
  }

  /** Gradients of a chunk travel once its last gradient pass is done, piece by piece where they overlap. */
  private addReduce(rank: number, chunk: number, ends: readonly number[]): void {
    const cost = this.chunks[chunk];
    const seconds = cost?.reduceSeconds ?? 0;
    if (cost === undefined || seconds <= 0) return;
    const every = ends.length > 1 ? gradientPieces / cost.reducePieces : 1;
    const segments = ends.filter((_, i) => (i + 1) % every === 0);
    for (const segment of segments) {
      const info: TaskInfo = {
        kind: 'reduce',
        rank,
        microBatch: 0,
        chunk,
        parts: undefined,
        passes: [],
      };
      const task = this.add(
        info,
        streamIndex(rank, this.p.strategy.overlapGradientReduce ? 'data' : 'compute'),
        seconds / segments.length,
      );
      this.graph.after(task, segment);
      this.lastReduce[rank] = task;
    }
  }

  private linkPasses(): void {
    const { microBatches, chunks } = this.order;
    for (let chunk = 0; chunk < chunks; chunk++) {
      for (let m = 0; m < microBatches; m++) {
        const slot = this.slot(m, chunk);
        const f = this.forwardStart[slot] ?? -1;
        const b = this.backwardStart[slot] ?? -1;
        if (f >= 0 && chunk > 0) this.graph.after(f, this.arrival(m, chunk - 1, 0, this.forwardEnd));
        if (b >= 0) {
          this.graph.after(b, this.forwardEnd[slot] ?? 0);
          if (chunk < chunks - 1) this.graph.after(b, this.arrival(m, chunk + 1, 1, this.backwardEnd));
        }
      }
    }
  }

  /** The task after which a neighbour's result is here: its message, or the pass itself on the same rank. */
  private arrival(microBatch: number, chunk: number, direction: 0 | 1, ends: Int32Array): number {
    const slot = this.slot(microBatch, chunk);
    const send = this.sendOf[slot * 2 + direction] ?? -1;
    return send >= 0 ? send : (ends[slot] ?? 0);
  }

  /** The states of the update before go to the host beside the passes; the next update waits until they are there. */
  private addCheckpoint(rank: number, parameters: RankParameters): number {
    const info: TaskInfo = { kind: 'checkpoint', rank, microBatch: 0, chunk: 0, parts: undefined, passes: [] };
    return this.add(info, streamIndex(rank, 'host'), checkpointCopySeconds(this.p, parameters));
  }

  /** The global gradient norm joins all ranks; schedules that check afterwards let each rank go on alone. */
  private addOptimizers(): void {
    const optimizers = this.order.ranks.map((_, rank) => {
      const parameters = rankParameters(this.p, this.chunks, rank);
      const copy = this.checkpoint ? this.addCheckpoint(rank, parameters) : -1;
      const { deviceSeconds, offloadSeconds } = rankUpdate(this.p, parameters, rank, this.staggered);
      const info: TaskInfo = {
        kind: 'optimizer',
        rank,
        microBatch: 0,
        chunk: 0,
        parts: undefined,
        passes: [],
      };
      const task = this.add(info, streamIndex(rank, 'compute'), deviceSeconds + offloadSeconds);
      if (copy >= 0) this.graph.after(task, copy);
      return task;
    });
    optimizers.forEach((task, rank) => {
      const from = this.staggered ? [rank] : this.order.ranks.map((_, other) => other);
      for (const other of from) {
        const reduce = this.lastReduce[other];
        const compute = this.lastCompute[other];
        if (reduce !== undefined) this.graph.after(task, reduce);
        if (compute !== undefined) this.graph.after(task, compute);
      }
    });
  }
}

/** Time and memory of one task's passes. */
interface TaskCost {
  readonly parts: PassParts;
  readonly seconds: number;
  readonly passes: readonly PassMemory[];
}

function pieceOf({ parts, seconds }: TaskCost, cuts: number): TaskCost {
  return { parts: scaleParts(parts, 1 / cuts), seconds: seconds / cuts, passes: [] };
}

/** Passes after which a chunk's gradients of one micro-batch are complete. */
function endsGradient(pass: Pass): boolean {
  return pass.kind === 'backward' || pass.kind === 'weightGradient';
}

export function passMemory(pass: Pass, first: boolean, last: boolean): PassMemory {
  return {
    chunk: pass.chunk,
    allocates: first && pass.kind === 'forward',
    backward: pass.kind === 'backward' || pass.kind === 'inputGradient',
    frees: last && endsGradient(pass),
    splits: last && pass.kind === 'inputGradient',
    waited: pass.kind === 'weightGradient',
  };
}

function gradientCounts(passes: readonly Pass[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const pass of passes) if (endsGradient(pass)) counts.set(pass.chunk, (counts.get(pass.chunk) ?? 0) + 1);
  return counts;
}

function addParts(all: readonly PassParts[]): PassParts {
  const sum = { compute: 0, recompute: 0, tensor: 0, context: 0, expert: 0, host: 0, data: 0, offload: 0 };
  for (const parts of all) {
    sum.compute += parts.compute;
    sum.recompute += parts.recompute;
    sum.tensor += parts.tensor;
    sum.context += parts.context;
    sum.expert += parts.expert;
    sum.host += parts.host;
    sum.data += parts.data;
    sum.offload += parts.offload;
  }
  return sum;
}

function scaleParts(parts: PassParts, by: number): PassParts {
  return {
    compute: parts.compute * by,
    recompute: parts.recompute * by,
    tensor: parts.tensor * by,
    context: parts.context * by,
    expert: parts.expert * by,
    host: parts.host * by,
    data: parts.data * by,
    offload: parts.offload * by,
  };
}
