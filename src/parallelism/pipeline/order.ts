/**
 * What a rank does, in order. `backward` is input and weight gradient in one; schedules that split them use the other two.
 */
export type PassKind = 'forward' | 'backward' | 'inputGradient' | 'weightGradient';
export const passKinds = ['forward', 'backward', 'inputGradient', 'weightGradient'] as const;

/** One pass of one micro-batch through one model chunk; `chunk` counts in depth order over the whole model. */
export interface Pass {
  readonly kind: PassKind;
  readonly microBatch: number;
  readonly chunk: number;
  /** Runs at the same time as the next pass of the rank, as one: both end together (DualPipe). */
  readonly together?: true;
}

/** The order of passes on every pipeline rank. */
export interface PipelineOrder {
  readonly ranks: readonly (readonly Pass[])[];
  readonly microBatches: number;
  /** Model chunks in all: stages x chunks per stage (DualPipe: stages, each held by two ranks). */
  readonly chunks: number;
  /** The rank on which a chunk runs a given micro-batch. */
  readonly rankOf: (chunk: number, microBatch: number) => number;
}

/** What an order is generated for. */
export interface OrderRequest {
  readonly stages: number;
  readonly microBatches: number;
  /** Chunks per stage. */
  readonly chunks: number;
  /** Relative lengths of a chunk's passes: schedules that fill bubbles with weight gradients look at them. */
  readonly lengths: PassLengths;
  /** A message between neighbours, in the unit of `lengths`; none where not given. */
  readonly sendLength?: number;
  /** Of a chunk's activations, what its weight gradient still needs after its input gradient; 1 counts all. */
  readonly weightShare?: number;
}

/** Forward, input gradient, weight gradient; any unit. */
export interface PassLengths {
  readonly forward: number;
  readonly inputGradient: number;
  readonly weightGradient: number;
}

/** One chunk per stage: rank i holds chunk i. */
export function straight(ranks: readonly (readonly Pass[])[], microBatches: number): PipelineOrder {
  return { ranks, microBatches, chunks: ranks.length, rankOf: (chunk) => chunk };
}

/** `n` things numbered from 0. */
export function times<T>(n: number, make: (i: number) => T): T[] {
  return Array.from({ length: Math.max(0, n) }, (_, i) => make(i));
}

export function forward(microBatch: number, chunk: number): Pass {
  return { kind: 'forward', microBatch, chunk };
}

export function backward(microBatch: number, chunk: number): Pass {
  return { kind: 'backward', microBatch, chunk };
}

export function inputGradient(microBatch: number, chunk: number): Pass {
  return { kind: 'inputGradient', microBatch, chunk };
}

export function weightGradient(microBatch: number, chunk: number): Pass {
  return { kind: 'weightGradient', microBatch, chunk };
}
