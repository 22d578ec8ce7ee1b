import { SlipwayError } from '../errors.js';
import type { Accelerator } from '../hardware/accelerator.js';
import type { Architecture } from '../model/architecture.js';
import type { Framework } from '../parallelism/framework.js';
import {
  type AttentionKernel,
  type Precision,
  pipelineSchedules,
  type Strategy,
  sendsBesidePasses,
} from '../parallelism/strategy.js';
import type { StrategyDefaults } from './frameworkDefaults.js';
import { parsePipelineLayout } from './pipelineLayout.js';
import type { FilledDefault } from './scenario.js';

/** What the defaults of a strategy depend on. */
export interface StrategyContext {
  readonly model: Architecture;
  readonly accelerator: Accelerator;
  readonly accelerators: number;
  readonly framework: Framework['id'];
  /** The framework's own defaults, `flashAttention` included. */
  readonly defaults: StrategyDefaults;
  /** Pipelines of which nothing else is said are interleaved (`Framework`). */
  readonly interleavesPipeline: boolean;
}

type Given = StrategyDefaults;

/** What a layout gets wrong is said in its own words: the degrees only know the layers that it spells out. */
function checkLayout(
  { pipelineLayout, stageLayers, virtualStages }: Given,
  pipelineParallel: number,
  model: Architecture,
): void {
  if (pipelineLayout === undefined) return;
  const refuse = (message: string): never => {
    throw new SlipwayError('invalid-degrees', message, { key: 'strategy.pipelineLayout' });
  };
  if (stageLayers !== undefined) refuse('says the same as stageLayers; give one of them');
  const layers = layersOfLayout(pipelineLayout);
  const sum = layers.reduce((total, count) => total + count, 0);
  if (sum !== model.numLayers) refuse(`holds ${sum} layers (t), but ${model.name} has ${model.numLayers}`);
  const laps = pipelineParallel === 1 ? 1 : Math.max(1, Math.floor(layers.length / pipelineParallel));
  const chunks = pipelineParallel * (virtualStages ?? laps);
  if (layers.length !== chunks) {
    const wanted = `pipelineParallel ${pipelineParallel}${virtualStages === undefined ? '' : ` x virtualStages ${virtualStages}`}`;
    refuse(`has ${layers.length} chunks, for ${wanted}; give ${chunks}`);
  }
}

/** Only the event simulation can run a schedule from a file; `simulate` takes it out before it asks for the strategy. */
function checkSchedule({ pipelineSchedule }: Given): void {
  if (pipelineSchedule === undefined || pipelineSchedules.some((name) => name === pipelineSchedule)) return;
  const message = `'${pipelineSchedule}' is a file, which only \`slipway simulate\` reads; name one of ${pipelineSchedules.join(', ')}`;
  throw new SlipwayError('unsupported', message, { key: 'strategy.pipelineSchedule' });
}

