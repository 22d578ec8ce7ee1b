import { type Infeasibility, SlipwayError } from '../errors.js';
import type { Architecture } from '../model/architecture.js';
import type { Strategy } from './strategy.js';

/** Everything that follows from the degrees: sizes of groups and numbers of repetitions. All positive whole numbers. */
export interface Degrees {
  readonly accelerators: number;
  readonly tensorParallel: number;
  readonly contextParallel: number;
  readonly pipelineParallel: number;
  readonly dataParallel: number;
  readonly expertParallel: number;
  readonly expertTensorParallel: number;
  /** Replicas of an expert shard: `dataParallel * contextParallel * tensorParallel / (expertParallel * expertTensorParallel)`. */
  readonly expertDataParallel: number;
  /** Ranks that share one copy of the sharded states: all data- and context-parallel ranks, or the HSDP group. */
  readonly shardGroup: number;
  /** Ranks over which dense gradients are averaged: dataParallel x contextParallel. */
  readonly gradientGroup: number;
  readonly virtualStages: number;
  readonly microBatchSize: number;
  /** Micro-batches per step and pipeline. */
  readonly microBatches: number;
}

/** What the degrees are checked against. */
export interface DegreeContext {
  readonly model: Architecture;
  readonly accelerators: number;
  readonly strategy: Strategy;
  readonly sequenceLength: number;
}

/** Schedules that put two model chunks on each rank by construction. */
export function chunksPerStage(strategy: Strategy): number {
  const twoChunks = strategy.pipelineSchedule === 'zb-v' && strategy.pipelineParallel > 1;
  return twoChunks ? 2 : strategy.virtualStages;
}

/** Derives the degrees; throws the first broken rule as a `SlipwayError`. */
export function deriveDegrees(context: DegreeContext): Degrees {
  const reason = checkDegrees(context)[0];
  if (reason !== undefined)
    throw new SlipwayError('invalid-degrees', reason.message, { key: `strategy.${reason.code}` });
  return degreesOf(context);
}

/** The same without checks, for callers that did them. */
export function degreesOf({ accelerators, strategy: s }: DegreeContext): Degrees {
  const product = s.tensorParallel * s.contextParallel * s.pipelineParallel;
  const dataParallel = accelerators / product;
  const gradientGroup = dataParallel * s.contextParallel;
  const expertRanks = s.expertParallel * s.expertTensorParallel;
  return {
    accelerators,
    tensorParallel: s.tensorParallel,
    contextParallel: s.contextParallel,
    pipelineParallel: s.pipelineParallel,
    dataParallel,
    expertParallel: s.expertParallel,
    expertTensorParallel: s.expertTensorParallel,
    expertDataParallel: (gradientGroup * s.tensorParallel) / expertRanks,
    shardGroup: s.shardGroupSize > 0 ? s.shardGroupSize : gradientGroup,
    gradientGroup,
    virtualStages: chunksPerStage(s),
    microBatchSize: s.microBatchSize,
    microBatches: s.globalBatchSize / (dataParallel * s.microBatchSize),
  };
}

type Rule = (context: DegreeContext) => Infeasibility | undefined;

function broken(code: string, message: string, numbers: Record<string, number>): Infeasibility {
  return { code, message, numbers };
}

/** Every rule in one place, the most telling first. An empty answer means the degrees can run. */
export function checkDegrees(context: DegreeContext): readonly Infeasibility[] {
  const reasons: Infeasibility[] = [];
  for (const rule of rules) {
    const reason = rule(context);
    if (reason !== undefined) {
      reasons.push(reason);
      // Later rules assume that the degrees are numbers and multiply to the cluster.
      if (reason.code === 'range' || rule === productDividesAccelerators) break;
    }
  }
  return reasons;
}

const countedKeys = [
  'tensorParallel',
  'contextParallel',
  'pipelineParallel',
  'virtualStages',
  'expertParallel',
  'expertTensorParallel',
  'microBatchSize',
  'globalBatchSize',
] as const;

