import type { Framework } from '../../parallelism/framework.js';
import type {
  ContextMethod,
  DataSharding,
  Offload,
  PipelineSchedule,
  Precision,
  Strategy,
} from '../../parallelism/strategy.js';
import type { Scenario } from '../../scenario/scenario.js';

export type SplitDegrees = Pick<
  Strategy,
  | 'precision'
  | 'tensorParallel'
  | 'sequenceParallel'
  | 'tensorOverlap'
  | 'contextParallel'
  | 'expertParallel'
  | 'expertTensorParallel'
  | 'pipelineParallel'
> & { readonly dataParallel: number };
export type ScheduleShape = Pick<
  Strategy,
  'pipelineParallel' | 'pipelineSchedule' | 'virtualStages' | 'overlapPipelineSend'
>;

/** What a framework can launch, as far as the degrees do not say it already. */
export interface FrameworkRules {
  readonly schedules: readonly PipelineSchedule[];
  readonly contextMethods: readonly ContextMethod[];
  /** Which of the model-splitting degrees may be above 1. */
  readonly tensorParallel: boolean;
  readonly pipelineParallel: boolean;
  readonly contextParallel: boolean;
  readonly expertParallel: boolean;
  readonly expertTensorParallel: boolean;
  readonly sequenceParallel: readonly boolean[];
  /** Pieces of the sequence that a context-parallel rank takes, so that causal attention is balanced. */
  readonly contextPieces: number;
  /** Formats below 16 bits that its matrix multiplications can use. */
  readonly lowPrecisions: readonly Precision[];
  readonly shardings: readonly DataSharding[];
  readonly hybridSharding: boolean;
  readonly offloads: readonly Offload[];
  readonly offloadFractions: readonly number[];
  /** Selective recomputation by module, or only the framework's own choice. */
  readonly recomputesModules: boolean;
  /** Full recomputation of some layers of a stage only. */
  readonly recomputesSomeLayers: boolean;
  /** The rule that a combination of degrees breaks, as a key of the strategy; undefined where it may run. */
  refusesDegrees(degrees: SplitDegrees, experts: boolean): keyof Strategy | undefined;
  /** Likewise a schedule for a number of micro-batches. */
  refusesSchedule(shape: ScheduleShape, microBatches: number): keyof Strategy | undefined;
  /** Likewise sharding and offload. */
  refusesStates(strategy: Strategy): 'dataSharding' | 'offload' | undefined;
  /** Likewise what a whole layer is recomputed in beside captured graphs. */
  readonly graphsRecomputeLayers: boolean;
}

const nothing: FrameworkRules = {
  schedules: ['1f1b'],
  contextMethods: [],
  tensorParallel: false,
  pipelineParallel: false,
  contextParallel: false,
  expertParallel: false,
  expertTensorParallel: false,
  sequenceParallel: [false],
  contextPieces: 1,
  graphsRecomputeLayers: true,
  lowPrecisions: [],
  shardings: ['ddp'],
  hybridSharding: false,
  offloads: ['none'],
  offloadFractions: [1],
  recomputesModules: false,
  recomputesSomeLayers: false,
  refusesDegrees: () => undefined,
  refusesSchedule: () => undefined,
  refusesStates: () => undefined,
};

/**
 * Interleaved 1F1B takes micro-batches in whole groups of the pipeline. Megatron-Core (pipeline_parallel/schedules.py) also
 * takes a last group of at least a pipeline where groups are made larger, and PyTorch (distributed/pipelining/schedules.py) rounds of more
 * than a pipeline where they divide the micro-batches; those orders are not modelled.
 */
function wholeGroups(shape: ScheduleShape, microBatches: number): keyof Strategy | undefined {
  const interleaves = shape.pipelineSchedule === 'interleaved-1f1b' && shape.virtualStages > 1;
  return interleaves && microBatches % shape.pipelineParallel !== 0 ? 'virtualStages' : undefined;
}

