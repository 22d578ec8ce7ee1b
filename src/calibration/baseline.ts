import type { Architecture } from '../model/architecture.js';
import { matrixFormat } from '../parallelism/matrixFormat.js';
import type { Scenario } from '../scenario/scenario.js';
import { groupBy, median } from './statistics.js';

/**
 * The one-line rival that every score is shown beside:
 *
 *     seconds = modelFlops * recompute * (1 + (p - 1) / (m v)) / (accelerators * peak * constant)
 *
 * with one constant per accelerator and precision, the median of the very rows it is scored on. It knows nothing of
 * communication, kernels or memory, and it has seen the answers: a simulator that does not beat it earns nothing.
 * On purpose it shares no code with the simulator, so that it stays the same yardstick while that changes.
 */
export interface BaselineSample {
  /** Seconds at the accelerators' dense peak, bubble included. */
  readonly idealSeconds: number;
  /** Accelerator and precision: the rows that share a constant. */
  readonly group: string;
}

export function baselineSample(scenario: Scenario): BaselineSample {
  const { strategy, accelerators, cluster } = scenario;
  const peak = peakFlopsPerSecond(scenario);
  return {
    idealSeconds: (trainedFlops(scenario) * bubbleFactor(scenario)) / (accelerators * peak),
    group: `${cluster.accelerator.id} ${strategy.precision}`,
  };
}

/** The constant of each group: the median of ideal over measured seconds, which is an efficiency. */
export function fitBaseline(
  samples: readonly (BaselineSample & { readonly measuredSeconds: number })[],
): Map<string, number> {
  const constants = new Map<string, number>();
  for (const [group, members] of groupBy(samples, (sample) => sample.group)) {
    const efficiency = median(members.map((sample) => sample.idealSeconds / sample.measuredSeconds));
    if (efficiency !== null) constants.set(group, efficiency);
  }
  return constants;
}

/** 1F1B: p stages wait (p - 1) / (m v) of the time of m micro-batches in v chunks (Narayanan et al. 2021, section 2.2). */
function bubbleFactor({ strategy, accelerators }: Scenario): number {
  const { tensorParallel, pipelineParallel, contextParallel, microBatchSize, globalBatchSize, virtualStages } =
    strategy;
  const dataParallel = Math.floor(accelerators / (tensorParallel * pipelineParallel * contextParallel));
  const microBatches = Math.max(1, Math.floor(globalBatchSize / (dataParallel * microBatchSize)));
  return 1 + (pipelineParallel - 1) / (microBatches * virtualStages);
}

/** 6 FLOPs per weight and token, 12 s per head channel for attention (PaLM, appendix B); full recompute adds a third. */
function trainedFlops({ model, strategy, sequenceLength }: Scenario): number {
  const attentionScores = 12 * model.numLayers * model.numAttentionHeads * model.headDim * sequenceLength;
  const layers = 6 * layerWeights(model) + attentionScores;
  const recompute = strategy.recompute === 'full' ? 4 / 3 : 1;
  const head = 6 * model.hiddenSize * model.vocabSize;
  return strategy.globalBatchSize * sequenceLength * (layers * recompute + head);
}

/** Weights of all layers that one token meets: biases and norms left out. */
function layerWeights(model: Architecture): number {
  const matrices = model.gatedMlp ? 3 : 2;
  const dense = matrices * model.hiddenSize * model.intermediateSize;
  const attention = model.numLayers * attentionWeights(model);
  const { moe } = model;
  if (moe === null) return attention + model.numLayers * dense;
  const expertLayers = Math.floor((model.numLayers - moe.numDenseLayers) / moe.every);
  const width = moe.expertsPerToken * moe.expertIntermediateSize + moe.sharedExpertIntermediateSize;
  return attention + (model.numLayers - expertLayers) * dense + expertLayers * matrices * model.hiddenSize * width;
}

function attentionWeights(model: Architecture): number {
  const { hiddenSize, numAttentionHeads, numKeyValueHeads, headDim, mla } = model;
  if (mla === null) return 2 * hiddenSize * headDim * (numAttentionHeads + numKeyValueHeads);
  const queryDim = numAttentionHeads * (mla.queryKeyNopeHeadDim + mla.queryKeyRopeHeadDim);
  const query = mla.queryLoraRank === 0 ? hiddenSize * queryDim : mla.queryLoraRank * (hiddenSize + queryDim);
  const down = hiddenSize * (mla.keyValueLoraRank + mla.queryKeyRopeHeadDim);
  const up = mla.keyValueLoraRank * numAttentionHeads * (mla.queryKeyNopeHeadDim + mla.valueHeadDim);
  return query + down + up + numAttentionHeads * mla.valueHeadDim * hiddenSize;
}

/** A format that the hardware lacks runs at its 16-bit rate. */
function peakFlopsPerSecond({ cluster, strategy }: Scenario): number {
  const peaks = cluster.accelerator.peakFlopsPerSecond;
  return peaks[matrixFormat(strategy.precision)] || peaks.bf16 || peaks.fp16;
}