function degreesAreCounts({ strategy, accelerators, sequenceLength }: DegreeContext): Infeasibility | undefined {
  for (const key of countedKeys) {
    const value = strategy[key];
    if (!Number.isSafeInteger(value) || value < 1) {
      return broken('range', `${key} ${value} is not a whole number of at least 1`, { [key]: value });
    }
  }
  for (const [key, value] of [
    ['accelerators', accelerators],
    ['sequenceLength', sequenceLength],
  ] as const) {
    if (!Number.isSafeInteger(value) || value < 1)
      return broken('range', `${key} ${value} is not a whole number of at least 1`, { [key]: value });
  }
  return undefined;
}

function productDividesAccelerators({ strategy: s, accelerators }: DegreeContext): Infeasibility | undefined {
  const product = s.tensorParallel * s.contextParallel * s.pipelineParallel;
  if (accelerators % product === 0) return undefined;
  const below = Math.floor(accelerators / product) * product;
  const wayOut = below > 0 ? `use ${below} or ${below + product}` : `use at least ${product}`;
  return broken(
    'tensorParallel',
    `tensorParallel ${s.tensorParallel} x pipelineParallel ${s.pipelineParallel} x contextParallel ${s.contextParallel} = ${product} does not divide ${accelerators} accelerators; ${wayOut}`,
    { product, accelerators },
  );
}

function batchDivides({ strategy: s, accelerators }: DegreeContext): Infeasibility | undefined {
  const dataParallel = accelerators / (s.tensorParallel * s.contextParallel * s.pipelineParallel);
  const unit = dataParallel * s.microBatchSize;
  if (s.globalBatchSize % unit === 0) return undefined;
  const below = Math.floor(s.globalBatchSize / unit) * unit;
  const wayOut = below > 0 ? `use ${below} or ${below + unit}` : `use at least ${unit}`;
  return broken(
    'globalBatchSize',
    `microBatchSize ${s.microBatchSize} x dataParallel ${dataParallel} = ${unit} does not divide globalBatchSize ${s.globalBatchSize}; ${wayOut}`,
    { unit, globalBatchSize: s.globalBatchSize },
  );
}

/** Nearest divisors of `value` around `wanted`, as a phrase. */
function nearestDivisors(value: number, wanted: number): string {
  let below = 1;
  let above = value;
  for (let d = 1; d * d <= value; d++) {
    if (value % d !== 0) continue;
    for (const divisor of [d, value / d]) {
      if (divisor <= wanted) below = Math.max(below, divisor);
      else above = Math.min(above, divisor);
    }
  }
  return below === above ? `use ${below}` : `use ${below} or ${above}`;
}

function tensorDividesHeads({ model, strategy: s }: DegreeContext): Infeasibility | undefined {
  const t = s.tensorParallel;
  const heads = model.numAttentionHeads;
  if (heads % t !== 0) {
    return broken(
      'tensorParallel',
      `tensorParallel ${t} does not divide the ${heads} attention heads of ${model.name}; ${nearestDivisors(heads, t)}`,
      { tensorParallel: t, heads },
    );
  }
  const keyValueHeads = model.mla === null ? model.numKeyValueHeads : heads;
  if (keyValueHeads % t !== 0 && t % keyValueHeads !== 0) {
    return broken(
      'tensorParallel',
      `tensorParallel ${t} neither divides nor is a multiple of the ${keyValueHeads} key-value heads of ${model.name}; ${nearestDivisors(keyValueHeads, t)}`,
      { tensorParallel: t, keyValueHeads },
    );
  }
  if (model.intermediateSize % t !== 0) {
    return broken(
      'tensorParallel',
      `tensorParallel ${t} does not divide intermediateSize ${model.intermediateSize} of ${model.name}; ${nearestDivisors(model.intermediateSize, t)}`,
      { tensorParallel: t, intermediateSize: model.intermediateSize },
    );
  }
  return undefined;
}

function sequenceDivides({ strategy: s, sequenceLength }: DegreeContext): Infeasibility | undefined {
  const parts = s.contextParallel * (s.sequenceParallel ? s.tensorParallel : 1);
  if (sequenceLength % parts === 0) return undefined;
  return broken(
    'contextParallel',
    `contextParallel ${s.contextParallel}${s.sequenceParallel ? ` x tensorParallel ${s.tensorParallel} (sequence parallel)` : ''} = ${parts} does not divide sequenceLength ${sequenceLength}; ${nearestDivisors(sequenceLength, parts)}`,
    { parts, sequenceLength },
  );
}

