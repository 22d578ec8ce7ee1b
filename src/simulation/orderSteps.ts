import type { PassKind, PipelineOrder } from '../parallelism/pipeline/order.js';

/** Numbers of the kinds of passes in `OrderSteps.kind`. */
const kindNumber: Readonly<Record<PassKind, number>> = {
  forward: 0,
  backward: 1,
  inputGradient: 2,
  weightGradient: 3,
};

/**
 * An order's passes as arrays, one rank after the other: what each waits for and what waits for it. All that does not depend on how long passes
 * take, worked out once for the thousands of costs with which a search follows the same order.
 *
 * A result is numbered 3 x slot + 0 where a forward pass hands it down, + 1 where a backward pass hands it up, + 2 where a chunk keeps it for its
 * own backward pass; slot = chunk x microBatches + microBatch.
 */
export interface OrderSteps {
  /** Where a rank's passes begin; one more entry for the end. */
  readonly starts: Int32Array;
  readonly kind: Uint8Array;
  readonly chunk: Int32Array;
  /** Results that a pass waits for, -1 for none: of a neighbouring chunk, and of its own forward pass. */
  readonly needs: Int32Array;
  readonly needsOwn: Int32Array;
  /** The result that goes to a neighbouring chunk, -1 for none; whether that is on another rank. */
  readonly gives: Int32Array;
  readonly hops: Uint8Array;
  /** The result that a forward pass keeps for its chunk, -1 for other passes. */
  readonly keeps: Int32Array;
  /** 1 where the pass runs together with the next one. */
  readonly together: Uint8Array;
  /** The rank's how manyth chunk begins with this forward pass, counted over all ranks; -1 for other passes. */
  readonly begins: Int32Array;
  /** 1 where this is the rank's last gradient pass of its chunk. */
  readonly endsGradients: Uint8Array;
  /** By result: the rank that waits for it. */
  readonly waiting: Int32Array;
  /** Chunks that begin on some rank. */
  readonly beginnings: number;
  readonly results: number;
}

const known = new WeakMap<PipelineOrder, OrderSteps>();

export function orderSteps(order: PipelineOrder): OrderSteps {
  const cached = known.get(order);
  if (cached !== undefined) return cached;
  const steps = makeSteps(order);
  known.set(order, steps);
  return steps;
}

function makeSteps(order: PipelineOrder): OrderSteps {
  const { microBatches, chunks } = order;
  const results = 3 * chunks * microBatches;
  const total = order.ranks.reduce((sum, passes) => sum + passes.length, 0);
  const steps = {
    starts: new Int32Array(order.ranks.length + 1),
    kind: new Uint8Array(total),
    chunk: new Int32Array(total),
    needs: new Int32Array(total).fill(-1),
    needsOwn: new Int32Array(total).fill(-1),
    gives: new Int32Array(total).fill(-1),
    hops: new Uint8Array(total),
    keeps: new Int32Array(total).fill(-1),
    together: new Uint8Array(total),
    begins: new Int32Array(total).fill(-1),
    endsGradients: new Uint8Array(total),
    waiting: new Int32Array(results).fill(-1),
    beginnings: 0,
    results,
  };
  const result = (microBatch: number, chunk: number, which: number): number =>
    3 * (chunk * microBatches + microBatch) + which;
  const lastGradient = new Int32Array(chunks);
  const seen = new Uint8Array(chunks);
  let at = 0;
  order.ranks.forEach((passes, rank) => {
    steps.starts[rank] = at;
    seen.fill(0);
    lastGradient.fill(-1);
    for (const { kind, microBatch, chunk, together } of passes) {
      steps.kind[at] = kindNumber[kind];
      steps.chunk[at] = chunk;
      if (together === true) steps.together[at] = 1;
      if (kind === 'forward') {
        steps.keeps[at] = result(microBatch, chunk, 2);
        if (chunk > 0) steps.needs[at] = result(microBatch, chunk - 1, 0);
        if (seen[chunk] === 0) steps.begins[at] = steps.beginnings++;
        seen[chunk] = 1;
      } else if (kind !== 'weightGradient') {
        steps.needsOwn[at] = result(microBatch, chunk, 2);
        if (chunk < chunks - 1) steps.needs[at] = result(microBatch, chunk + 1, 1);
      }
      if (kind === 'backward' || kind === 'weightGradient') lastGradient[chunk] = at;
      const target = chunk + (kind === 'forward' ? 1 : -1);
      if (kind !== 'weightGradient' && target >= 0 && target < chunks) {
        const given = result(microBatch, chunk, kind === 'forward' ? 0 : 1);
        const receiver = order.rankOf(target, microBatch);
        steps.gives[at] = given;
        steps.waiting[given] = receiver;
        if (receiver !== rank) steps.hops[at] = 1;
      }
      at++;
    }
    for (const last of lastGradient) if (last >= 0) steps.endsGradients[last] = 1;
  });
  steps.starts[order.ranks.length] = at;
  return steps;
}
