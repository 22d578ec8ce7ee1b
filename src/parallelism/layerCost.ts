import type { Accelerator } from '../hardware/accelerator.js';
import { attentionSeconds } from '../hardware/kernels/attention.js';
import { type StreamTimer, streamSeconds } from '../hardware/kernels/elementwise.js';
import { alignedTimer, type GemmTimer, gemmSeconds } from '../hardware/kernels/gemm.js';
import { groupedGemmSeconds } from '../hardware/kernels/groupedGemm.js';
import type {
  AttentionOperator,
  ExpertOperator,
  GemmOperator,
  LayerGraph,
  Module,
  Operator,
  StreamOperator,
} from '../model/operators.js';
import type { Timers } from './timers.js';

/** One rank's share of a micro-batch. */
export interface RankShare {
  /** Tokens before tensor parallelism: microBatchSize x sequenceLength / contextParallel. */
  readonly tokens: number;
  readonly microBatchSize: number;
  /** Queries of one sequence on this rank, and keys it attends to in all. */
  readonly queryLength: number;
  readonly keyLength: number;
  /** Mean keys a query multiplies under a causal mask and windows, as a fraction of `keyLength`. */
  readonly visibleFraction: number;
  /** Blocks in which context parallelism runs the attention. */
  readonly attentionBlocks: number;
  readonly tensorParallel: number;
  readonly sequenceParallel: boolean;
  readonly numKeyValueHeads: number;
  readonly headDim: number;
  /** Tokens times visited experts on this rank after dispatch. */
  readonly expertTokens: number;
  readonly localExperts: number;
  readonly expertTensorParallel: number;
  /** The kernel skips masked blocks. */
  readonly flash: boolean;
  /** Kernels of one unfused softmax: 1 if scale, mask and softmax are fused. */
  readonly softmaxPasses: number;
  readonly attentionDropout: boolean;
  readonly activationBytes: number;
  /** Bytes that the GEMM moves per element of a weight gradient: 8 for adding to fp32, else its own result. */
  readonly weightGradientBytes: number;
  /** Bytes that a separate kernel moves to add it to the gradient buffer; 0 where the GEMM does. */
  readonly accumulationBytes: number;
}

/** Device seconds of one layer and micro-batch on one rank, and the kernels the host launches. */
export interface LayerCost {
  readonly forwardSeconds: number;
  readonly inputGradientSeconds: number;
  readonly weightGradientSeconds: number;
  /** Of the forward: what recomputing the chosen modules (or all) costs again. */
  readonly recomputeSeconds: number;
  readonly attentionForwardSeconds: number;
  readonly attentionBackwardSeconds: number;
  readonly forwardKernels: number;
  readonly backwardKernels: number;
  readonly recomputeKernels: number;
  /** Leading operators that a recomputation of the whole layer reaches. */
  readonly recomputedOperators: number;
  /** Every operator with its times, in order. */
  readonly operators: readonly TimedOperator[];
}

/** Device seconds of one operator. */
export interface TimedOperator {
  readonly operator: Operator;
  readonly forward: number;
  readonly inputGradient: number;
  readonly weightGradient: number;
}

/** Which operators run again in the backward pass. */
export type RecomputeChoice = 'none' | 'all' | ReadonlySet<Module>;

interface OperatorSeconds {
  forward: number;
  inputGradient: number;
  weightGradient: number;
  forwardKernels: number;
  backwardKernels: number;
}

