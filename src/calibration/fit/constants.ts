import type { SustainedFamily } from '../../hardware/accelerator.js';
import type { Framework } from '../../parallelism/framework.js';

/**
 * The constants that `npm run fit` fits. A constant belongs to an accelerator or to a framework (or one of its versions), never to a
 * run, a paper or a model. To fit one more, add an entry: where it lives, what it is expected to be before any run is seen, and how sure
 * that is. A constant without runs that depend on it keeps its parent's value.
 */
interface Fittable {
  /** What is known without the runs: a measured kernel, a source's figure, or an estimate. */
  readonly prior: number;
  /** Standard deviation of the prior's logarithm: 0.05 is "within about 5 %". */
  readonly spread: number;
  /** The same for one owner around the parent: an accelerator around its generation, a version around its framework. */
  readonly ownSpread: number;
  readonly low: number;
  readonly high: number;
  /** Where the prior comes from. */
  readonly source: string;
}

export interface AcceleratorConstant extends Fittable {
  readonly path: readonly ['sustained', SustainedFamily];
}

export type FrameworkKey =
  | 'hostLaunchSeconds'
  | 'hostLayerSeconds'
  | 'hostExpertLayerSeconds'
  | 'hostExpertOverlapFactor'
  | 'stepOverheadSeconds'
  | 'gemmTimeFactor'
  | 'attentionTimeFactor'
  | 'elementwiseTimeFactor'
  | 'hostPassSeconds'
  | 'microBatchOverheadSeconds'
  | 'networkShare'
  | 'jitter';

export interface FrameworkConstant extends Omit<Fittable, 'prior'> {
  readonly path: readonly [FrameworkKey] | readonly ['memory', keyof Framework['memory']];
  readonly prior: number | Readonly<Partial<Record<Framework['id'], number>>>;
}

const discount =
  'recommended_models.gemm of the hardware data: 0.93 to 1 of a GEMM measured alone on H100, 0.75 to 0.95 on B200';

/** Accelerator -> its generation -> all accelerators -> the prior. */
export const acceleratorConstants: readonly AcceleratorConstant[] = [
  { path: ['sustained', 'bf16'], prior: 0.9, spread: 0.05, ownSpread: 0.06, low: 0.6, high: 1.1, source: discount },
  { path: ['sustained', 'fp8'], prior: 0.88, spread: 0.07, ownSpread: 0.07, low: 0.5, high: 1.1, source: discount },
  { path: ['sustained', 'mxfp8'], prior: 0.85, spread: 0.07, ownSpread: 0.07, low: 0.5, high: 1.1, source: discount },
  {
    path: ['sustained', 'fp4'],
    prior: 1,
    spread: 0.2,
    ownSpread: 0.1,
    low: 0.5,
    high: 1.3,
    source:
      'gemm_model_fit of the hardware data: rates alone, quantising kernels included, which one number meets within 20 %',
  },
  {
    path: ['sustained', 'attention'],
    prior: 1,
    spread: 0.07,
    ownSpread: 0.08,
    low: 0.5,
    high: 1.2,
    source:
      'a kernel that leaves half of the matrix units idle draws less power than a GEMM: what is measured alone holds',
  },
];

/** Parts with the same chip at the same power: what one sustains, the other does too, whatever memory it has. */
export const sameChip: Readonly<Record<string, string>> = {
  'a100-sxm-40': 'a100-sxm-80',
  'h200-sxm-141': 'h100-sxm-80',
  'h800-sxm-80': 'h100-sxm-80',
};
/** Standard deviation of the logarithm between two such parts: coolers, firmware. */
export const sameChipSpread = 0.02;

/** Generations that refine the one before: the same units on the same process. */
export const generationBefore: Readonly<Record<string, string>> = { 'blackwell-ultra': 'blackwell' };

/**
 * Sustained rates rise with this power of the watts per FLOP/s inside a generation: clock over power is 1 where the voltage is at its
 * floor and 1/3 where it follows the clock; an estimate between the two.
 */
export const powerExponent = 0.5;

/** What is known of one accelerator without any run of it, where kernels were measured under the conditions of training. */
export const measuredSustained: readonly {
  readonly accelerator: string;
  readonly path: AcceleratorConstant['path'];
  readonly prior: number;
  readonly spread: number;
  readonly source: string;
}[] = [
  {
    accelerator: 'b200-sxm-180',
    path: ['sustained', 'bf16'],
    prior: 0.746,
    spread: 0.08,
    source: 'simumax_measured of the hardware data: 514 GEMMs of training at 0.488 of the peak, 0.654 measured alone',
  },
];