/** Fills in what the run file leaves out, and notes every value with who says so. */
export function resolveStrategy(given: Given, context: StrategyContext): [Strategy, readonly FilledDefault[]] {
  const filled: FilledDefault[] = [];
  const note = <T>(key: string, value: T, from: string): T => {
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
      filled.push({ key: `strategy.${key}`, value, from });
    }
    return value;
  };
  /** The run file's value, else the framework's, else ours. */
  const pick = <K extends keyof Given & keyof Strategy>(key: K, fallback: Strategy[K]): Strategy[K] => {
    const own = given[key];
    if (own !== undefined) return own as Strategy[K];
    const usual = context.defaults[key];
    return usual === undefined ? note(key, fallback, 'slipway') : note(key, usual as Strategy[K], context.framework);
  };
  /** Ours depends on other values, so the framework's file cannot say it. */
  const derive = <K extends keyof Given & keyof Strategy>(key: K, value: Strategy[K], from: string): Strategy[K] => {
    const own = given[key];
    return own === undefined ? note(key, value, from) : (own as Strategy[K]);
  };

  const tensorParallel = pick('tensorParallel', 1);
  const contextParallel = pick('contextParallel', 1);
  const pipelineParallel = pick('pipelineParallel', 1);
  const microBatchSize = pick('microBatchSize', 1);
  checkLayout(given, pipelineParallel, context.model);
  checkSchedule(given);
  const virtualStages = derive('virtualStages', usualVirtualStages(given, pipelineParallel, context), 'slipway');
  const offload = pick('offload', 'none');
  const precision = derive('precision', usualPrecision(context), context.framework);
  const strategy: Strategy = {
    tensorParallel,
    sequenceParallel: derive(
      'sequenceParallel',
      tensorParallel > 1 && (context.defaults.sequenceParallel ?? false),
      context.framework,
    ),
    contextParallel,
    contextMethod: pick('contextMethod', 'ring'),
    pipelineParallel,
    virtualStages,
    pipelineSchedule: derive('pipelineSchedule', virtualStages > 1 ? 'interleaved-1f1b' : '1f1b', context.framework),
    expertParallel: pick('expertParallel', 1),
    expertTensorParallel: derive('expertTensorParallel', usualExpertTensor(given, context), context.framework),
    dataSharding: pick('dataSharding', 'ddp'),
    shardGroupSize: pick('shardGroupSize', 0),
    reshardAfterForward: given.reshardAfterForward ?? context.defaults.reshardAfterForward ?? true,
    offload,
    optimizerOffloadFraction: pick('optimizerOffloadFraction', offload === 'none' ? 0 : 1),
    activationOffloadLayers: pick('activationOffloadLayers', 0),
    microBatchSize,
    globalBatchSize: derive(
      'globalBatchSize',
      Math.max(1, Math.floor(context.accelerators / (tensorParallel * contextParallel * pipelineParallel))) *
        microBatchSize,
      'slipway',
    ),
    recompute: pick('recompute', 'none'),
    recomputeLayers: pick('recomputeLayers', 0),
    recomputeModules: given.recomputeModules ?? context.defaults.recomputeModules ?? [],
    precision,
    gradientDtype: derive('gradientDtype', usualGradient(precision, context), context.framework),
    optimizer: pick('optimizer', 'adamw'),
    attentionKernel: derive('attentionKernel', usualAttention(given, context), context.framework),
    fusedNorm: pick('fusedNorm', false),
    fusedCrossEntropy: pick('fusedCrossEntropy', false),
    compile: pick('compile', false),
    cudaGraphs: pick('cudaGraphs', 'none'),
    tensorOverlap: derive('tensorOverlap', usualTensorOverlap(precision, context), context.framework),
    expertOverlap: pick('expertOverlap', false),
    expertDispatcher: pick('expertDispatcher', 'alltoall'),
    overlapGradientReduce: pick('overlapGradientReduce', false),
    overlapParameterGather: pick('overlapParameterGather', false),
    overlapPipelineSend: derive(
      'overlapPipelineSend',
      (virtualStages > 1 || sendsBesidePasses(given.pipelineSchedule)) &&
        (context.defaults.overlapPipelineSend ?? false),
      context.framework,
    ),
    stageLayers: given.stageLayers ?? layersOfLayout(given.pipelineLayout),
  };
  return [strategy, filled];
}

/**
 * Interleaving needs at least two chunks; ZB-V has two by construction; a layout says how many there are. NVIDIA's recipes and
 * Llama 3's trainer give every layer a chunk of its own where the layers divide, embedding and head counted or not.
 */