/** Times every operator of a layer. */
export function layerCost(
  graph: LayerGraph,
  timers: Timers,
  accelerator: Accelerator,
  share: RankShare,
  recompute: RecomputeChoice,
  stopsEarly = false,
): LayerCost {
  let forwardSeconds = 0;
  let inputGradientSeconds = 0;
  let weightGradientSeconds = 0;
  let recomputeSeconds = 0;
  let attentionForwardSeconds = 0;
  let attentionBackwardSeconds = 0;
  let forwardKernels = 0;
  let backwardKernels = 0;
  let recomputeKernels = 0;
  const operators: TimedOperator[] = [];
  const last = stopsEarly && recompute === 'all' ? lastRecomputed(graph.operators) : graph.operators.length;
  for (const [index, operator] of graph.operators.entries()) {
    const seconds = operatorSeconds(operator, timers, accelerator, share);
    const { forward, inputGradient, weightGradient } = seconds;
    operators.push({ operator, forward, inputGradient, weightGradient });
    forwardSeconds += seconds.forward;
    inputGradientSeconds += seconds.inputGradient;
    weightGradientSeconds += seconds.weightGradient;
    forwardKernels += seconds.forwardKernels;
    backwardKernels += seconds.backwardKernels;
    if (index < last && runsAgain(operator, recompute)) {
      recomputeSeconds += seconds.forward;
      recomputeKernels += seconds.forwardKernels;
    }
    if (operator.kind === 'attention') {
      attentionForwardSeconds += seconds.forward;
      attentionBackwardSeconds += seconds.inputGradient;
    }
  }
  return {
    forwardSeconds,
    inputGradientSeconds,
    weightGradientSeconds,
    recomputeSeconds,
    attentionForwardSeconds,
    attentionBackwardSeconds,
    forwardKernels,
    backwardKernels,
    recomputeKernels,
    recomputedOperators: last,
    operators,
  };
}

/**
 * How many operators run before everything that the backward pass reads is back: the layer's last product reads what it was given and
 * its result is only added. Dropout's mask and a norm after the product come later, and experts are weighted after theirs.
 */
function lastRecomputed(operators: readonly Operator[]): number {
  const sum = operators.at(-1);
  const product = operators.at(-2);
  const ends = sum?.kind === 'stream' && sum.keepsMask !== true && product?.kind === 'gemm' && product.split === 'row';
  return ends && product.module === 'mlp' ? operators.length - 2 : operators.length;
}

function runsAgain(operator: Operator, recompute: RecomputeChoice): boolean {
  if (recompute === 'none') return false;
  return recompute === 'all' || recompute.has(operator.module);
}

export function operatorSeconds(
  operator: Operator,
  timers: Timers,
  accelerator: Accelerator,
  share: RankShare,
): OperatorSeconds {
  switch (operator.kind) {
    case 'gemm':
      return projectionSeconds(operator, operator.lowPrecision ? timers.gemm : timers.gemmHigh, timers.stream, share);
    case 'stream':
      return streamOperatorSeconds(operator, timers, share);
    case 'expert':
      return expertSeconds(operator, timers.gemm, accelerator, share);
    case 'attention':
      return share.flash ? flashSeconds(operator, timers, share) : unfusedSeconds(operator, timers, accelerator, share);
  }
}

/** Local features of a GEMM; key-value heads fewer than ranks are replicated, so their share of the outputs stays. */
function localFeatures(
  operator: GemmOperator,
  share: RankShare,
): { readonly inputs: number; readonly outputs: number } {
  const t = share.tensorParallel;
  if (operator.split === 'row') return { inputs: operator.inputFeatures / t, outputs: operator.outputFeatures };
  if (operator.split === 'replicated') return { inputs: operator.inputFeatures, outputs: operator.outputFeatures };
  let outputs = operator.outputFeatures / t;
  if (operator.name === 'queryKeyValue' && share.numKeyValueHeads < t) {
    outputs += 2 * share.headDim * (1 - share.numKeyValueHeads / t);
  }
  return { inputs: operator.inputFeatures, outputs };
}

function projectionSeconds(
  operator: GemmOperator,
  timer: GemmTimer,
  stream: StreamTimer,
  share: RankShare,
): OperatorSeconds {
  const split = operator.split === 'replicated' && share.sequenceParallel ? share.tensorParallel : 1;
  const m = share.tokens / split;
  const { inputs, outputs } = localFeatures(operator, share);
  const accumulation =
    share.accumulationBytes > 0 ? streamSeconds(stream, inputs * outputs * share.accumulationBytes, 1) : 0;
  return {
    forward: gemmSeconds(timer, m, outputs, inputs, share.activationBytes),
    inputGradient: gemmSeconds(timer, m, inputs, outputs, share.activationBytes),
    weightGradient: gemmSeconds(timer, inputs, outputs, m, share.weightGradientBytes) + accumulation,
    forwardKernels: timer.quantiseTraffic > 0 ? 3 : 1,
    backwardKernels: (timer.quantiseTraffic > 0 ? 5 : 2) + (accumulation > 0 ? 1 : 0),
  };
}

