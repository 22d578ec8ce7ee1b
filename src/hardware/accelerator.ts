/** Number formats that matrix units multiply. `fp4` stands for nvfp4 and mxfp4. */
export type MatrixFormat = 'fp32' | 'tf32' | 'fp16' | 'bf16' | 'fp8' | 'fp4';

/** How well GEMMs of one format run: `seconds = max(flops / (peak * maxEfficiency * ramp), bytes / memory) + launch`. */
export interface GemmCurve {
  /** Fraction of the dense peak that large GEMMs reach when measured alone. */
  readonly maxEfficiency: number;
  /** Fixed time of one GEMM on the device. */
  readonly launchSeconds: number;
  /** Extra memory traffic of quantising the activations, as a multiple of the activation bytes; 0 for 16 bit. */
  readonly quantiseTrafficMultiplier: number;
}

/** Kernel families whose sustained rate is fitted. */
export type SustainedFamily = 'bf16' | 'fp8' | 'mxfp8' | 'fp4' | 'attention';

/** Attention efficiency by sequence length for one kernel family and head dimension, as a fraction of the dense 16-bit peak. */
export interface AttentionCurve {
  readonly kernel: 'unfused' | 'flash-1' | 'flash-2' | 'flash-3' | 'flash-4' | 'cudnn';
  readonly headDim: number;
  readonly direction: 'forward' | 'backward';
  /** `[sequenceLength, efficiency]`, ascending; FLOPs counted with the causal half skipped. */
  readonly points: readonly (readonly [number, number])[];
}

/** One collective inside a scale-up domain: bus bandwidth = maximum / (1 + (halfBytes / bytes) ^ power). */
export interface CollectiveCurve {
  readonly ranks: number;
  readonly busBytesPerSecond: number;
  readonly halfBytes: number;
  readonly power: number;
  readonly minimumSeconds: number;
}

export type CollectiveKind = 'allReduce' | 'allGather' | 'reduceScatter' | 'allToAll';

/** One kind of accelerator, fully resolved. SI units; bandwidths per direction; dense peaks, no sparsity. */
export interface Accelerator {
  readonly id: string;
  readonly name: string;
  readonly vendor: string;
  readonly generation: string;
  readonly year: number;
  /** Dense peak FLOP/s by format; 0 where the hardware has none. */
  readonly peakFlopsPerSecond: Readonly<Record<MatrixFormat, number>>;
  /** HBM as sold, in binary units: an "80 GB" part holds 80 GiB. */
  readonly memoryBytes: number;
  /** HBM that a process can allocate from, as the driver reports it. */
  readonly usableMemoryBytes: number;
  readonly memoryBytesPerSecond: number;
  /** Fraction of `memoryBytesPerSecond` that streaming kernels reach. */
  readonly memoryEfficiency: number;
  readonly l2Bytes: number;
  /** Streaming multiprocessors or compute units; 0 where the notion does not exist. */
  readonly multiprocessors: number;
  readonly clockHertz: number;
  /** Board power limit; 0 where not published. */
  readonly watts: number;
  /** Scale-up link, one accelerator, one direction. */
  readonly scaleUpBytesPerSecond: number;
  /** How scale-up peers are wired; a mesh gives a pair only `scaleUpBytesPerSecond / (domain - 1)`. */
  readonly scaleUpTopology: 'switch' | 'mesh' | 'torus-2d' | 'torus-3d' | 'pcie' | 'none';
  /** Accelerators that share a scale-up domain where the cluster does not say otherwise. */
  readonly scaleUpDomainSize: number;
  /** In-network reduction on the scale-up switch (NVLS). */
  readonly scaleUpReduction: boolean;
  /** Scale-out NIC share of one accelerator, one direction: the default of clusters that do not state a network. */
  readonly scaleOutBytesPerSecond: number;
  /** Host link, one direction, as achieved. */
  readonly hostBytesPerSecond: number;
  readonly gemm: Readonly<Record<'bf16' | 'fp8' | 'fp4', GemmCurve>> & {
    /** GEMM kernels run their output tiles in whole waves over the multiprocessors, as before Hopper's persistent kernels. */
    readonly wholeWaves: boolean;
  };
  /**
   * What a whole training step sustains of a kernel measured alone, by family: power and clock limits over minutes, operand
   * layouts, neighbours on the memory. 1 where nothing is known.
   */
  readonly sustained: Readonly<Record<SustainedFamily, number>>;
  readonly attention: readonly AttentionCurve[];
  /** Grouped (expert) GEMMs: `[tokensPerExpert, fraction of the dense GEMM's efficiency]`, ascending. */
  readonly groupedGemm: readonly (readonly [number, number])[];
  /** Measured curves inside a scale-up domain; may be empty, then the link rate and NCCL's latencies serve. */
  readonly collectives: Readonly<Record<CollectiveKind, readonly CollectiveCurve[]>>;
  /** While communication runs beside compute, each is slowed by this factor (1 is no contention). */
  readonly overlapContention: number;
}
