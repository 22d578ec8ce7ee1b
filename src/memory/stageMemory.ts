import type { Architecture } from '../model/architecture.js';
import type { Execution, LayerGraph } from '../model/operators.js';
import type { RankParameters } from '../parallelism/data.js';
import type { Degrees } from '../parallelism/degrees.js';
import type { Framework } from '../parallelism/framework.js';
import type { RankShare, RecomputeChoice } from '../parallelism/layerCost.js';
import type { Schedule } from '../parallelism/pipeline/schedule.js';
import type { Stage } from '../parallelism/stages.js';
import type { Strategy } from '../parallelism/strategy.js';
import { type LayerActivations, layerActivations } from './activations.js';
import { gatheredUnits, placeholderBytes, updateBytes } from './buffers.js';
import { type HeadBytes, headMemory } from './headMemory.js';
import { type StateBytes, stateBytes } from './states.js';
import { workingSetBytes } from './workingSet.js';

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

/** What a stage or a chunk of one holds, before sharding over data-parallel ranks. */
export interface HeldParameters {
  readonly parameters: RankParameters;
  /** Of `parameters.dense`: embedding and positions; head and final norm. */
  readonly embedding: number;
  readonly head: number;
}

/** Bytes of one stage on one accelerator at its peak. */
export interface StageBytes {
  readonly weightsBytes: number;
  readonly gradientsBytes: number;
  readonly optimizerBytes: number;
  readonly activationsBytes: number;
  readonly buffersBytes: number;
  readonly peakBytes: number;
  readonly separateBytes: number;
  readonly inFlightMicroBatches: number;
  readonly hostBytes: number;
}

/** Per kind of layer, bytes kept for one micro-batch and bytes needed beside them while it runs backward. */
export interface ActivationTable {
  readonly dense: LayerActivations;
  readonly moe: LayerActivations;
  readonly denseWorking: number;
  readonly moeWorking: number;
  readonly head: HeadBytes;
  /** What waits for the weight gradient where that runs apart, as a share of what a usual layer keeps. */
  readonly weightShare: number;
}

export function activationTable(c: MemoryContext): ActivationTable {
  const dense = withCopies(c, layerActivations(c.denseGraph, c.share, c.recompute));
  const moe = c.moeGraph === c.denseGraph ? dense : withCopies(c, layerActivations(c.moeGraph, c.share, c.recompute));
  const usual = c.model.moe === null ? dense : moe;
  return {
    dense,
    moe,
    denseWorking: workingSetBytes(c.model, c.share, dense, c.recompute, 'dense'),
    moeWorking: workingSetBytes(c.model, c.share, moe, c.recompute, 'moe'),
    head: headMemory(c),
    // A recomputed layer keeps its input only; what its weight gradient needs is then more than that.
    weightShare: usual.keptBytes > 0 ? Math.min(1, usual.weightBytes / usual.keptBytes) : 1,
  };
}

/** With what a framework's tensor parallelism keeps whole on every rank. */
function withCopies(c: MemoryContext, layer: LayerActivations): LayerActivations {
  const { tokens, activationBytes, tensorParallel, sequenceParallel } = c.share;
  const { tensorCopies, sequenceCopies } = c.framework.memory;
  const perToken = tensorCopies + (sequenceParallel ? sequenceCopies : 0);
  if (tensorParallel === 1 || perToken === 0) return layer;
  const copies = perToken * activationBytes * tokens * c.model.hiddenSize;
  return {
    ...layer,
    fullBytes: layer.fullBytes + copies,
    keptBytes: layer.keptBytes + (c.recompute === 'all' ? 0 : copies),
  };
}

/** What waits for the weight gradient as a share of what a stage keeps. */
function weightShareOf(table: ActivationTable, stage: Stage, keptBytes: number): number {
  const weight = stage.denseLayers * table.dense.weightBytes + stage.moeLayers * table.moe.weightBytes;
  return keptBytes > 0 ? Math.min(1, weight / keptBytes) : 1;
}

