import type { Architecture } from './architecture.js';

/**
 * How tensor parallelism cuts an operator or a tensor: `tensor` is divided by its degree always, `sequence` only with
 * sequence parallelism, `replicated` never.
 */
export type Region = 'tensor' | 'sequence' | 'replicated';

/** Modules that selective recomputation names (Megatron's `--recompute-modules`), and `other`. */
export type Module = 'core_attn' | 'layernorm' | 'mla_up_proj' | 'mlp' | 'moe' | 'moe_act' | 'shared_experts' | 'other';

/** A weight matrix multiplying tokens. `column` divides the outputs over tensor-parallel ranks, `row` the inputs. */
export interface GemmOperator {
  readonly kind: 'gemm';
  readonly name: string;
  readonly inputFeatures: number;
  readonly outputFeatures: number;
  readonly split: 'column' | 'row' | 'replicated';
  /** Runs in the low precision of the recipe (fp8, nvfp4) when there is one. */
  readonly lowPrecision: boolean;
  readonly module: Module;
}

/** The experts of a layer: one product per expert. Features as for one expert. */
export interface ExpertOperator {
  readonly kind: 'expert';
  readonly name: string;
  readonly inputFeatures: number;
  readonly outputFeatures: number;
  readonly split: 'column' | 'row';
  readonly module: Module;
}

/** A bandwidth-bound kernel chain: bytes moved per token, whole model. */
export interface StreamOperator {
  readonly kind: 'stream';
  readonly name: string;
  readonly region: Region;
  readonly forwardBytes: number;
  readonly backwardBytes: number;
  readonly forwardKernels: number;
  readonly backwardKernels: number;
  readonly module: Module;
  /** Scales with the tokens of the experts' side of the layer (each token counted once per expert it visits). */
  readonly perExpertToken: boolean;
  /** Every local expert launches these kernels for itself. */
  readonly perLocalExpert?: boolean;
  /** A dropout mask is kept for the backward pass. */
  readonly keepsMask?: boolean;
}

/** Scores, softmax and values. */
export interface AttentionOperator {
  readonly kind: 'attention';
  readonly name: string;
  readonly heads: number;
  readonly queryKeyDim: number;
  readonly valueDim: number;
  readonly module: Module;
}

export type Operator = GemmOperator | ExpertOperator | StreamOperator | AttentionOperator;

/** A tensor kept from forward to backward, per token (or per token and visited expert). */
export interface SavedTensor {
  readonly name: string;
  readonly bytesPerToken: number;
  readonly region: Region;
  /** Recomputing this module drops the tensor. */
  readonly module: Module;
  /** Bytes grow with the sequence as well: per token and key (unfused attention). */
  readonly perKey: boolean;
  readonly perExpertToken: boolean;
  /** The input of a weight matrix: its weight gradient still needs it when the input gradients are done. */
  readonly forWeights: boolean;
  /** Most parts into which tensor parallelism can cut it; ranks beyond hold copies (key-value heads). */
  readonly mostParts: number;
}

/** How kernels are fused; decides bytes moved and tensors kept. */
export interface Execution {
  readonly fusion: 'eager' | 'compiled' | 'fused';
  readonly fusedNorm: boolean;
  readonly attention: 'unfused' | 'fused-softmax' | 'flash';
  /** Bytes of one activation element: 2, or 4 for fp32 and tf32. */
  readonly activationBytes: number;
  /** Bytes kept of one GEMM-input element: 1 where the quantised input is kept for the weight gradient. */
  readonly gemmInputBytes: number;
}

/** Operators of one layer in order, and what they keep. */
export interface LayerGraph {
  readonly operators: readonly Operator[];
  readonly saved: readonly SavedTensor[];
  /** How many of `saved`, from the first, belong to the attention block; the rest is the feed-forward part. */
  readonly savedByAttention: number;
}

function stream(
  name: string,
  region: Region,
  bytes: readonly [number, number],
  kernels: readonly [number, number],
  module: Module = 'other',
  perExpertToken = false,
): StreamOperator {
  return {
    kind: 'stream',
    name,
    region,
    forwardBytes: bytes[0],
    backwardBytes: bytes[1],
    forwardKernels: kernels[0],
    backwardKernels: kernels[1],
    module,
    perExpertToken,
  };
}

