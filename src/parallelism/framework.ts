import type { LossKind } from '../model/endOperators.js';
import type { Strategy } from './strategy.js';

/**
 * What a training framework does by itself: the defaults it fills in, how far its kernels are fused, what its host
 * code costs, what it keeps in memory. One preset file per framework; `versions` in the file change single figures.
 */
export interface Framework {
  readonly id: 'megatron' | 'deepspeed' | 'fsdp' | 'xla';
  /** Name of the version whose figures apply, such as `megatron-core` or `megatron-deepspeed-2022`. */
  readonly version: string;
  readonly defaults: Partial<Strategy>;
  /** How far bandwidth-bound operators are fused: one kernel per tensor operation, per chain, or hand-fused. */
  readonly fusion: 'eager' | 'compiled' | 'fused';
  /** Host time to launch one kernel without CUDA graphs. */
  readonly hostLaunchSeconds: number;
  /** Host time of one layer and pass (forward, recomputation, backward) beside its kernels: modules, autograd, hooks. */
  readonly hostLayerSeconds: number;
  /** Host time that a layer with experts adds to a pass: counts of tokens read back before the experts can be launched. */
  readonly hostExpertLayerSeconds: number;
  /** Multiplies the host time of a layer with experts where their exchange is overlapped: passes cut in pieces, launched in turns. */
  readonly hostExpertOverlapFactor: number;
  /**
   * Host time of a forward or backward pass of a pipeline stage that the device waits for: its queue runs empty while the stage receives, and
   * fills again only after the schedule, the send and receive calls and the model's entry have run.
   */
  readonly hostPassSeconds: number;
  /**
   * Time at each micro-batch of a stage in which the device waits for the host: batches broadcast to tensor-parallel ranks, shapes
   * and losses read back, embedding and head launched anew.
   */
  readonly microBatchOverheadSeconds: number;
  /** Fixed time of a step: data loading, logging, loss-scale check, gradient-norm read-back. */
  readonly stepOverheadSeconds: number;
  /** Multiplies the device time of GEMM, attention and elementwise kernels of this stack; 1 is the preset's measured kernel. */
  readonly gemmTimeFactor: number;
  readonly attentionTimeFactor: number;
  readonly elementwiseTimeFactor: number;
  /**
   * Memory traffic of quantising a GEMM's input in tensor operations of their own, as a multiple of its 16-bit bytes; 0 where
   * the accelerator's fused kernels do it. Compiling fuses it.
   */
  readonly eagerQuantiseTraffic: number;
  /** Pipelines of which nothing else is said are interleaved, one layer to a chunk. */
  readonly interleavesPipeline: boolean;
  /** The backward tensor-parallel collective of a column-parallel layer runs beside its weight gradient. */
  readonly asyncTensorBackward: boolean;
  /**
   * A whole layer that is recomputed ends where the last tensor that the backward pass reads is back, before its last product:
   * PyTorch's non-reentrant checkpoint (`early_stop`), and XLA, which drops what nothing reads. Megatron's and DeepSpeed's run it all.
   */
  readonly recomputeStopsEarly: boolean;
  /** Weight gradients are added to the fp32 gradient buffer inside the GEMM. */
  readonly fusedGradientAccumulation: boolean;
  /** Data-parallel traffic is cut into buckets of this size; the last one cannot overlap. */
  readonly gradientBucketBytes: number;
  /** Type in which gradients travel. */
  readonly gradientReduceBytes: 2 | 4;
  /** Gradients are all-reduced even where the optimizer is sharded (DeepSpeed's pipeline engine). */
  readonly gradientAllReduce: boolean;
  /**
   * Share of the network between nodes that any traffic reaches. Below 1 where a stack's transfers run far below NCCL's own rate:
   * unflattened tensors, copies around each collective, too few of the node's adapters.
   */
  readonly networkShare: number;
  /** Pipeline messages are scattered over tensor-parallel ranks (Megatron's scatter-gather, implied by sequence parallelism). */
  readonly scatterGatherPipeline: boolean;
  /** A stage's compute waits for the messages that it receives as well as for those that it sends. */
  readonly blockingReceive: boolean;
  /** The loss is taken over slices of the tokens together with the head, so that whole logits never exist (Liger). */
  readonly slicedLoss: boolean;
  /** Logits are gathered over tensor-parallel ranks before the loss instead of a vocabulary-parallel loss. */
  readonly gatheredLogits: boolean;
  /** Dropout of GPT-shaped models that do not say theirs. */
  readonly dropout: number;
  /** The same of models with a gated feed-forward layer. */
  readonly gatedDropout: number;
  /** The weights themselves are kept in the low precision (fp8, mxfp8); otherwise quantised copies stand beside 16-bit weights. */
  readonly lowPrecisionWeights: boolean;
  /** Vocabulary is padded to a multiple of this times tensorParallel (Megatron: 128); 1 for none. */
  readonly vocabularyPadding: number;
  /** Bytes per parameter of the weights used in compute: 2 for 16-bit copies, 4 where only fp32 weights are kept (FSDP, XLA). */
  readonly weightBytes: 2 | 4;
  /** An fp32 master copy beside the weights belongs to the optimizer states. */
  readonly masterWeights: boolean;
  /** Extra reads and writes of the optimizer step, bytes per parameter (unfused updates, copies between buffers). */
  readonly optimizerExtraBytes: number;
  /** A straggler's share: relative standard deviation of one rank's step; a synchronous step waits for the slowest. */
  readonly jitter: number;
  readonly memory: FrameworkMemory;
}

/** What a framework allocates beside the tensors that the model needs. */
export interface FrameworkMemory {
  readonly contextBytes: number;
  readonly communicatorBytes: number;
  /** Reserved over allocated, minus one. */
  readonly fragmentation: number;
  /** How the loss is taken: which tensors of the size of the logits exist. */
  readonly loss: LossKind;
  /** One placeholder gradient for each shape of weight stays allocated (Transformer Engine, gradients added inside the GEMM). */
  readonly placeholderGradients: boolean;
  /** Gradients are summed in a buffer of their own, so that one weight's fresh gradient exists beside it (Megatron's main_grad). */
  readonly gradientBuffer: boolean;
  /** What a stage hands on stays allocated until its micro-batch comes back (DeepSpeed; Megatron frees it since 2022). */
  readonly keepsStageOutput: boolean;
  /** Activations that each layer keeps whole on every rank where tensorParallel > 1, in elements per token and hidden size. */
  readonly tensorCopies: number;
  /** The same with sequence parallelism, in addition (inputs kept as gathered). */
  readonly sequenceCopies: number;
  /** Bytes per parameter of gradients in 16-bit training where they are not one tensor of `gradientDtype`. */
  readonly gradientBytes: { readonly fp16?: number | undefined; readonly bf16?: number | undefined };
  /** What fully sharded weights are gathered by: a whole layer, or one matrix after the other. */
  readonly gatherUnit: 'layer' | 'matrix';
}
