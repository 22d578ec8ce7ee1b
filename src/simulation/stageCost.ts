import { streamSeconds } from '../hardware/kernels/elementwise.js';
import { layerActivations } from '../memory/activations.js';
import type { Operator } from '../model/operators.js';
import { exposedBeside, gatherBytes } from '../parallelism/data.js';
import { operatorSeconds, type RecomputeChoice } from '../parallelism/layerCost.js';
import type { StagePass } from '../parallelism/pipeline/schedule.js';
import { layerRankParameters } from '../parallelism/rankParameters.js';
import { recomputeChoice } from '../parallelism/rankShare.js';
import type { Stage } from '../parallelism/stages.js';
import { type LayerSeconds, layerSeconds } from './layerSeconds.js';
import type { Prepared } from './prepare.js';

/** Exposed seconds of one micro-batch on one stage, by cause. */
export interface StageCost {
  readonly forwardSeconds: number;
  readonly inputGradientSeconds: number;
  readonly weightGradientSeconds: number;
  readonly recomputeSeconds: number;
  readonly tensorSeconds: number;
  readonly contextSeconds: number;
  readonly expertSeconds: number;
  /** What the host needs beyond the device. */
  readonly hostSeconds: number;
  /** The same as a pipeline pass. */
  readonly pass: StagePass;
  /** What each pass is made of; the parts add up to the pass. */
  readonly parts: {
    readonly forward: PassParts;
    readonly inputGradient: PassParts;
    readonly weightGradient: PassParts;
  };
}

/** Exposed seconds of one pass by cause. */
export interface PassParts {
  readonly compute: number;
  readonly recompute: number;
  readonly tensor: number;
  readonly context: number;
  readonly expert: number;
  readonly host: number;
  /** Activations and weights that cross the host link and found nothing to hide behind. */
  readonly offload: number;
}

/** Layers of both kinds, timed once with and without recomputation. */
export interface LayerTable {
  readonly dense: LayerSeconds;
  readonly moe: LayerSeconds;
  readonly recompute: RecomputeChoice;
}

/** `denseLayer` times a layer without experts, for callers that know some already. */
export function layerTable(
  p: Prepared,
  denseLayer: (recompute: RecomputeChoice) => LayerSeconds = (recompute) => layerSeconds(p, 'dense', recompute),
): LayerTable {
  const recompute = recomputeChoice(p.strategy);
  const dense = denseLayer(recompute);
  return { dense, moe: p.model.moe === null ? dense : layerSeconds(p, 'moe', recompute), recompute };
}

/** Layers of the whole stage that a chunk belongs to: what `recomputeLayers` and `activationOffloadLayers` count from. */
function layersOfStage(p: Prepared, work: Stage): number {
  const stage = p.stages[work.stage] ?? work;
  return stage.denseLayers + stage.moeLayers;
}

/** Fraction of a stage's layers that full recomputation covers (Megatron's block method). */
function recomputedFraction(p: Prepared, work: Stage): number {
  const layers = layersOfStage(p, work);
  const { recompute, recomputeLayers } = p.strategy;
  if (recompute !== 'full' || recomputeLayers === 0 || layers === 0) return 1;
  return Math.min(1, recomputeLayers / layers);
}

/** Embedding, final norm, head and loss of a stage that has them. */
function endSeconds(p: Prepared, stage: Stage): { forward: number; inputGradient: number; weightGradient: number } {
  let forward = 0;
  let inputGradient = 0;
  let weightGradient = 0;
  const { ends, timers, accelerator, share } = p;
  // Each multi-token-prediction depth embeds the next tokens, joins them with the hidden state, and runs head and loss once more.
  const depth = p.model.multiTokenPredictionLayers;
  const parts: [number, Operator | undefined][] = [[stage.hasEmbedding ? 1 : 0, ends.embedding]];
  if (stage.hasHead) parts.push([1, ends.finalNorm], [1 + depth, ends.head], [1 + depth, ends.loss]);
  if (stage.hasHead && depth > 0) {
    parts.push([depth, ends.embedding]);
    for (const operator of ends.prediction) parts.push([depth, operator]);
  }
  for (const [times, part] of parts) {
    if (part === undefined || times === 0) continue;
    const seconds = operatorSeconds(part, timers, accelerator, share);
    forward += times * seconds.forward;
    inputGradient += times * seconds.inputGradient;
    weightGradient += times * seconds.weightGradient;
  }
  return { forward, inputGradient, weightGradient };
}