/** Activations of one micro-batch over all layers of a stage, after recomputation and offload to the host. */
function keptPerMicroBatch(c: MemoryContext, table: ActivationTable, stage: Stage): { device: number; host: number } {
  const layers = stage.denseLayers + stage.moeLayers;
  const kept = stage.denseLayers * table.dense.keptBytes + stage.moeLayers * table.moe.keptBytes;
  const full = stage.denseLayers * table.dense.fullBytes + stage.moeLayers * table.moe.fullBytes;
  const { recompute, recomputeLayers, activationOffloadLayers } = c.strategy;
  const fraction =
    recompute === 'full' && recomputeLayers > 0 && layers > 0 ? Math.min(1, recomputeLayers / layers) : 1;
  const bytes = recompute === 'full' ? fraction * kept + (1 - fraction) * full : kept;
  const offloaded = layers > 0 ? Math.min(1, activationOffloadLayers / layers) * bytes : 0;
  return { device: bytes - offloaded + rowsPerMicroBatch(c, stage), host: offloaded };
}

/** Rows of the hidden size beside the layers: the embedding's dropout mask, and what went to the next stage where it is not freed. */
function rowsPerMicroBatch({ model, share, framework, degrees }: MemoryContext, stage: Stage): number {
  const row = share.tokens * model.hiddenSize;
  const mask = stage.hasEmbedding && model.dropout > 0 ? row : 0;
  const handedOn = framework.memory.keepsStageOutput && degrees.pipelineParallel > 1 && !stage.hasHead;
  return mask + (handedOn ? row * share.activationBytes : 0);
}

/** What comes on top of the activations in flight at the moments of a step that can be its fullest. */
export interface StageMoments {
  /** Device and host bytes that one micro-batch keeps in the layers, and what the head keeps of it. */
  readonly keptBytes: number;
  readonly hostBytes: number;
  readonly headKeptBytes: number;
  /** All the time: placeholders, gathered ends. */
  readonly alwaysBytes: number;
  /** Beside everything in flight: a layer runs backward (the head's activations are gone by then), the loss, the head. */
  readonly layerBytes: number;
  readonly lossBytes: number;
  /** Beside everything in flight but the micro-batch that ends: the embedding's gradient. */
  readonly embeddingBytes: number;
  /** After all micro-batches: temporaries of the update. */
  readonly updateBytes: number;
  /** What waits for its weight gradient, as a share of `keptBytes`. */
  readonly waitingShare: number;
  /**
   * Without fused attention, tensors of the square of the sequence and tensors of the size of the logits come in turn, and neither
   * fits into the blocks that the other leaves (out-of-memory decisions of hagemann-2023): the smaller of the two is reserved beside.
   */
  readonly separateBytes: number;
}

/** What was sent to the host is back while its layer runs backward. */
function layerWorking({ strategy }: MemoryContext, layer: LayerActivations, workingBytes: number): number {
  return workingBytes + (strategy.activationOffloadLayers > 0 ? layer.keptBytes : 0);
}

export function stageMoments(
  c: MemoryContext,
  table: ActivationTable,
  stage: Stage,
  { parameters, embedding, head }: HeldParameters,
): StageMoments {
  const kept = keptPerMicroBatch(c, table, stage);
  const units = gatheredUnits(c, stage, embedding + head);
  const working = Math.max(
    stage.denseLayers > 0 ? layerWorking(c, table.dense, table.denseWorking) : 0,
    stage.moeLayers > 0 ? layerWorking(c, table.moe, table.moeWorking) : 0,
  );
  // A fresh gradient of a whole matrix beside the buffer it is added to.
  const fresh = c.framework.memory.gradientBuffer && c.strategy.dataSharding !== 'zero-3' ? c.share.activationBytes : 0;
  const headMoment = Math.max(table.head.lossBytes, table.head.headBytes + fresh * head);
  return {
    keptBytes: kept.device,
    hostBytes: kept.host,
    headKeptBytes: stage.hasHead ? table.head.keptBytes : 0,
    alwaysBytes: placeholderBytes(c, stage) + units.alwaysBytes,
    layerBytes: working + units.layerBytes,
    lossBytes: stage.hasHead ? headMoment : 0,
    embeddingBytes: stage.hasEmbedding ? fresh * embedding : 0,
    updateBytes: updateBytes(c, parameters),
    waitingShare: weightShareOf(table, stage, kept.device + kept.host),
    separateBytes: stage.hasHead && !c.share.flash ? Math.min(working, table.head.keptBytes + table.head.lossBytes) : 0,
  };
}