/**
 * Read in NVIDIA/Megatron-LM 000c4ac, megatron/training/arguments.py unless said otherwise:
 * - experts with tensor parallelism need sequence parallelism (core/model_parallel_config.py; yaml_arguments.py for all MoE models), and
 *   expert parallelism does not train in fp16;
 * - collectives that overlap their matrix multiplications (tp_comm_overlap) need sequence parallelism;
 * - interleaving needs a pipeline of more than one rank, of more than two where its messages do not overlap;
 * - a sequence is a multiple of two pieces for each context-parallel rank;
 * - CUDA graphs go without full recomputation;
 * - the distributed optimizer shards optimizer states only (zero-1); Megatron-FSDP shards the rest and is offered without a pipeline here;
 * - CPU offload of the optimizer belongs to the precision-aware optimizer and with it to the distributed one.
 */
const megatron: FrameworkRules = {
  schedules: ['1f1b', 'interleaved-1f1b'],
  contextMethods: ['ring', 'all-gather', 'ulysses'],
  tensorParallel: true,
  pipelineParallel: true,
  contextParallel: true,
  expertParallel: true,
  expertTensorParallel: true,
  sequenceParallel: [true, false],
  contextPieces: 2,
  graphsRecomputeLayers: false,
  lowPrecisions: ['fp8', 'mxfp8', 'nvfp4'],
  shardings: ['ddp', 'zero-1', 'zero-2', 'zero-3'],
  hybridSharding: false,
  offloads: ['none', 'optimizer-cpu'],
  offloadFractions: [0.25, 0.5, 0.75, 1],
  recomputesModules: true,
  recomputesSomeLayers: true,
  refusesDegrees(d, experts) {
    if (d.expertParallel > 1 && d.precision === 'fp16') return 'expertParallel';
    const needsSequences = d.tensorParallel > 1 && (experts || d.tensorOverlap);
    return needsSequences && !d.sequenceParallel ? 'sequenceParallel' : undefined;
  },
  refusesSchedule(shape, microBatches) {
    const { virtualStages, pipelineParallel, overlapPipelineSend } = shape;
    if (virtualStages > 1 && pipelineParallel <= 2 && !overlapPipelineSend) return 'virtualStages';
    return wholeGroups(shape, microBatches);
  },
  refusesStates(s) {
    const shardsMore = s.dataSharding === 'zero-2' || s.dataSharding === 'zero-3';
    if (shardsMore && s.pipelineParallel > 1) return 'dataSharding';
    return s.offload !== 'none' && s.dataSharding !== 'zero-1' ? 'offload' : undefined;
  },
};

/** Forks that bring schedules of their own, by the version of the framework file. */
const megatronForks: Readonly<Record<string, readonly PipelineSchedule[]>> = {
  'zero-bubble': ['1f1b', 'interleaved-1f1b', 'zb-h1', 'zb-h2', 'zb-v'],
  'hai-llm': ['1f1b', 'zb-h1', 'dualpipe'],
  'fast-llm': ['1f1b', 'breadth-first'],
};

/**
 * DeepSpeed, by its assertions as copies of its sources have them (rules of offload are not confirmed): its pipeline engine asserts ZeRO
 * below 2 (runtime/pipe/engine.py) and runs 1F1B; its expert layers
 * assert ZeRO below 3 (runtime/engine.py, "MoE not supported with Stage 3"); sequences are split by Ulysses, which Megatron-DeepSpeed
 * refuses beside Megatron's sequence parallelism (megatron/initialize.py) and which is offered without TP and PP here; parameters go
 * to the host, and anything to NVMe, with ZeRO-3 only (docs/_pages/config-json.md, offload_param and offload_optimizer).
 */
const deepSpeed: FrameworkRules = {
  ...nothing,
  contextMethods: ['ulysses'],
  tensorParallel: true,
  pipelineParallel: true,
  contextParallel: true,
  expertParallel: true,
  shardings: ['ddp', 'zero-1', 'zero-2', 'zero-3'],
  offloads: ['none', 'optimizer-cpu', 'optimizer-nvme', 'parameters-cpu', 'parameters-nvme'],
  refusesDegrees: (d) =>
    d.contextParallel > 1 && (d.pipelineParallel > 1 || d.tensorParallel > 1) ? 'contextParallel' : undefined,
  refusesStates(s) {
    const level = ['ddp', 'zero-1', 'zero-2', 'zero-3'].indexOf(s.dataSharding);
    if (s.pipelineParallel > 1 && level > 1) return 'dataSharding';
    if (level === 3 && (s.tensorParallel > 1 || s.expertParallel > 1)) return 'dataSharding';
    if (s.offload === 'none') return undefined;
    if (s.pipelineParallel > 1 || level === 0) return 'offload';
    return s.offload === 'optimizer-cpu' || level === 3 ? undefined : 'offload';
  },
};

