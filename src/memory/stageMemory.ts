import type { Architecture } from '../model/architecture.js';
import { lossMemory } from '../model/endOperators.js';
import type { Execution, LayerGraph } from '../model/operators.js';
import { gatherBytes, type RankParameters } from '../parallelism/data.js';
import type { Degrees } from '../parallelism/degrees.js';
import type { Framework } from '../parallelism/framework.js';
import type { RankShare, RecomputeChoice } from '../parallelism/layerCost.js';
import type { Schedule } from '../parallelism/pipeline/schedule.js';
import type { Stage } from '../parallelism/stages.js';
import type { Strategy } from '../parallelism/strategy.js';
import { layerActivations } from './activations.js';
import { stateBytes } from './states.js';

/** All that memory needs to know of a run; the graphs are those that the times come from. */
export interface MemoryContext {
  readonly model: Architecture;
  readonly strategy: Strategy;
  readonly framework: Framework;
  readonly degrees: Degrees;
  readonly share: RankShare;
  readonly execution: Execution;
  readonly schedule: Schedule;
  readonly recompute: RecomputeChoice;
  readonly denseGraph: LayerGraph;
  readonly moeGraph: LayerGraph;
  readonly denseLayer: RankParameters;
  readonly moeLayer: RankParameters;
  readonly paddedVocabulary: number;
}

/** Bytes of one stage on one accelerator at its peak. */
export interface StageBytes {
  readonly weightsBytes: number;
  readonly gradientsBytes: number;
  readonly optimizerBytes: number;
  readonly activationsBytes: number;
  readonly buffersBytes: number;
  readonly peakBytes: number;
  readonly inFlightMicroBatches: number;
  readonly hostBytes: number;
}

/** Per kind of layer, bytes kept for one micro-batch and bytes alive while it runs backward. */
export interface ActivationTable {
  readonly denseKept: number;
  readonly denseFull: number;
  readonly moeKept: number;
  readonly moeFull: number;
  /** Of `full`, what waits for the weight gradient where that runs apart. */
  readonly denseWeight: number;
  readonly moeWeight: number;
  /** That as a share of what a usual layer keeps. */
  readonly weightShare: number;
}

export function activationTable(c: MemoryContext): ActivationTable {
  const dense = layerActivations(c.denseGraph, c.share, c.recompute);
  const moe = c.moeGraph === c.denseGraph ? dense : layerActivations(c.moeGraph, c.share, c.recompute);
  const usual = c.model.moe === null ? dense : moe;
  // A recomputed layer keeps its input only; what its weight gradient needs is then more than that.
  const weightShare = usual.keptBytes > 0 ? Math.min(1, usual.weightBytes / usual.keptBytes) : 1;
  return {
    denseKept: dense.keptBytes,
    denseFull: dense.fullBytes,
    moeKept: moe.keptBytes,
    moeFull: moe.fullBytes,
    denseWeight: dense.weightBytes,
    moeWeight: moe.weightBytes,
    weightShare,
  };
}

/** What waits for the weight gradient as a share of what a stage keeps. */
function weightShareOf(table: ActivationTable, stage: Stage, keptBytes: number): number {
  const weight = stage.denseLayers * table.denseWeight + stage.moeLayers * table.moeWeight;
  return keptBytes > 0 ? Math.min(1, weight / keptBytes) : 1;
}

/** Activations of one micro-batch over all layers of a stage, after recomputation and offload to the host. */
function keptPerMicroBatch(c: MemoryContext, table: ActivationTable, stage: Stage): { device: number; host: number } {
  const layers = stage.denseLayers + stage.moeLayers;
  const kept = stage.denseLayers * table.denseKept + stage.moeLayers * table.moeKept;
  const full = stage.denseLayers * table.denseFull + stage.moeLayers * table.moeFull;
  const { recompute, recomputeLayers, activationOffloadLayers } = c.strategy;
  const fraction =
    recompute === 'full' && recomputeLayers > 0 && layers > 0 ? Math.min(1, recomputeLayers / layers) : 1;
  const bytes = recompute === 'full' ? fraction * kept + (1 - fraction) * full : kept;
  const offloaded = layers > 0 ? Math.min(1, activationOffloadLayers / layers) * bytes : 0;
  return { device: bytes - offloaded, host: offloaded };
}

