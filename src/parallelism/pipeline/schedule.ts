import type { OrderRequest, PipelineOrder } from './order.js';

/** Seconds of one stage's passes for one micro-batch, all its chunks together, exposed communication included. */
export interface StagePass {
  readonly forward: number;
  /** Recomputation included. */
  readonly inputGradient: number;
  readonly weightGradient: number;
}

export interface PipelineLoad {
  readonly passes: readonly StagePass[];
  readonly microBatches: number;
  /** Model chunks per stage. */
  readonly chunks: number;
}

/** A pipeline schedule: in closed form for the bound, and as an order of passes for the event simulation. */
export interface Schedule {
  readonly id: string;
  /**
   * Seconds that the busiest stage idles in a step, given its passes: the fill and drain of the other stages.
   * The step's pipeline time is microBatches x (busiest stage's passes) + this.
   */
  bubbleSeconds(load: PipelineLoad, busiest: number): number;
  /** Activations alive at the peak of `stage`, in micro-batches of the whole stage (a chunk counts 1 / chunks, one that
   * only waits for its weight gradient `weightShare` of that). */
  inFlight(stage: number, stages: number, microBatches: number, chunks: number, weightShare?: number): number;
  /** The order of passes on every rank. */
  order(request: OrderRequest): PipelineOrder;
  /**
   * Ranks start the next step when they are done with this one (the optimizer's global check is made afterwards), so that a step
   * costs the longest span of a rank instead of the whole parallelogram (Qi et al. 2023, section 4).
   */
  readonly staggered: boolean;
  /** Hops between stages that a micro-batch makes in one direction. */
  readonly chunked: boolean;
  /** All micro-batches go forward before the first one goes back, so that the last stage holds as many as the first. */
  readonly forwardFirst: boolean;
  /** Weight gradients run on their own, so that their inputs live longer. */
  readonly splitsWeightGradient: boolean;
}

export function passSeconds(pass: StagePass): number {
  return pass.forward + pass.inputGradient + pass.weightGradient;
}

/** Sum over the other stages of what they do while the busiest one waits. */
export function sumOthers(load: PipelineLoad, busiest: number, idle: (pass: StagePass) => number): number {
  let sum = 0;
  load.passes.forEach((pass, stage) => {
    if (stage !== busiest) sum += Math.max(0, idle(pass));
  });
  return sum;
}