function ulyssesHasHeads({ model, strategy: s }: DegreeContext): Infeasibility | undefined {
  if (s.contextMethod !== 'ulysses' || s.contextParallel === 1) return undefined;
  const heads = model.numAttentionHeads / s.tensorParallel;
  if (heads % s.contextParallel === 0) return undefined;
  return broken(
    'contextParallel',
    `contextParallel ${s.contextParallel} with ulysses does not divide the ${heads} heads per tensor-parallel rank; ${nearestDivisors(heads, s.contextParallel)}`,
    { heads },
  );
}

function layersFillStages({ model, strategy: s }: DegreeContext): Infeasibility | undefined {
  const chunks = s.pipelineParallel * chunksPerStage(s);
  if (s.stageLayers.length > 0) return stageLayersFit(model, s, chunks);
  // The embedding and the head may each take the place of a layer.
  if (chunks <= model.numLayers + (s.pipelineParallel > 1 ? 2 : 0)) return undefined;
  return broken(
    'pipelineParallel',
    `pipelineParallel ${s.pipelineParallel} x virtualStages ${chunksPerStage(s)} = ${chunks} stages for ${model.numLayers} layers of ${model.name}; use at most ${model.numLayers}`,
    { chunks, layers: model.numLayers },
  );
}

function stageLayersFit(model: Architecture, s: Strategy, chunks: number): Infeasibility | undefined {
  const sum = s.stageLayers.reduce((total, n) => total + n, 0);
  if (s.stageLayers.length !== chunks) {
    return broken(
      'stageLayers',
      `stageLayers has ${s.stageLayers.length} entries for pipelineParallel ${s.pipelineParallel} x virtualStages ${chunksPerStage(s)} = ${chunks} stages; give ${chunks}`,
      { chunks },
    );
  }
  if (sum !== model.numLayers) {
    return broken('stageLayers', `stageLayers adds up to ${sum}, but ${model.name} has ${model.numLayers} layers`, {
      sum,
      layers: model.numLayers,
    });
  }
  return undefined;
}

/**
 * Interleaved chunks hold the same number of layers, embedding and head counted as one each or not, where stages can: frameworks refuse others
 * unless the split is spelled out. Layers that do not even divide over the stages (DeepSeek's 61) are placed as evenly as they go.
 */
function chunksDivideLayers({ model, strategy: s }: DegreeContext): Infeasibility | undefined {
  const { numLayers } = model;
  const { pipelineParallel, virtualStages } = s;
  if (virtualStages <= 1 || s.pipelineSchedule === 'zb-v' || s.stageLayers.length > 0) return undefined;
  const perStage = [numLayers, numLayers + 2]
    .filter((n) => n % pipelineParallel === 0)
    .map((n) => n / pipelineParallel);
  const most = perStage[0];
  if (most === undefined || perStage.some((layers) => layers % virtualStages === 0)) return undefined;
  const chunks = pipelineParallel * virtualStages;
  return broken(
    'virtualStages',
    `pipelineParallel ${pipelineParallel} x virtualStages ${virtualStages} = ${chunks} chunks do not divide the ${numLayers} layers of ${model.name}; ${nearestDivisors(most, virtualStages)}, or give stageLayers`,
    { chunks, layers: numLayers },
  );
}

/** Layer counts of a stage cannot exceed the model's. */
function layerCountsFit({ model, strategy }: DegreeContext): Infeasibility | undefined {
  for (const key of ['recomputeLayers', 'activationOffloadLayers'] as const) {
    const layers = strategy[key];
    if (!Number.isSafeInteger(layers) || layers < 0 || layers > model.numLayers) {
      return broken(key, `${key} ${layers} is not between 0 and the ${model.numLayers} layers of ${model.name}`, {
        [key]: layers,
      });
    }
  }
  return undefined;
}