function streamOperatorSeconds(operator: StreamOperator, timers: Timers, share: RankShare): OperatorSeconds {
  const t = operator.perExpertToken ? share.expertTensorParallel : share.tensorParallel;
  const divided =
    operator.region === 'tensor' ||
    (operator.region === 'sequence' && share.sequenceParallel && !operator.perExpertToken);
  const tokens = (operator.perExpertToken ? share.expertTokens : share.tokens) / (divided ? t : 1);
  const times = operator.perLocalExpert === true ? share.localExperts : 1;
  const forwardKernels = times * operator.forwardKernels;
  const backwardKernels = times * operator.backwardKernels;
  return {
    forward: streamSeconds(timers.stream, operator.forwardBytes * tokens, forwardKernels),
    inputGradient: streamSeconds(timers.stream, operator.backwardBytes * tokens, backwardKernels),
    weightGradient: 0,
    forwardKernels,
    backwardKernels,
  };
}

function expertSeconds(
  operator: ExpertOperator,
  timer: GemmTimer,
  accelerator: Accelerator,
  share: RankShare,
): OperatorSeconds {
  const t = share.expertTensorParallel;
  const inputs = operator.split === 'row' ? operator.inputFeatures / t : operator.inputFeatures;
  const outputs = operator.split === 'column' ? operator.outputFeatures / t : operator.outputFeatures;
  const { expertTokens: tokens, localExperts: experts } = share;
  const forward = groupedGemmSeconds(accelerator, timer, tokens, experts, outputs, inputs, share.activationBytes);
  const inputGradient = groupedGemmSeconds(accelerator, timer, tokens, experts, inputs, outputs, share.activationBytes);
  const accumulate =
    (experts * inputs * outputs * (share.weightGradientBytes - share.activationBytes + share.accumulationBytes)) /
    timer.bytesPerSecond;
  return { forward, inputGradient, weightGradient: forward + accumulate, forwardKernels: 2, backwardKernels: 4 };
}

/** FlashAttention: forward two products, backward five of the same size (Dao 2023, section 3.1). */
function flashSeconds(operator: AttentionOperator, timers: Timers, share: RankShare): OperatorSeconds {
  const heads = operator.heads / share.tensorParallel;
  const pairs = share.microBatchSize * heads * share.queryLength * share.keyLength * share.visibleFraction;
  const forwardFlops = 2 * pairs * (operator.queryKeyDim + operator.valueDim);
  const blocks = share.attentionBlocks;
  const length = share.keyLength / blocks;
  const batch = heads * share.microBatchSize;
  const forward = blocks * attentionSeconds(timers.attention, 'forward', forwardFlops / blocks, length, batch);
  const backward =
    blocks * attentionSeconds(timers.attention, 'backward', (2.5 * forwardFlops) / blocks, length, batch);
  return { forward, inputGradient: backward, weightGradient: 0, forwardKernels: blocks, backwardKernels: 3 * blocks };
}

/** Batched GEMMs over the full square with softmax and dropout between them, all through memory. */
function unfusedSeconds(
  operator: AttentionOperator,
  timers: Timers,
  accelerator: Accelerator,
  share: RankShare,
): OperatorSeconds {
  const heads = (share.microBatchSize * operator.heads) / share.tensorParallel;
  const { queryLength: q, keyLength: k, activationBytes: e } = share;
  const { queryKeyDim, valueDim } = operator;
  const scoreTimer = alignedTimer(timers.gemmHigh, accelerator, queryKeyDim);
  const scores = gemmSeconds(scoreTimer, q, k, queryKeyDim, e, heads);
  const values = gemmSeconds(alignedTimer(timers.gemmHigh, accelerator, valueDim), q, valueDim, k, e, heads);
  const keyGradient = gemmSeconds(scoreTimer, k, queryKeyDim, q, e, heads);
  const square = heads * q * k;
  const passes = share.softmaxPasses;
  const dropout = share.attentionDropout ? 2 * e + 1 : 0;
  const softmaxForward = streamSeconds(
    timers.stream,
    square * (2 * e * passes + dropout),
    passes + (dropout > 0 ? 1 : 0),
  );
  const softmaxBackward = streamSeconds(timers.stream, square * (e + 2 * e * passes + dropout), passes + 1);
  return {
    forward: scores + values + softmaxForward,
    inputGradient: scores + values + 2 * keyGradient + softmaxBackward,
    weightGradient: 0,
    forwardKernels: 2 + passes + 1,
    backwardKernels: 4 + passes + 1,
  };
}