/** PyTorch's fully_sharded_data_parallel alone: shards over all ranks or inside groups, offloads all states or none. */
const fsdp: FrameworkRules = {
  ...nothing,
  shardings: ['ddp', 'zero-2', 'zero-3'],
  hybridSharding: true,
  offloads: ['none', 'parameters-cpu'],
  refusesStates: (s) => (s.offload !== 'none' && s.dataSharding !== 'zero-3' ? 'offload' : undefined),
};

/**
 * torchtitan puts tensor, context, pipeline and expert parallelism beside FSDP. Read in pytorch/torchtitan 0119de1,
 * torchtitan/distributed/parallel_dims.py: experts are split by tensor parallelism as everything else or not at all; with it expert parallelism takes all
 * context-parallel ranks and some data-parallel ones, without it the tensor-parallel ones as well; a sequence is a multiple of two
 * pieces for each context-parallel rank, times tensor parallelism.
 */
const torchtitan: FrameworkRules = {
  ...fsdp,
  schedules: ['1f1b', 'gpipe', 'interleaved-1f1b', 'breadth-first', 'zb-v'],
  contextMethods: ['all-gather', 'ring'],
  tensorParallel: true,
  pipelineParallel: true,
  contextParallel: true,
  expertParallel: true,
  expertTensorParallel: true,
  sequenceParallel: [true],
  contextPieces: 2,
  lowPrecisions: ['fp8', 'mxfp8'],
  recomputesSomeLayers: true,
  refusesDegrees({ tensorParallel, contextParallel, dataParallel, expertParallel, expertTensorParallel }) {
    if (expertParallel === 1) return undefined;
    if (expertTensorParallel !== 1 && expertTensorParallel !== tensorParallel) return 'expertTensorParallel';
    const borrowed = contextParallel * (expertTensorParallel === tensorParallel ? 1 : tensorParallel);
    const divides = expertParallel % borrowed === 0 && (dataParallel * borrowed) % expertParallel === 0;
    return divides ? undefined : 'expertParallel';
  },
  refusesSchedule: wholeGroups,
  refusesStates(s) {
    if (s.dataSharding === 'ddp' && (s.tensorParallel > 1 || s.contextParallel > 1)) return 'dataSharding';
    return fsdp.refusesStates(s);
  },
};

/** MaxText: data, fsdp, tensor, context and expert axes, and a circular pipeline that this model does not know. */
const xla: FrameworkRules = {
  ...nothing,
  contextMethods: ['all-gather'],
  tensorParallel: true,
  contextParallel: true,
  expertParallel: true,
  sequenceParallel: [true],
  lowPrecisions: ['fp8'],
  shardings: ['ddp', 'zero-3'],
  hybridSharding: true,
};

/** The rules of a framework and version. What a version cannot do counts for open keys only: what the user fixed is never doubted. */
export function rulesOf({ id, version }: Framework): FrameworkRules {
  if (id === 'megatron') {
    const schedules = megatronForks[version];
    return schedules === undefined ? megatron : { ...megatron, schedules };
  }
  if (id === 'deepspeed') return deepSpeed;
  if (id === 'xla') return xla;
  return version === 'torchtitan' || version === 'nemo-automodel' ? torchtitan : fsdp;
}

/** Keys of a whole strategy whose values its framework would refuse together with the others. */
export function refusedKeys({ framework, model, accelerators }: Scenario, strategy: Strategy): readonly string[] {
  const rules = rulesOf(framework);
  const { tensorParallel, contextParallel, pipelineParallel, globalBatchSize, microBatchSize } = strategy;
  const dataParallel = accelerators / (tensorParallel * contextParallel * pipelineParallel);
  const captured = strategy.cudaGraphs !== 'none' && strategy.recompute === 'full' && !rules.graphsRecomputeLayers;
  return [
    rules.refusesDegrees({ ...strategy, dataParallel }, model.moe !== null),
    rules.refusesSchedule(strategy, globalBatchSize / (dataParallel * microBatchSize)),
    rules.refusesStates(strategy),
    captured ? 'cudaGraphs' : undefined,
  ].filter((key) => key !== undefined);
}
