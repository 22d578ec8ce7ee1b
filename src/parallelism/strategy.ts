/** How the training is split and executed, fully resolved. Degree 1 means off. Field meanings: interface of the run file. */
export interface Strategy {
  readonly tensorParallel: number;
  readonly sequenceParallel: boolean;
  readonly contextParallel: number;
  readonly contextMethod: ContextMethod;
  readonly pipelineParallel: number;
  /** Model chunks per pipeline rank (interleaving). */
  readonly virtualStages: number;
  readonly pipelineSchedule: PipelineSchedule;
  readonly expertParallel: number;
  readonly expertTensorParallel: number;
  readonly dataSharding: DataSharding;
  /** With zero-3: ranks that share one copy of the states (HSDP); 0 means all data-parallel ranks. */
  readonly shardGroupSize: number;
  /** With zero-3: a layer's gathered weights are dropped after its forward pass and gathered again for its backward pass. */
  readonly reshardAfterForward: boolean;
  readonly offload: Offload;
  /** Fraction of optimizer states that lives on the host with `optimizer-cpu`. */
  readonly optimizerOffloadFraction: number;
  /** Layers per stage whose activations are copied to the host. */
  readonly activationOffloadLayers: number;
  readonly microBatchSize: number;
  /** Sequences per optimizer step. */
  readonly globalBatchSize: number;
  readonly recompute: Recompute;
  /** With `full`: layers per stage that are recomputed (block recompute); 0 means all. */
  readonly recomputeLayers: number;
  /** With `selective`: which modules; `core_attn` where none is named. Megatron's names. */
  readonly recomputeModules: readonly string[];
  readonly precision: Precision;
  readonly gradientDtype: 'fp32' | 'bf16' | 'fp16';
  readonly optimizer: Optimizer;
  readonly attentionKernel: AttentionKernel;
  readonly fusedNorm: boolean;
  readonly fusedCrossEntropy: boolean;
  readonly compile: boolean;
  readonly cudaGraphs: 'none' | 'layer' | 'full';
  /** Tensor-parallel collectives overlap with their GEMMs in chunks. */
  readonly tensorOverlap: boolean;
  readonly expertOverlap: boolean;
  readonly expertDispatcher: 'alltoall' | 'deepep' | 'hybridep';
  /** Gradient reduction overlaps the last micro-batch's backward pass. */
  readonly overlapGradientReduce: boolean;
  /** Parameter all-gather overlaps the first forward pass. */
  readonly overlapParameterGather: boolean;
  /** Pipeline sends overlap compute. */
  readonly overlapPipelineSend: boolean;
  /** Layers per model chunk in depth order (chunk j of stages x chunks), or empty for an even split. */
  readonly stageLayers: readonly number[];
}

export const contextMethods = ['ring', 'all-gather', 'ulysses'] as const;
export type ContextMethod = (typeof contextMethods)[number];
export const pipelineSchedules = [
  'gpipe',
  '1f1b',
  'interleaved-1f1b',
  'breadth-first',
  'zb-h1',
  'zb-h2',
  'zb-v',
  'dualpipe',
] as const;
export type PipelineSchedule = (typeof pipelineSchedules)[number];
export const dataShardings = ['ddp', 'zero-1', 'zero-2', 'zero-3'] as const;
export type DataSharding = (typeof dataShardings)[number];
export const offloads = ['none', 'optimizer-cpu', 'optimizer-nvme', 'parameters-cpu', 'parameters-nvme'] as const;
export type Offload = (typeof offloads)[number];
export const recomputes = ['none', 'selective', 'full'] as const;
export type Recompute = (typeof recomputes)[number];
export const precisions = ['fp32', 'tf32', 'fp16', 'bf16', 'fp8', 'mxfp8', 'nvfp4'] as const;
export type Precision = (typeof precisions)[number];
export const optimizers = ['adamw', 'adam8bit', 'sgd', 'adafactor', 'lion', 'muon'] as const;
export type Optimizer = (typeof optimizers)[number];
export const attentionKernels = [
  'unfused',
  'fused-softmax',
  'flash-1',
  'flash-2',
  'flash-3',
  'flash-4',
  'cudnn',
] as const;
export type AttentionKernel = (typeof attentionKernels)[number];

/** Schedules whose runtimes post sends and receives ahead and only wait for what the next pass reads (sail-sg/zero-bubble, DeepSeek). */
export function sendsBesidePasses(schedule: string | undefined): boolean {
  return schedule === 'dualpipe' || (schedule?.startsWith('zb-') ?? false);
}
