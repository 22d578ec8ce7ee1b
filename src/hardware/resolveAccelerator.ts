import type { Accelerator, CollectiveCurve, CollectiveKind, GemmCurve, MatrixFormat } from './accelerator.js';
import type { AcceleratorFile, AcceleratorInput } from './acceleratorSchema.js';
import { plainNumber } from './figure.js';

/** What stands in for figures that a description leaves out. Estimates, all of them; every preset states its own. */
const assumed = {
  /** Driver-reported over sold memory: 0.97 (B300) to 0.998 (MI355X); the cautious end. */
  usableFraction: 0.97,
  /** Streaming kernels reach 0.83-0.89 on A100, H100, H200 (BabelStream). */
  memoryEfficiency: 0.85,
  /** PCIe 4 x16 as achieved. */
  hostBytesPerSecond: 25e9,
  /** 400 Gbit/s per accelerator, the usual NIC since 2022. */
  scaleOutBytesPerSecond: 50e9,
  /** Galvatron measured 1.126 on A100. */
  overlapContention: 1.13,
  gemm: { maxEfficiency: 0.7, launchSeconds: 5e-6, quantiseTrafficMultiplier: 0 },
  /** The ratio of the H100 fits of fp8 and bf16, 0.697 / 0.755, and their quantising traffic. */
  fp8OverBf16: 0.92,
  quantiseTrafficMultiplier: 2.5,
  /** FlashAttention-2 on A100, head size 128, as a fraction of peak (the a100-sxm-80 preset). */
  attention: {
    forward: [
      [512, 0.354],
      [1024, 0.476],
      [2048, 0.555],
      [4096, 0.619],
      [8192, 0.651],
      [16384, 0.676],
      [65536, 0.726],
    ],
    backward: [
      [512, 0.305],
      [1024, 0.409],
      [2048, 0.477],
      [4096, 0.532],
      [8192, 0.56],
      [16384, 0.582],
      [65536, 0.625],
    ],
  },
  /** The table of the h100-sxm-80 preset. */
  groupedGemm: [
    [64, 0.158],
    [128, 0.324],
    [256, 0.545],
    [512, 0.721],
    [1024, 0.903],
    [2048, 0.95],
  ],
} as const;

/** A description with its provenance stripped and its gaps filled. */
export function resolveAccelerator(file: AcceleratorFile | AcceleratorInput): Accelerator {
  const memoryBytes = plainNumber(file.memoryBytes);
  const scaleUpBytesPerSecond = plainNumber(file.scaleUpBytesPerSecond, 0);
  const linked = scaleUpBytesPerSecond > 0;
  return {
    id: file.id ?? 'inline',
    name: file.name ?? file.id ?? 'inline accelerator',
    vendor: file.vendor ?? 'unknown',
    generation: file.generation ?? 'unknown',
    year: file.year ?? 0,
    peakFlopsPerSecond: peaks(file),
    memoryBytes,
    usableMemoryBytes: plainNumber(file.usableMemoryBytes, memoryBytes * assumed.usableFraction),
    memoryBytesPerSecond: plainNumber(file.memoryBytesPerSecond),
    memoryEfficiency: plainNumber(file.memoryEfficiency, assumed.memoryEfficiency),
    l2Bytes: plainNumber(file.l2Bytes, 0),
    multiprocessors: plainNumber(file.multiprocessors, 0),
    clockHertz: plainNumber(file.clockHertz, 0),
    watts: plainNumber(file.watts, 0),
    scaleUpBytesPerSecond,
    scaleUpTopology: file.scaleUpTopology ?? (linked ? 'switch' : 'none'),
    scaleUpDomainSize: file.scaleUpDomainSize ?? (linked ? 8 : 1),
    scaleUpReduction: file.scaleUpReduction ?? false,
    scaleOutBytesPerSecond: plainNumber(file.scaleOutBytesPerSecond, assumed.scaleOutBytesPerSecond),
    hostBytesPerSecond: plainNumber(file.hostBytesPerSecond, assumed.hostBytesPerSecond),
    gemm: gemmCurves(file),
    sustained: sustained(file),
    attention: attentionCurves(file),
    groupedGemm: file.groupedGemm?.points ?? assumed.groupedGemm,
    collectives: collectiveCurves(file),
    overlapContention: plainNumber(file.overlapContention, assumed.overlapContention),
  };
}