/** Version of a framework -> the framework -> the prior. Only what a framework's file names is fitted there. */
export const frameworkConstants: readonly FrameworkConstant[] = [
  {
    path: ['hostLaunchSeconds'],
    prior: 5e-6,
    spread: 0.25,
    ownSpread: 0.25,
    low: 1.5e-6,
    high: 15e-6,
    source: 'efficiency.kernel_launch of the hardware data: 5 us a launch, 5 to 10 us an eager operation',
  },
  {
    path: ['hostLayerSeconds'],
    // Modules, autograd and hooks of a layer and pass; Megatron's are few, DeepSpeed's and FSDP's wrap every module.
    prior: { megatron: 60e-6, deepspeed: 300e-6, fsdp: 300e-6 },
    spread: 0.8,
    ownSpread: 1,
    low: 5e-6,
    high: 3e-3,
    source: 'estimate: 10 to 60 eager operations of 5 to 10 us',
  },
  {
    path: ['hostExpertLayerSeconds'],
    prior: 3e-3,
    spread: 0.7,
    ownSpread: 0.7,
    low: 0.2e-3,
    high: 12e-3,
    source: 'estimate: counts of tokens read back and dozens of small kernels before the experts start',
  },
  {
    path: ['hostExpertOverlapFactor'],
    prior: { megatron: 1.25 },
    spread: 0.15,
    ownSpread: 0.15,
    low: 1,
    high: 2,
    source: 'estimate: passes cut in pieces with a graph and events of their own, launched in turns',
  },
  {
    path: ['stepOverheadSeconds'],
    prior: { megatron: 0.02, deepspeed: 0.05, fsdp: 0.02, xla: 0.005 },
    spread: 0.5,
    ownSpread: 0.7,
    low: 1e-3,
    high: 0.5,
    source: 'estimate: data loading, logging, read-back of the gradient norm',
  },
  {
    path: ['gemmTimeFactor'],
    prior: 1,
    spread: 0.03,
    ownSpread: 0.05,
    low: 0.85,
    high: 1.4,
    source: "1 is the accelerator's own kernel",
  },
  {
    path: ['attentionTimeFactor'],
    prior: 1,
    spread: 0.05,
    ownSpread: 0.2,
    low: 0.8,
    high: 2,
    source: "1 is the accelerator's own kernel",
  },
  {
    path: ['elementwiseTimeFactor'],
    prior: { megatron: 1.15, deepspeed: 1.15, fsdp: 1.15, xla: 1 },
    spread: 0.08,
    ownSpread: 0.1,
    low: 0.95,
    high: 1.6,
    source: 'training kernels reach 0.7 to 0.8 of HBM, streams 0.83 to 0.89 (efficiency.hbm_achieved)',
  },
  {
    path: ['hostPassSeconds'],
    prior: { megatron: 0.2e-3 },
    spread: 0.7,
    ownSpread: 0.5,
    low: 0.02e-3,
    high: 2e-3,
    source: 'estimate: a few dozen Python calls around a pass of a pipeline stage',
  },
  {
    path: ['microBatchOverheadSeconds'],
    prior: { megatron: 1e-3 },
    spread: 1,
    ownSpread: 1,
    low: 0.05e-3,
    high: 10e-3,
    source: 'estimate: gradient hooks and loss scaling of an engine around every micro-batch',
  },
  {
    path: ['networkShare'],
    prior: 0.125,
    spread: 0.5,
    ownSpread: 0.5,
    low: 0.03,
    high: 1,
    source: "estimate: one of a node's eight adapters",
  },
  {
    path: ['jitter'],
    prior: { megatron: 0.005, deepspeed: 0.007, fsdp: 0.005, xla: 0.002 },
    spread: 0.5,
    ownSpread: 0.5,
    low: 0.0005,
    high: 0.03,
    source: 'estimate: ranks of one job differ by 0.5 to 1 %',
  },
  {
    path: ['memory', 'fragmentation'],
    prior: { megatron: 0.04, deepspeed: 0.06, fsdp: 0.05 },
    spread: 0.35,
    ownSpread: 0.5,
    low: 0.005,
    high: 0.12,
    source: 'efficiency.memory_overheads: 0.02 to 0.1 of what is allocated, 0.05 by default',
  },
];

/** Versions that run under the engine of another one, DeepSpeed's: expected to cost the host what that one does. */
export const sameEngine: Readonly<Record<string, string>> = {
  'gpt-neox': 'megatron-deepspeed',
  'aleph-alpha-scaling': 'megatron-deepspeed',
  'megatron-zero-3-2021': 'megatron-deepspeed',
  'megatron-deepspeed-pipeline': 'megatron-deepspeed',
};

/** What a constant is expected to be in one framework; undefined where the notion does not exist there. */
export function frameworkPrior({ prior }: FrameworkConstant, framework: Framework['id']): number | undefined {
  return typeof prior === 'number' ? prior : prior[framework];
}
