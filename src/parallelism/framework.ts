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
  /** Kernels per second are bounded per layer and direction; host time of a layer beyond its kernels (hooks, FSDP). */
  readonly hostLayerSeconds: number;
  /** Fixed time of a step: data loading, logging, loss-scale check, gradient-norm read-back. */
  readonly stepOverheadSeconds: number;
  /** Multiplies the device time of GEMM, attention and elementwise kernels of this stack; 1 is the preset's measured kernel. */
  readonly gemmTimeFactor: number;
  readonly attentionTimeFactor: number;
  readonly elementwiseTimeFactor: number;
  /** Share of a pipeline send that stays on the critical path of every micro-batch. */
  readonly gradientBucketBytes: number;
  /** Vocabulary is padded to a multiple of this times tensorParallel (Megatron: 128); 1 for none. */
  readonly vocabularyPadding: number;
  /** Bytes per parameter: working copy, gradient buffer, optimizer states in full precision, by data sharding in memory/. */
  readonly mainGradientBytes: 2 | 4;
  readonly masterWeights: boolean;
  readonly memory: {
    readonly contextBytes: number;
    readonly communicatorBytes: number;
    /** Reserved over allocated, minus one. */
    readonly fragmentation: number;
  };
}