function peaks({ peakFlopsPerSecond: p }: AcceleratorFile | AcceleratorInput): Record<MatrixFormat, number> {
  return {
    fp32: plainNumber(p.fp32, 0),
    tf32: plainNumber(p.tf32, 0),
    fp16: plainNumber(p.fp16, 0),
    bf16: plainNumber(p.bf16, 0),
    fp8: plainNumber(p.fp8, 0),
    fp4: plainNumber(p.fp4, 0),
  };
}

/** A format without a curve of its own (often without a peak, too) takes bf16's, discounted. */
function gemmCurves({ gemm }: AcceleratorFile | AcceleratorInput): Accelerator['gemm'] {
  const bf16 = gemmCurve(gemm?.bf16 ?? assumed.gemm);
  const discounted = {
    maxEfficiency: bf16.maxEfficiency * assumed.fp8OverBf16,
    launchSeconds: bf16.launchSeconds,
    quantiseTrafficMultiplier: assumed.quantiseTrafficMultiplier,
  };
  const fp8 = gemmCurve(gemm?.fp8 ?? discounted);
  return { bf16, fp8, fp4: gemmCurve(gemm?.fp4 ?? fp8), wholeWaves: gemm?.wholeWaves ?? false };
}

/** A format without a figure of its own sustains what bf16 does. */
function sustained({ sustained: given }: AcceleratorFile | AcceleratorInput): Accelerator['sustained'] {
  const bf16 = plainNumber(given?.bf16, 1);
  const fp8 = plainNumber(given?.fp8, bf16);
  return {
    bf16,
    fp8,
    mxfp8: plainNumber(given?.mxfp8, fp8),
    fp4: plainNumber(given?.fp4, fp8),
    attention: plainNumber(given?.attention, 1),
  };
}

function gemmCurve(curve: NonNullable<AcceleratorFile['gemm']>['bf16']): GemmCurve {
  const { maxEfficiency, launchSeconds, quantiseTrafficMultiplier = 0 } = curve;
  return { maxEfficiency, launchSeconds, quantiseTrafficMultiplier };
}

function attentionCurves({ attention }: AcceleratorFile | AcceleratorInput): Accelerator['attention'] {
  if (attention !== undefined && attention.length > 0)
    return attention.map(({ kernel, headDim, direction, points }) => ({ kernel, headDim, direction, points }));
  return (['forward', 'backward'] as const).map((direction) => {
    return { kernel: 'flash-2', headDim: 128, direction, points: assumed.attention[direction] };
  });
}

function collectiveCurves(file: AcceleratorFile | AcceleratorInput): Record<CollectiveKind, CollectiveCurve[]> {
  // A link that is faster than the measured one carries its collectives faster; latencies stay.
  const link = plainNumber(file.scaleUpBytesPerSecond, 0);
  const measuredAt = plainNumber(file.collectivesMeasuredAtBytesPerSecond, link);
  const faster = link > 0 && measuredAt > 0 ? link / measuredAt : 1;
  const curves = (kind: CollectiveKind): CollectiveCurve[] =>
    (file.collectives?.[kind] ?? []).map(({ ranks, busBytesPerSecond, halfBytes, power, minimumSeconds }) => {
      return { ranks, busBytesPerSecond: busBytesPerSecond * faster, halfBytes, power, minimumSeconds };
    });
  return {
    allReduce: curves('allReduce'),
    allGather: curves('allGather'),
    reduceScatter: curves('reduceScatter'),
    allToAll: curves('allToAll'),
  };
}