function gemm(
  name: string,
  inputFeatures: number,
  outputFeatures: number,
  split: GemmOperator['split'],
  module: Module = 'other',
): GemmOperator {
  return { kind: 'gemm', name, inputFeatures, outputFeatures, split, lowPrecision: true, module };
}

/** Saved tensors that are inputs of weight matrices. */
const weightInputs: ReadonlySet<string> = new Set([
  'queryKeyValueInput',
  'latents',
  'attentionOutput',
  'attentionOutputQuantised',
  'feedForwardInput',
  'feedForwardDownInput',
  'expertInput',
  'expertDownInput',
]);

function keep(name: string, bytesPerToken: number, region: Region, module: Module = 'other'): SavedTensor {
  const forWeights = weightInputs.has(name);
  const mostParts = Number.POSITIVE_INFINITY;
  return { name, bytesPerToken, region, module, perKey: false, perExpertToken: false, forWeights, mostParts };
}

/**
 * A norm over `width` elements. Fused kernels read and write once (backward: gradient and input in, gradient out). Eager
 * RMS norm in PyTorch is six kernels with fp32 temporaries; eager layer norm is one kernel already.
 */
export function normOperator(
  name: string,
  a: Architecture,
  x: Execution,
  width: number,
  region: Region,
): StreamOperator {
  const e = x.activationBytes;
  const handWritten = x.fusedNorm || x.fusion === 'compiled';
  if (handWritten) return stream(name, region, [2 * e * width, 3 * e * width], [1, 2], 'layernorm');
  if (a.norm === 'layer') return stream(name, region, [2 * e * width, 5 * e * width], [1, 2], 'layernorm');
  return stream(name, region, [(4 * e + 28) * width, (8 * e + 48) * width], [6, 12], 'layernorm');
}

/** Bias, dropout and the residual sum at the end of a block. The gradient's own sum over both branches is always there. */
function residualOperator(name: string, a: Architecture, x: Execution, biased: boolean): StreamOperator {
  const h = a.hiddenSize;
  const e = x.activationBytes;
  const mask = a.dropout > 0 ? 1 : 0;
  const gradientSum = 3 * e;
  if (x.fusion !== 'eager') {
    const bytes: [number, number] = [(3 * e + mask) * h, (gradientSum + mask * (2 * e + 1)) * h];
    return { ...stream(name, 'sequence', bytes, [1, 1 + mask]), keepsMask: mask > 0 };
  }
  const bias = biased ? 2 * e : 0;
  const dropout = mask * (2 * e + 1);
  const kernels = 1 + mask + (biased ? 1 : 0);
  const bytes: [number, number] = [(3 * e + bias + dropout) * h, (gradientSum + bias / 2 + dropout) * h];
  return { ...stream(name, 'sequence', bytes, [kernels, kernels]), keepsMask: mask > 0 };
}

function activationOperator(
  a: Architecture,
  x: Execution,
  width: number,
  name: string,
  perExpertToken: boolean,
): StreamOperator {
  const e = x.activationBytes;
  const fused = x.fusion !== 'eager';
  const module: Module = perExpertToken ? 'moe_act' : 'mlp';
  const region: Region = 'tensor';
  if (a.gatedMlp) {
    const bytes: [number, number] = fused ? [3 * e * width, 5 * e * width] : [5 * e * width, 8 * e * width];
    return stream(name, region, bytes, fused ? [1, 1] : [2, 4], module, perExpertToken);
  }
  const bias = a.biases.mlp ? 1 : 0;
  const bytes: [number, number] = fused
    ? [2 * e * width, (3 + bias) * e * width]
    : [(2 + 2 * bias) * e * width, (3 + bias) * e * width];
  return stream(name, region, bytes, fused ? [1, 2] : [1 + bias, 1 + bias], module, perExpertToken);
}

function rotaryOperator(a: Architecture, x: Execution): StreamOperator | undefined {
  if (a.positionEmbedding !== 'rotary') return undefined;
  const mla = a.mla;
  const width =
    mla === null
      ? (a.numAttentionHeads + a.numKeyValueHeads) * a.headDim
      : a.numAttentionHeads * (mla.queryKeyNopeHeadDim + mla.queryKeyRopeHeadDim) * 2;
  const e = x.activationBytes;
  if (x.fusion !== 'eager') return stream('rotary', 'tensor', [2 * e * width, 2 * e * width], [2, 2]);
  // Slice, negate, concatenate, two products and a sum, for queries and for keys.
  return stream('rotary', 'tensor', [8 * e * width, 8 * e * width], [10, 10]);
}