export function stageCost(p: Prepared, table: LayerTable, stage: Stage): StageCost {
  const counts = { dense: stage.denseLayers, moe: stage.moeLayers };
  const share = recomputedFraction(p, stage);
  const ends = endSeconds(p, stage);
  const all = (value: (layer: LayerSeconds) => number): number =>
    (counts.dense > 0 ? counts.dense * value(table.dense) : 0) + (counts.moe > 0 ? counts.moe * value(table.moe) : 0);
  const again = table.recompute === 'all' ? share : 0;
  const forwardSeconds = all((l) => l.cost.forwardSeconds) + ends.forward;
  const inputGradientSeconds = all((l) => l.cost.inputGradientSeconds) + ends.inputGradient;
  const weightGradientSeconds = all((l) => l.cost.weightGradientSeconds) + ends.weightGradient;
  const recomputeSeconds = share * all((l) => l.cost.recomputeSeconds);
  const tensorForward = all((l) => l.tensorForward);
  const contextForward = all((l) => l.contextForward);
  const expertForward = all((l) => l.expertForward);
  const tensorBackward = all((l) => l.tensorBackward) + again * tensorForward;
  const contextBackward = all((l) => l.contextBackward) + again * contextForward;
  const expertBackward = all((l) => l.expertBackward) + again * expertForward;
  const tensorSeconds = tensorForward + tensorBackward;
  const contextSeconds = contextForward + contextBackward;
  const expertSeconds = expertForward + expertBackward;
  const device = forwardSeconds + inputGradientSeconds + weightGradientSeconds + recomputeSeconds;
  const busy = device + tensorSeconds + contextSeconds + expertSeconds;
  const link = hostLinkBytes(p, table, stage);
  // The host link is another one than those of the collectives: copies run beside exposed communication as well.
  const busyForward = forwardSeconds + tensorForward + contextForward + expertForward;
  const offloadForward = linkExposed(p, link.forwardBytes, busyForward);
  const offloadBackward = linkExposed(p, link.backwardBytes, busy - busyForward);
  // And kernels are launched while the device waits for copies.
  const hostSeconds =
    hostShortfall(p, all, counts, share, again, busy + offloadForward + offloadBackward) +
    p.framework.microBatchOverheadSeconds;
  const passSeconds = hostPassSeconds(p);
  const parts = {
    forward: {
      compute: forwardSeconds,
      recompute: 0,
      tensor: tensorForward,
      context: contextForward,
      expert: expertForward,
      host: hostSeconds / 3 + passSeconds,
      offload: offloadForward,
    },
    inputGradient: {
      compute: inputGradientSeconds,
      recompute: recomputeSeconds,
      tensor: tensorBackward,
      context: contextBackward,
      expert: expertBackward,
      host: (2 * hostSeconds) / 3 + passSeconds,
      offload: offloadBackward,
    },
    weightGradient: {
      compute: weightGradientSeconds,
      recompute: 0,
      tensor: 0,
      context: 0,
      expert: 0,
      host: 0,
      offload: 0,
    },
  };
  return {
    forwardSeconds,
    inputGradientSeconds,
    weightGradientSeconds,
    recomputeSeconds,
    tensorSeconds,
    contextSeconds,
    expertSeconds,
    hostSeconds: hostSeconds + 2 * passSeconds,
    parts,
    pass: {
      forward: partsSeconds(parts.forward),
      inputGradient: partsSeconds(parts.inputGradient),
      weightGradient: partsSeconds(parts.weightGradient),
    },
  };
}

function partsSeconds(parts: PassParts): number {
  return parts.compute + parts.recompute + parts.tensor + parts.context + parts.expert + parts.host + parts.offload;
}

