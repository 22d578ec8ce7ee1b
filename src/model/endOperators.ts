import type { Architecture } from './architecture.js';
import { type Execution, type GemmOperator, normOperator, type StreamOperator } from './operators.js';

/** Work outside the layers. Bytes per token, whole model; the logits are divided over tensor-parallel ranks. */
export interface EndOperators {
  /** Gather of token (and position) rows, dropout. */
  readonly embedding: StreamOperator;
  readonly finalNorm: StreamOperator | undefined;
  readonly head: GemmOperator;
  /** Cross entropy over the padded vocabulary. */
  readonly loss: StreamOperator;
  /** What one multi-token-prediction module adds to a layer: its norms and the projection of hidden state and next embedding. */
  readonly prediction: readonly (GemmOperator | StreamOperator)[];
}

/** Bytes per logit that the loss needs. */
export interface LossMemory {
  /** At once in the forward pass, the logits themselves included. */
  readonly forwardBytes: number;
  /** From the forward to the backward pass of one micro-batch. */
  readonly keptBytes: number;
  /** At once in the backward pass. */
  readonly backwardBytes: number;
}

export function endOperators(
  a: Architecture,
  x: Execution,
  paddedVocabulary: number,
  fusedCrossEntropy: boolean,
): EndOperators {
  const e = x.activationBytes;
  const h = a.hiddenSize;
  const positions = a.positionEmbedding === 'learned' ? 3 * e : 0;
  const dropout = a.dropout > 0 ? 2 * e + 1 : 0;
  const region = 'sequence';
  const embedding: StreamOperator = {
    kind: 'stream',
    name: 'embedding',
    region,
    forwardBytes: (2 * e + positions + dropout) * h,
    backwardBytes: (2 * e + 8 + dropout) * h,
    forwardKernels: 2,
    backwardKernels: 3,
    module: 'other',
    perExpertToken: false,
  };
  const head: GemmOperator = {
    kind: 'gemm',
    name: 'head',
    inputFeatures: h,
    outputFeatures: paddedVocabulary,
    split: 'column',
    lowPrecision: false,
    module: 'other',
  };
  // Unfused: to fp32, maximum, subtract, exponential, sum, and back (Megatron's vocabulary-parallel cross entropy).
  const [forward, backward] = fusedCrossEntropy || x.fusion === 'compiled' ? [2 * e, 2 * e] : [e + 28, 12 + e];
  const loss: StreamOperator = {
    kind: 'stream',
    name: 'loss',
    region: 'tensor',
    forwardBytes: forward * paddedVocabulary,
    backwardBytes: backward * paddedVocabulary,
    forwardKernels: fusedCrossEntropy ? 2 : 8,
    backwardKernels: fusedCrossEntropy ? 1 : 4,
    module: 'other',
    perExpertToken: false,
  };
  const finalNorm = a.finalNorm ? normOperator('finalNorm', a, x, h, region) : undefined;
  return { embedding, finalNorm, head, loss, prediction: predictionOperators(a, x) };
}

/** DeepSeek-V3 report, section 2.2: norms of the hidden state and of the next token's embedding, a 2h x h projection, a final norm. */
function predictionOperators(a: Architecture, x: Execution): (GemmOperator | StreamOperator)[] {
  const h = a.hiddenSize;
  const norm = (name: string): StreamOperator => normOperator(name, a, x, h, 'sequence');
  const projection: GemmOperator = {
    kind: 'gemm',
    name: 'predictionProjection',
    inputFeatures: 2 * h,
    outputFeatures: h,
    split: 'column',
    lowPrecision: true,
    module: 'other',
  };
  return [norm('hiddenNorm'), norm('embeddingNorm'), projection, norm('predictionNorm')];
}

/** How a framework takes the loss: which tensors of the size of the logits it makes. */
export type LossKind = 'megatron' | 'megatron-2021' | 'torch' | 'torch-kept' | 'compiled';

/**
 * Tensors of the size of the logits, by implementation.
 *
 * Megatron's vocabulary-parallel loss: an fp32 copy that becomes the probabilities in place and later their gradient, which is cast
 * (in 2021 the exponential was a tensor of its own). PyTorch's cross entropy: an fp32 copy and its log-softmax; backward the
 * log-probabilities, the gradient of the picked ones and that of the softmax. `torch-kept`: the caller holds the logits meanwhile.
 * A fused loss of a 16-bit framework and XLA's turn the logits into their gradient.
 */
export function lossMemory(x: Execution, fusedCrossEntropy: boolean, kind: LossKind): LossMemory {
  const e = x.activationBytes;
  if (kind === 'megatron' || (kind === 'megatron-2021' && fusedCrossEntropy)) {
    return { forwardBytes: e + 4, keptBytes: 4, backwardBytes: 4 + e };
  }
  if (kind === 'megatron-2021') return { forwardBytes: e + 8, keptBytes: 4, backwardBytes: 4 + e };
  if (fusedCrossEntropy || kind === 'compiled') return { forwardBytes: e, keptBytes: e, backwardBytes: 2 * e };
  const held = kind === 'torch-kept' ? e : 0;
  return { forwardBytes: e + 8, keptBytes: 4 + held, backwardBytes: 12 + held };
}