/** Weight matrices and norms of the attention block. */
function attentionProjections(a: Architecture, x: Execution): Operator[] {
  const h = a.hiddenSize;
  const mla = a.mla;
  if (mla === null) {
    const qkv = (a.numAttentionHeads + 2 * a.numKeyValueHeads) * a.headDim;
    return [gemm('queryKeyValue', h, qkv, 'column')];
  }
  const queryDim = a.numAttentionHeads * (mla.queryKeyNopeHeadDim + mla.queryKeyRopeHeadDim);
  const keyValueDim = a.numAttentionHeads * (mla.queryKeyNopeHeadDim + mla.valueHeadDim);
  const down = mla.keyValueLoraRank + mla.queryKeyRopeHeadDim;
  const query: Operator[] =
    mla.queryLoraRank > 0
      ? [
          gemm('queryDown', h, mla.queryLoraRank, 'replicated'),
          normOperator('queryNorm', a, x, mla.queryLoraRank, 'sequence'),
          gemm('queryUp', mla.queryLoraRank, queryDim, 'column', 'mla_up_proj'),
        ]
      : [gemm('query', h, queryDim, 'column')];
  return [
    ...query,
    gemm('keyValueDown', h, down, 'replicated'),
    normOperator('keyValueNorm', a, x, mla.keyValueLoraRank, 'sequence'),
    gemm('keyValueUp', mla.keyValueLoraRank, keyValueDim, 'column', 'mla_up_proj'),
  ];
}

function attentionOperators(a: Architecture, x: Execution): Operator[] {
  const h = a.hiddenSize;
  const mla = a.mla;
  const operators: Operator[] = [normOperator('attentionNorm', a, x, h, 'sequence'), ...attentionProjections(a, x)];
  if (a.queryKeyNorm !== 'none') {
    operators.push(
      normOperator('queryKeyNorm', a, x, (a.numAttentionHeads + a.numKeyValueHeads) * a.headDim, 'tensor'),
    );
  }
  const rotary = rotaryOperator(a, x);
  if (rotary !== undefined) operators.push(rotary);
  const queryKeyDim = mla === null ? a.headDim : mla.queryKeyNopeHeadDim + mla.queryKeyRopeHeadDim;
  const valueDim = mla === null ? a.headDim : mla.valueHeadDim;
  operators.push({
    kind: 'attention',
    name: 'attention',
    heads: a.numAttentionHeads,
    queryKeyDim,
    valueDim,
    module: 'core_attn',
  });
  operators.push(gemm('attentionOutput', a.numAttentionHeads * valueDim, h, 'row'));
  if (a.normsPerLayer >= 4) operators.push(normOperator('attentionPostNorm', a, x, h, 'sequence'));
  operators.push(residualOperator('attentionResidual', a, x, a.biases.attentionOutput));
  return operators;
}

function feedForwardOperators(a: Architecture, x: Execution): Operator[] {
  const h = a.hiddenSize;
  const f = a.intermediateSize;
  const operators: Operator[] = [];
  if (!(a.parallelLayers && a.normsPerLayer < 2)) operators.push(normOperator('feedForwardNorm', a, x, h, 'sequence'));
  operators.push(
    gemm('feedForwardUp', h, a.gatedMlp ? 2 * f : f, 'column', 'mlp'),
    activationOperator(a, x, f, 'activation', false),
    gemm('feedForwardDown', f, h, 'row', 'mlp'),
  );
  if (a.normsPerLayer >= 4) operators.push(normOperator('feedForwardPostNorm', a, x, h, 'sequence'));
  operators.push(residualOperator('feedForwardResidual', a, x, a.biases.mlp));
  return operators;
}

/**
 * Biases after the experts' second matrix, weighted by the router's probabilities. Megatron-Core (`_apply_bias` of its grouped
 * experts, read 2026-11) splits the tokens by expert, multiplies bias and probability in fp32, adds, joins and casts back: 28
 * bytes an element forward. Backward: casts, the split's copies, and two products in fp32 that are summed over tokens (the
 * bias) and over features (the probability): 40 bytes.
 */
function expertBiasOperator(h: number, x: Execution): StreamOperator {
  if (x.fusion === 'compiled') return stream('expertBias', 'sequence', [4 * h, 6 * h], [1, 2], 'moe', true);
  return { ...stream('expertBias', 'sequence', [28 * h, 40 * h], [3, 6], 'moe', true), perLocalExpert: true };
}

