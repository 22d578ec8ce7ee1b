import type { Infeasibility } from '../errors.js';

/** Exposed seconds of one optimizer step by cause; they add up to the step. */
export interface StepBreakdown {
  readonly computeSeconds: number;
  readonly recomputeSeconds: number;
  readonly tensorParallelSeconds: number;
  readonly contextParallelSeconds: number;
  readonly expertParallelSeconds: number;
  readonly pipelineSendSeconds: number;
  readonly pipelineBubbleSeconds: number;
  readonly dataParallelSeconds: number;
  readonly optimizerSeconds: number;
  readonly offloadSeconds: number;
  readonly otherSeconds: number;
}

/** The causes of `StepBreakdown`, in the order in which they are shown. */
export const breakdownKeys = [
  'computeSeconds',
  'recomputeSeconds',
  'tensorParallelSeconds',
  'contextParallelSeconds',
  'expertParallelSeconds',
  'pipelineSendSeconds',
  'pipelineBubbleSeconds',
  'dataParallelSeconds',
  'optimizerSeconds',
  'offloadSeconds',
  'otherSeconds',
] as const satisfies readonly (keyof StepBreakdown)[];

/** Bytes of one pipeline stage on one accelerator, at the moment of its peak. */
export interface StageMemory {
  readonly stage: number;
  readonly layers: number;
  readonly weightsBytes: number;
  readonly gradientsBytes: number;
  readonly optimizerBytes: number;
  readonly activationsBytes: number;
  /** Communication buckets, gathered units, logits and loss, temporaries. */
  readonly buffersBytes: number;
  /** CUDA context, communicators, workspaces: seen by nvidia-smi, not by the allocator. */
  readonly overheadBytes: number;
  /** Allocated peak: weights + gradients + optimizer + activations + buffers. */
  readonly peakBytes: number;
  /** Reserved beyond the usual fragmentation: freed blocks that tensors of other sizes do not fit into. */
  readonly separateBytes: number;
  readonly inFlightMicroBatches: number;
}

/** The answer of the closed form for one scenario: memory and time of a step, nothing about the whole run. */
export interface Evaluation {
  readonly feasible: boolean;
  readonly reasons: readonly Infeasibility[];
  readonly dataParallel: number;
  /** Micro-batches per optimizer step and pipeline. */
  readonly gradientAccumulation: number;
  readonly stepSeconds: number;
  /** What the step rests on: the event simulation or the closed form that bounds it. */
  readonly method: 'simulation' | 'closed-form';
  readonly breakdown: StepBreakdown;
  readonly stages: readonly StageMemory[];
  /** Worst stage: allocated by PyTorch, reserved by its allocator, seen by nvidia-smi. */
  readonly allocatedBytes: number;
  readonly reservedBytes: number;
  readonly deviceBytes: number;
  readonly capacityBytes: number;
  readonly fits: boolean;
  /** Bytes a node's host must hold for offloaded states and activations. */
  readonly hostBytes: number;
  /** FLOPs of one step over all accelerators, in the `megatron` convention. */
  readonly modelFlops: number;
  /** The same with recomputation. */
  readonly hardwareFlops: number;
}
