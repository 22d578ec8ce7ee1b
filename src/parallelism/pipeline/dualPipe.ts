import {
  backward,
  forward,
  inputGradient,
  type OrderRequest,
  type Pass,
  type PipelineOrder,
  times,
  weightGradient,
} from './order.js';
import { passSeconds, type Schedule } from './schedule.js';

/**
 * DualPipe (DeepSeek-V3 report, section 3.2.1, table 2): micro-batches enter from both ends, forward of one beside backward
 * of the other. Bubble (p/2 - 1)(F&B + B - 3W) with B the full backward pass; p + 1 micro-batches alive; two copies of the
 * weights of a stage pair.
 */
export const dualPipe: Schedule = {
  id: 'dualpipe',
  bubbleSeconds: (load, busiest) => {
    const pass = load.passes[busiest];
    if (pass === undefined) return 0;
    const overlapped = passSeconds(pass);
    const backward = pass.inputGradient + pass.weightGradient;
    return Math.max(0, load.passes.length / 2 - 1) * Math.max(0, overlapped + backward - 3 * pass.weightGradient);
  },
  inFlight: (_stage, stages, microBatches) => Math.min(microBatches, stages + 1),
  order: dualPipeOrder,
  staggered: false,
  chunked: false,
  forwardFirst: false,
  splitsWeightGradient: true,
};

/** Forward of one direction beside backward of the other. */
function together(pass: Pass): Pass {
  return { ...pass, together: true };
}

/** Takes the passes of one direction on one rank, in the order of their micro-batches. */
class Direction {
  private forwards = 0;
  private backwards = 0;

  constructor(
    private readonly first: number,
    private readonly chunk: number,
  ) {}

  forward(): Pass {
    return forward(this.first + this.forwards++, this.chunk);
  }

  backward(): Pass {
    return backward(this.first + this.backwards++, this.chunk);
  }

  /** Input gradient now, weight gradient for later. */
  split(): readonly [Pass, Pass] {
    const microBatch = this.first + this.backwards++;
    return [inputGradient(microBatch, this.chunk), weightGradient(microBatch, this.chunk)];
  }
}

/**
 * One rank's eight phases (DeepSeek-V3 report, figure 5): `near` is the direction that enters at the rank's own end of the
 * pipeline, `far` the other one. Weight gradients split off in phases 3, 6 and 7 fill the bubbles of the drain.
 */
function rankOrder(rank: number, { stages, microBatches }: OrderRequest): Pass[] {
  const fromEnd = Math.min(rank, stages - 1 - rank);
  const inner = stages / 2 - fromEnd - 1;
  const half = microBatches / 2;
  const down = new Direction(0, rank);
  const up = new Direction(half, stages - 1 - rank);
  const [near, far] = rank < stages / 2 ? [down, up] : [up, down];
  const passes: Pass[] = [];
  const postponed: Pass[] = [];
  const splitBackward = (direction: Direction): void => {
    const [input, weight] = direction.split();
    passes.push(input);
    postponed.push(weight);
  };
  const weight = (): void => {
    const next = postponed.shift();
    if (next !== undefined) passes.push(next);
  };
  times(2 * inner, () => passes.push(near.forward()));
  times(fromEnd + 1, () => passes.push(near.forward(), far.forward()));
  times(inner, () => {
    splitBackward(far);
    weight();
    passes.push(far.forward());
  });
  times(half - stages + fromEnd + 1, () => {
    passes.push(together(near.forward()), far.backward(), together(far.forward()), near.backward());
  });
  times(inner, () => passes.push(far.backward(), together(far.forward()), near.backward()));
  // The second half of this phase splits, so that weight gradients are left for the drain.
  times(fromEnd + 1, (i) => {
    const splits = 2 * i >= fromEnd + 1;
    if (splits) splitBackward(far);
    else passes.push(far.backward());
    if (splits || 2 * i + 1 >= fromEnd + 1) splitBackward(near);
    else passes.push(near.backward());
  });
  times(inner, () => {
    weight();
    splitBackward(near);
  });
  while (postponed.length > 0) weight();
  return passes;
}

/** Both directions; the first half of the micro-batches goes down the ranks, the second half up. */
function dualPipeOrder(request: OrderRequest): PipelineOrder {
  const { stages, microBatches } = request;
  return {
    ranks: times(stages, (rank) => rankOrder(rank, request)),
    microBatches,
    chunks: stages,
    rankOf: (chunk, microBatch) => (microBatch < microBatches / 2 ? chunk : stages - 1 - chunk),
  };
}