/** Router, permutation, experts and shared experts. Bytes of the permutation are per token and visited expert. */
function expertOperators(a: Architecture, x: Execution): Operator[] {
  const moe = a.moe;
  if (moe === null) return feedForwardOperators(a, x);
  const h = a.hiddenSize;
  const e = x.activationBytes;
  const gate = a.gatedMlp ? 2 : 1;
  const operators: Operator[] = [
    normOperator('feedForwardNorm', a, x, h, 'sequence'),
    { ...gemm('router', h, moe.numExperts, 'replicated', 'moe'), lowPrecision: false },
    // Softmax or sigmoid, top-k, masks and counts, in fp32.
    stream('routing', 'sequence', [24 * moe.numExperts, 24 * moe.numExperts], [12, 8], 'moe'),
    stream('permute', 'sequence', [2 * e * h, 2 * e * h], [3, 3], 'moe', true),
    {
      kind: 'expert',
      name: 'expertUp',
      inputFeatures: h,
      outputFeatures: gate * moe.expertIntermediateSize,
      split: 'column',
      module: 'moe',
    },
    activationOperator(a, x, moe.expertIntermediateSize, 'expertActivation', true),
    {
      kind: 'expert',
      name: 'expertDown',
      inputFeatures: moe.expertIntermediateSize,
      outputFeatures: h,
      split: 'row',
      module: 'moe',
    },
    stream('unpermute', 'sequence', [2 * e * h, 3 * e * h], [3, 4], 'moe', true),
  ];
  if (moe.expertBias) operators.push(expertBiasOperator(h, x));
  const shared = moe.sharedExpertIntermediateSize;
  if (shared > 0) {
    operators.push(
      gemm('sharedExpertUp', h, gate * shared, 'column', 'shared_experts'),
      activationOperator(a, x, shared, 'sharedExpertActivation', false),
      gemm('sharedExpertDown', shared, h, 'row', 'shared_experts'),
    );
  }
  operators.push(residualOperator('feedForwardResidual', a, x, false));
  return operators;
}

/** Eager RMS norm keeps its fp32 input and its normalised fp32 value for backward. */
function savedByEagerNorm(a: Architecture, x: Execution): SavedTensor[] {
  const eager = a.norm === 'rms' && !x.fusedNorm && x.fusion === 'eager';
  return eager ? [keep('normTemporaries', 8 * a.hiddenSize, 'sequence', 'layernorm')] : [];
}

/** What attention keeps beside its inputs: nothing square with flash kernels, softmax and dropout otherwise. */
function savedByAttention(a: Architecture, x: Execution): SavedTensor[] {
  const heads = a.numAttentionHeads;
  const e = x.activationBytes;
  if (x.attention === 'flash') return [keep('logSumExp', 4 * heads, 'tensor', 'core_attn')];
  const dropout = a.dropout > 0 ? e + 1 : 0;
  // An unfused softmax keeps its input's scaled and masked copy beside its output.
  const scaled = x.attention === 'unfused' ? e : 0;
  return [{ ...keep('softmax', heads * (e + dropout + scaled), 'tensor', 'core_attn'), perKey: true }];
}

function savedByProjections(a: Architecture, x: Execution): SavedTensor[] {
  const e = x.activationBytes;
  const mla = a.mla;
  if (mla === null) {
    const keysValues = keep('keysValues', 2 * e * a.numKeyValueHeads * a.headDim, 'tensor');
    const normed = (a.numAttentionHeads + a.numKeyValueHeads) * a.headDim;
    const extra = a.queryKeyNorm === 'none' ? [] : [keep('queryKeyNormInput', e * normed, 'tensor', 'layernorm')];
    return [
      keep('queries', e * a.numAttentionHeads * a.headDim, 'tensor'),
      { ...keysValues, mostParts: a.numKeyValueHeads },
      ...extra,
    ];
  }
  const queryKey = mla.queryKeyNopeHeadDim + mla.queryKeyRopeHeadDim;
  const up = a.numAttentionHeads * (2 * queryKey + mla.valueHeadDim);
  const compressed = mla.queryLoraRank + mla.keyValueLoraRank;
  return [keep('latents', 2 * e * compressed, 'sequence'), keep('queryKeyValue', e * up, 'tensor', 'mla_up_proj')];
}