function scheduleFits({ strategy: s }: DegreeContext): Infeasibility | undefined {
  const interleaves = s.pipelineSchedule === 'interleaved-1f1b' || s.pipelineSchedule === 'breadth-first';
  if (s.virtualStages > 1 && s.pipelineParallel === 1) {
    return broken(
      'virtualStages',
      `virtualStages ${s.virtualStages} needs pipelineParallel above 1; use virtualStages 1`,
      { virtualStages: s.virtualStages },
    );
  }
  if (s.virtualStages > 1 && !interleaves && s.pipelineSchedule !== 'zb-v') {
    return broken(
      'virtualStages',
      `virtualStages ${s.virtualStages} does not go with pipelineSchedule ${s.pipelineSchedule}; use interleaved-1f1b`,
      { virtualStages: s.virtualStages },
    );
  }
  if (s.pipelineSchedule === 'dualpipe' && s.pipelineParallel > 1 && s.pipelineParallel % 2 !== 0) {
    return broken(
      'pipelineParallel',
      `pipelineSchedule dualpipe needs an even pipelineParallel, not ${s.pipelineParallel}`,
      { pipelineParallel: s.pipelineParallel },
    );
  }
  return undefined;
}

/** DualPipe feeds the pipeline from both ends and needs it full: an even number of at least 2 p micro-batches. */
function dualPipeIsFed({ strategy: s, accelerators }: DegreeContext): Infeasibility | undefined {
  if (s.pipelineSchedule !== 'dualpipe' || s.pipelineParallel === 1) return undefined;
  const dataParallel = accelerators / (s.tensorParallel * s.contextParallel * s.pipelineParallel);
  const microBatches = s.globalBatchSize / (dataParallel * s.microBatchSize);
  if (microBatches % 2 === 0 && microBatches >= 2 * s.pipelineParallel) return undefined;
  const needed = Math.max(2 * s.pipelineParallel, 2 * Math.ceil(microBatches / 2));
  return broken(
    'pipelineSchedule',
    `pipelineSchedule dualpipe needs an even number of at least ${2 * s.pipelineParallel} micro-batches, not ${microBatches}; use globalBatchSize ${needed * dataParallel * s.microBatchSize} or 1f1b`,
    { microBatches, pipelineParallel: s.pipelineParallel },
  );
}

function expertsDivide({ model, strategy: s, accelerators }: DegreeContext): Infeasibility | undefined {
  const ep = s.expertParallel;
  const experts = model.moe?.numExperts ?? 0;
  if (experts === 0) {
    return ep === 1
      ? undefined
      : broken('expertParallel', `expertParallel ${ep} for ${model.name}, which has no experts; use 1`, {
          expertParallel: ep,
        });
  }
  if (experts % ep !== 0) {
    return broken(
      'expertParallel',
      `expertParallel ${ep} does not divide the ${experts} experts of ${model.name}; ${nearestDivisors(experts, ep)}`,
      { expertParallel: ep, experts },
    );
  }
  const perStage = accelerators / s.pipelineParallel;
  const ranks = ep * s.expertTensorParallel;
  if (perStage % ranks !== 0) {
    return broken(
      'expertParallel',
      `expertParallel ${ep} x expertTensorParallel ${s.expertTensorParallel} = ${ranks} does not divide the ${perStage} accelerators of a pipeline stage; ${nearestDivisors(perStage, ranks)}`,
      { ranks, perStage },
    );
  }
  return undefined;
}

function shardGroupDivides({ strategy: s, accelerators }: DegreeContext): Infeasibility | undefined {
  if (s.shardGroupSize === 0) return undefined;
  const group = accelerators / (s.tensorParallel * s.pipelineParallel);
  if (group % s.shardGroupSize === 0) return undefined;
  return broken(
    'shardGroupSize',
    `shardGroupSize ${s.shardGroupSize} does not divide the ${group} data-parallel ranks; ${nearestDivisors(group, s.shardGroupSize)}`,
    { group, shardGroupSize: s.shardGroupSize },
  );
}

const rules: readonly Rule[] = [
  degreesAreCounts,
  productDividesAccelerators,
  tensorDividesHeads,
  batchDivides,
  sequenceDivides,
  ulyssesHasHeads,
  layersFillStages,
  chunksDivideLayers,
  layerCountsFit,
  scheduleFits,
  dualPipeIsFed,
  expertsDivide,
  shardGroupDivides,
];