/** What one layer needs beyond what it keeps while it is recomputed or run backward. */
function workingSet(c: MemoryContext, table: ActivationTable, stage: Stage): number {
  const full = Math.max(stage.denseLayers > 0 ? table.denseFull : 0, stage.moeLayers > 0 ? table.moeFull : 0);
  const kept = Math.max(stage.denseLayers > 0 ? table.denseKept : 0, stage.moeLayers > 0 ? table.moeKept : 0);
  const again = c.recompute === 'none' ? 0 : full - kept;
  // Gradients of the widest activation, in and out, live beside the saved tensors.
  const { share, model } = c;
  const t = share.tensorParallel;
  const width = (model.gatedMlp ? 3 : 2) * (stage.moeLayers > 0 ? 0 : model.intermediateSize / t);
  const expertWidth =
    stage.moeLayers > 0 && model.moe !== null
      ? (3 * model.moe.expertIntermediateSize) / share.expertTensorParallel + model.hiddenSize
      : 0;
  const gradients =
    share.activationBytes * (share.tokens * (width + 2 * model.hiddenSize) + share.expertTokens * expertWidth);
  return again + gradients;
}

/**
 * Gathered logits go through PyTorch's cross entropy: log-softmax and its gradient are new fp32 tensors, and the gathered copy stands
 * beside the local one.
 */
const gatheredLogitBytes = 4 + 4 + 2;

/** Logits and loss of the last stage, the head's input. */
function lossBytes(c: MemoryContext): number {
  if (c.framework.slicedLoss) return 0;
  const logits = (c.share.tokens * c.paddedVocabulary) / (c.framework.gatheredLogits ? 1 : c.share.tensorParallel);
  const gathered = c.framework.gatheredLogits ? gatheredLogitBytes : 0;
  return logits * (lossMemory(c.execution, c.strategy.fusedCrossEntropy).peakBytesPerLogit + gathered);
}

/** Gathered units of fully sharded weights: the current and the prefetched one, and the gradients of the current one. */
function gatheredBytes(c: MemoryContext, stage: Stage, ends: number): number {
  if (c.strategy.dataSharding !== 'zero-3') return 0;
  const dense = stage.denseLayers > 0 ? c.denseLayer.dense + c.denseLayer.expert : 0;
  const moe = stage.moeLayers > 0 ? c.moeLayer.dense + c.moeLayer.expert : 0;
  const unit = Math.max(dense, moe);
  const weights = gatherBytes(c.strategy, c.framework);
  const gradients = c.strategy.gradientDtype === 'fp32' ? 4 : 2;
  return 2 * unit * weights + (unit + ends) * gradients + ends * weights;
}

export function stageBytes(
  c: MemoryContext,
  table: ActivationTable,
  stage: Stage,
  parameters: RankParameters,
  endParameters: number,
  microBatches: number,
): StageBytes {
  const matrices = stage.denseLayers * c.denseLayer.dense + stage.moeLayers * (c.moeLayer.dense + c.moeLayer.expert);
  const states = stateBytes(parameters, matrices, c.degrees, c.strategy, c.framework);
  const { pipelineParallel, virtualStages } = c.degrees;
  const kept = keptPerMicroBatch(c, table, stage);
  const waits = weightShareOf(table, stage, kept.device + kept.host);
  const inFlight = c.schedule.inFlight(stage.stage, pipelineParallel, microBatches, virtualStages, waits);
  const input = stage.hasEmbedding ? inFlight * c.share.tokens * c.model.hiddenSize * (c.model.dropout > 0 ? 1 : 0) : 0;
  const activationsBytes = inFlight * kept.device + input;
  const loss = stage.hasHead ? lossBytes(c) : 0;
  // The loss is freed before the last layer runs backward, so the larger of the two counts.
  const buffersBytes = Math.max(loss, workingSet(c, table, stage)) + gatheredBytes(c, stage, endParameters);
  return {
    weightsBytes: states.weights,
    gradientsBytes: states.gradients,
    optimizerBytes: states.optimizer,
    activationsBytes,
    buffersBytes,
    peakBytes: states.weights + states.gradients + states.optimizer + activationsBytes + buffersBytes,
    inFlightMicroBatches: inFlight,
    hostBytes: states.offloaded + inFlight * kept.host,
  };
}