function usualVirtualStages(given: Given, pipelineParallel: number, context: StrategyContext): number {
  if (pipelineParallel === 1) return 1;
  const { interleavesPipeline, model } = context;
  const open = given.pipelineSchedule === undefined || given.pipelineSchedule === 'interleaved-1f1b';
  if (interleavesPipeline && open && given.stageLayers === undefined && given.pipelineLayout === undefined) {
    for (const layers of [model.numLayers, model.numLayers + 2])
      if (layers % pipelineParallel === 0) return layers / pipelineParallel;
  }
  const chunks = given.stageLayers?.length ?? layersOfLayout(given.pipelineLayout).length;
  if (chunks > pipelineParallel && chunks % pipelineParallel === 0) return chunks / pipelineParallel;
  const two = ['interleaved-1f1b', 'zb-v'].includes(given.pipelineSchedule ?? '');
  return two ? 2 : 1;
}

function layersOfLayout(layout: string | undefined): readonly number[] {
  const chunks = layout === undefined ? [] : parsePipelineLayout(layout);
  return 'problem' in chunks ? [] : chunks.map(({ layers }) => layers);
}

/** fp16 where the matrix units have no bf16 (V100). */
function usualPrecision({ accelerator, defaults }: StrategyContext): Precision {
  const usual = defaults.precision ?? 'bf16';
  return usual === 'bf16' && accelerator.peakFlopsPerSecond.bf16 === 0 ? 'fp16' : usual;
}

/** Gradients in 16 bits have the weights' format. */
function usualGradient(precision: Precision, { defaults }: StrategyContext): Strategy['gradientDtype'] {
  const wide = (defaults.gradientDtype ?? 'fp32') === 'fp32' || precision === 'fp32' || precision === 'tf32';
  if (wide) return 'fp32';
  return precision === 'fp16' ? 'fp16' : 'bf16';
}

/** Megatron splits experts like every other matrix unless told otherwise, where the ranks allow it. */
function usualExpertTensor(given: Given, { model, framework, accelerators }: StrategyContext): number {
  const tensorParallel = given.tensorParallel ?? 1;
  if (!model.moe || framework !== 'megatron') return 1;
  const ranks = accelerators / (given.pipelineParallel ?? 1);
  return ranks % ((given.expertParallel ?? 1) * tensorParallel) === 0 ? tensorParallel : 1;
}

/**
 * NVIDIA's recipes overlap tensor-parallel collectives through Transformer Engine's user buffers, but not with nvfp4 and not
 * beside experts (Megatron-Bridge scripts/performance: `tp_comm_overlap`, read 2026-11).
 */
function usualTensorOverlap(precision: Precision, { defaults, model }: StrategyContext): boolean {
  return (defaults.tensorOverlap ?? false) && precision !== 'nvfp4' && model.moe === null;
}

/**
 * The attention kernel where only `flashAttention` is known: FlashAttention needs Ampere or later; Transformer Engine
 * takes cuDNN on Hopper and Blackwell, DeepSpeed's models FlashAttention-3 and -4, PyTorch's own dispatch version 2 and cuDNN.
 */
function usualAttention(given: Given, context: StrategyContext): AttentionKernel {
  const { defaults, framework, accelerator } = context;
  const usual = given.flashAttention === undefined ? defaults.attentionKernel : undefined;
  if (usual !== undefined) return usual;
  const wanted = given.flashAttention ?? defaults.flashAttention ?? true;
  const named = defaults.attentionKernel;
  const unfused = framework === 'megatron' && named !== 'unfused' ? 'fused-softmax' : 'unfused';
  if (!wanted) return unfused;
  if (named !== undefined && named !== 'unfused' && named !== 'fused-softmax') return named;
  const generation = accelerator.generation.toLowerCase();
  if (/volta|turing|pascal/.test(generation)) return unfused;
  if (/blackwell|rubin/.test(generation)) return framework === 'deepspeed' ? 'flash-4' : 'cudnn';
  if (/hopper/.test(generation) && framework !== 'fsdp') return framework === 'deepspeed' ? 'flash-3' : 'cudnn';
  // PyTorch's scaled_dot_product_attention dispatches to FlashAttention-2.
  return 'flash-2';
}