/** Bytes over the host link in one micro-batch: offloaded activations out and back, offloaded weights in for each pass. */
function hostLinkBytes(p: Prepared, table: LayerTable, stage: Stage): { forwardBytes: number; backwardBytes: number } {
  const { strategy, framework, share, model, degrees } = p;
  const layers = layersOfStage(p, stage);
  let activations = 0;
  if (strategy.activationOffloadLayers > 0 && layers > 0) {
    const dense = layerActivations(table.dense.graph, share, table.recompute).keptBytes;
    const moe = layerActivations(table.moe.graph, share, table.recompute).keptBytes;
    const moved = Math.min(1, strategy.activationOffloadLayers / layers);
    activations = moved * (stage.denseLayers * dense + stage.moeLayers * moe);
  }
  let weights = 0;
  if (strategy.offload.startsWith('parameters')) {
    const dense = layerRankParameters(model, 'dense', degrees);
    const moe = model.moe === null ? dense : layerRankParameters(model, 'moe', degrees);
    const held = stage.denseLayers * (dense.dense + dense.expert) + stage.moeLayers * (moe.dense + moe.expert);
    // Sharded weights come up as shards and are gathered on the device.
    const shards = strategy.dataSharding === 'zero-3' ? degrees.shardGroup : 1;
    weights = (held * gatherBytes(strategy, framework)) / shards;
  }
  return { forwardBytes: activations + weights, backwardBytes: activations + weights };
}

/** Copies run beside the compute and communication of neighbouring layers; drives are as slow as they are. */
function linkExposed(p: Prepared, bytes: number, busy: number): number {
  if (bytes <= 0) return 0;
  const { cluster } = p.scenario;
  const link = p.accelerator.hostBytesPerSecond;
  const drives = cluster.nvmeReadBytesPerSecond / cluster.acceleratorsPerNode;
  const fromDrives = p.strategy.offload === 'parameters-nvme' && drives > 0;
  const seconds = bytes / (fromDrives ? Math.min(link, drives) : link);
  return exposedBeside(seconds, busy, 0, p.contention);
}

/** Kernels that CUDA graphs leave to launch one by one. */
const graphLaunchShare = { none: 1, layer: 0.25, full: 0 } as const;

/** Exposed host time of a pass in a pipeline; a whole step captured in a graph has none. */
function hostPassSeconds({ degrees, framework, strategy }: Prepared): number {
  return degrees.pipelineParallel > 1 && strategy.cudaGraphs !== 'full' ? framework.hostPassSeconds : 0;
}

/**
 * The host launches kernels one after another; where that takes longer than the device is busy, communication included,
 * the device waits. A layer costs host time of its own on every pass: forward, backward and recomputation.
 */
function hostShortfall(
  p: Prepared,
  all: (value: (layer: LayerSeconds) => number) => number,
  counts: { readonly dense: number; readonly moe: number },
  recomputeShare: number,
  recomputePasses: number,
  busySeconds: number,
): number {
  const launch = p.framework.hostLaunchSeconds * graphLaunchShare[p.strategy.cudaGraphs];
  const kernels = all((l) => l.cost.forwardKernels + l.cost.backwardKernels + recomputeShare * l.cost.recomputeKernels);
  const graphs = graphLaunchShare[p.strategy.cudaGraphs];
  const overlapped = p.strategy.expertOverlap ? p.framework.hostExpertOverlapFactor : 1;
  const perPass =
    (counts.dense + counts.moe) * p.framework.hostLayerSeconds +
    counts.moe * p.framework.hostExpertLayerSeconds * overlapped;
  const host = kernels * launch + (2 + recomputePasses) * perPass * graphs;
  return Math.max(0, host - busySeconds);
}

/** Seconds to move `bytesPerParameter` of every parameter once through memory. */
export function sweepSeconds(p: Prepared, parameters: number, bytesPerParameter: number): number {
  return streamSeconds(p.timers.stream, parameters * bytesPerParameter, 4);
}