/** What a backward pass needs beyond all that is in flight, the micro-batch that ends included. */
export function workingBytes(m: StageMoments): number {
  return Math.max(m.layerBytes - m.headKeptBytes, m.lossBytes, m.embeddingBytes - m.keptBytes - m.headKeptBytes, 0);
}

function statesOf(c: MemoryContext, stage: Stage, { parameters }: HeldParameters): StateBytes {
  const matrices = stage.denseLayers * c.denseLayer.dense + stage.moeLayers * (c.moeLayer.dense + c.moeLayer.expert);
  return stateBytes(parameters, matrices, c.degrees, c.strategy, c.framework);
}

/** Weights, gradients and optimizer states on the device. */
export function stageStateBytes(c: MemoryContext, stage: Stage, held: HeldParameters): number {
  const { weights, gradients, optimizer } = statesOf(c, stage, held);
  return weights + gradients + optimizer;
}

/** What is in flight, and what works beside it, at a rank's fullest moment. */
export interface FullestMoment {
  readonly activationsBytes: number;
  readonly workingBytes: number;
  /** Most micro-batches of the whole stage alive at once, and what they keep on the host. */
  readonly inFlightMicroBatches: number;
  readonly hostBytes: number;
}

/** A stage in closed form: as many micro-batches in flight as the schedule says. */
export function stageBytes(
  c: MemoryContext,
  table: ActivationTable,
  stage: Stage,
  held: HeldParameters,
  microBatches: number,
): StageBytes {
  const { pipelineParallel, virtualStages } = c.degrees;
  const m = stageMoments(c, table, stage, held);
  const inFlight = c.schedule.inFlight(stage.stage, pipelineParallel, microBatches, virtualStages, m.waitingShare);
  // The head's micro-batch goes back at once, except where all go forward first.
  const headInFlight = c.schedule.forwardFirst ? inFlight : 1;
  return stageBytesAt(c, stage, held, m, {
    activationsBytes: inFlight * m.keptBytes + headInFlight * m.headKeptBytes,
    workingBytes: workingBytes(m),
    inFlightMicroBatches: inFlight,
    hostBytes: inFlight * m.hostBytes,
  });
}

/** What the passes reserve beyond `peak`, which may be the update's: that can use the blocks which the passes have left. */
export function separateBeyond(separateBytes: number, passesPeak: number, peak: number): number {
  return Math.max(0, separateBytes - (peak - passesPeak));
}

/** A stage whose passes reach `fullest`; the update, when nothing is in flight any more, can need more than that. */
export function stageBytesAt(
  c: MemoryContext,
  stage: Stage,
  held: HeldParameters,
  m: StageMoments,
  fullest: FullestMoment,
): StageBytes {
  const states = statesOf(c, stage, held);
  const passes = fullest.activationsBytes + fullest.workingBytes;
  const updating = m.updateBytes > passes;
  const activationsBytes = updating ? 0 : fullest.activationsBytes;
  const buffersBytes = m.alwaysBytes + (updating ? m.updateBytes : fullest.workingBytes);
  return {
    weightsBytes: states.weights,
    gradientsBytes: states.gradients,
    optimizerBytes: states.optimizer,
    activationsBytes,
    buffersBytes,
    peakBytes: states.weights + states.gradients + states.optimizer + activationsBytes + buffersBytes,
    separateBytes: separateBeyond(m.separateBytes, passes, Math.max(passes, m.updateBytes)),
    inFlightMicroBatches: fullest.inFlightMicroBatches,
    hostBytes: states.offloaded + fullest.hostBytes,
  };
}