function savedByAttentionBlock(a: Architecture, x: Execution): SavedTensor[] {
  const h = a.hiddenSize;
  const e = x.activationBytes;
  const valueDim = a.mla === null ? a.headDim : a.mla.valueHeadDim;
  const saved = [
    keep('attentionNormInput', e * h, 'sequence'),
    keep('queryKeyValueInput', x.gemmInputBytes * h, 'sequence', 'layernorm'),
    ...savedByEagerNorm(a, x),
    ...savedByProjections(a, x),
    ...savedByAttention(a, x),
    keep('attentionOutput', e * a.numAttentionHeads * valueDim, 'tensor'),
    ...(x.gemmInputBytes < e
      ? [keep('attentionOutputQuantised', x.gemmInputBytes * a.numAttentionHeads * valueDim, 'tensor')]
      : []),
  ];
  if (a.dropout > 0) saved.push(keep('attentionDropoutMask', h, 'sequence'));
  return saved;
}

function savedByFeedForward(a: Architecture, x: Execution, kind: 'dense' | 'moe'): SavedTensor[] {
  const h = a.hiddenSize;
  const e = x.activationBytes;
  const saved: SavedTensor[] = [];
  if (!(a.parallelLayers && a.normsPerLayer < 2)) {
    saved.push(
      keep('feedForwardNormInput', e * h, 'sequence'),
      keep('feedForwardInput', x.gemmInputBytes * h, 'sequence', 'layernorm'),
      ...savedByEagerNorm(a, x),
    );
  }
  const moe = a.moe;
  if (kind === 'dense' || moe === null) {
    saved.push(...savedByMlp(a, x, a.intermediateSize, 'mlp'));
    if (a.dropout > 0) saved.push(keep('feedForwardDropoutMask', h, 'sequence'));
    return saved;
  }
  const gate = a.gatedMlp ? 2 : 1;
  const f = moe.expertIntermediateSize;
  const visits = (name: string, bytes: number, region: Region, module: Module): SavedTensor => ({
    ...keep(name, bytes, region, module),
    perExpertToken: true,
  });
  saved.push(
    keep('router', 8 * moe.numExperts, 'sequence', 'moe'),
    visits('expertInput', x.gemmInputBytes * h, 'sequence', 'moe'),
    visits('expertUp', e * gate * f, 'tensor', 'moe'),
    visits('expertDownInput', x.gemmInputBytes * f, 'tensor', 'moe_act'),
  );
  if (moe.sharedExpertIntermediateSize > 0) {
    saved.push(...savedByMlp(a, x, moe.sharedExpertIntermediateSize, 'shared_experts'));
  }
  return saved;
}

function savedByMlp(a: Architecture, x: Execution, width: number, module: Module): SavedTensor[] {
  const e = x.activationBytes;
  const gate = a.gatedMlp ? 2 : 1;
  const eager = x.fusion === 'eager' && a.gatedMlp ? e * width : 0;
  return [
    keep('feedForwardUp', e * gate * width + eager, 'tensor', module),
    keep('feedForwardDownInput', x.gemmInputBytes * width, 'tensor', module),
  ];
}

/**
 * Operators of one transformer layer and the tensors they keep for backward.
 *
 * With 16-bit activations, dropout and no flash attention the saved bytes per layer are Korthikanti et al. 2022, eq. 1:
 * s b h (34 + 5 a s / h), of which 10 sbh lie outside the tensor-parallel region.
 */
export function layerGraph(a: Architecture, x: Execution, kind: 'dense' | 'moe'): LayerGraph {
  const key = `${kind} ${Object.values(x).join(' ')}`;
  const graphs = known.get(a) ?? new Map<string, LayerGraph>();
  known.set(a, graphs);
  const graph = graphs.get(key) ?? makeGraph(a, x, kind);
  graphs.set(key, graph);
  return graph;
}

/** Searches ask for the same few graphs thousands of times. */
const known = new WeakMap<Architecture, Map<string, LayerGraph>>();

function makeGraph(a: Architecture, x: Execution, kind: 'dense' | 'moe'): LayerGraph {
  const feedForward = kind === 'moe' ? expertOperators(a, x) : feedForwardOperators(a, x);
  const attention = savedByAttentionBlock(a, x);
  return {
    operators: [...attentionOperators(a, x), ...feedForward],
    saved: [...attention, ...savedByFeedForward(a, x, kind)],
    savedByAttention: attention.length,
  };
}
