/**
 * What is trained, fully resolved: every field has a value. `architectureSchema.ts` makes one from a preset, a
 * Hugging Face config or an inline description. Names follow Hugging Face's config.json, in camelCase.
 */
export interface Architecture {
  readonly name: string;
  readonly numLayers: number;
  readonly hiddenSize: number;
  readonly numAttentionHeads: number;
  /** Equal to `numAttentionHeads` for multi-head attention, 1 for multi-query. */
  readonly numKeyValueHeads: number;
  readonly headDim: number;
  /** Width of the dense feed-forward layer. Layers with experts use `moe.expertIntermediateSize`. */
  readonly intermediateSize: number;
  /** Tokens in the vocabulary, before a framework pads it. */
  readonly vocabSize: number;
  /** Three feed-forward matrices (SwiGLU, GeGLU) instead of two. */
  readonly gatedMlp: boolean;
  readonly activation: 'gelu' | 'silu' | 'relu' | 'squared-relu';
  /** The head shares the embedding's weights. */
  readonly tiedEmbeddings: boolean;
  readonly positionEmbedding: 'learned' | 'rotary' | 'alibi' | 'transformer-xl' | 'none';
  /** Rows of the learned position table; 0 where positions are not learned. */
  readonly maxPositions: number;
  readonly norm: 'layer' | 'rms';
  /** Norms over the hidden size in one layer: 2 as a rule, 4 with post-norms (Gemma 2), 1 in some parallel layers. */
  readonly normsPerLayer: number;
  /** Bias vectors beside the scale of layer norms. */
  readonly normBias: boolean;
  readonly finalNorm: boolean;
  /** A norm right after the embedding (BLOOM). */
  readonly embeddingNorm: boolean;
  /** Norm on queries and keys: per head (one headDim vector each), or over all heads (OLMo 2). */
  readonly queryKeyNorm: 'none' | 'head' | 'full';
  readonly biases: {
    readonly queryKeyValue: boolean;
    readonly attentionOutput: boolean;
    readonly mlp: boolean;
    readonly head: boolean;
  };
  /** Attention and feed-forward run side by side from the same input (PaLM, GPT-NeoX, Falcon). */
  readonly parallelLayers: boolean;
  /** One learned sink logit per head (gpt-oss). */
  readonly attentionSinks: boolean;
  /** Multi-head latent attention (DeepSeek), or null. */
  readonly mla: LatentAttention | null;
  /** Mixture of experts, or null for a dense model. */
  readonly moe: MixtureOfExperts | null;
  /** Local attention, or null where every layer sees the whole sequence. */
  readonly slidingWindow: SlidingWindow | null;
  /** DeepSeek's multi-token-prediction modules (each one transformer layer plus a 2h x h projection). */
  readonly multiTokenPredictionLayers: number;
  /** Dropout probability during training; 0 where none, and then no masks are kept. */
  readonly dropout: number;
}

export interface LatentAttention {
  /** Rank of the compressed query; 0 where queries are projected directly (DeepSeek V2 Lite). */
  readonly queryLoraRank: number;
  readonly keyValueLoraRank: number;
  readonly queryKeyNopeHeadDim: number;
  readonly queryKeyRopeHeadDim: number;
  readonly valueHeadDim: number;
}

export interface MixtureOfExperts {
  readonly numExperts: number;
  readonly expertsPerToken: number;
  readonly expertIntermediateSize: number;
  /** Experts that every token visits. */
  readonly sharedExperts: number;
  /** Width of all shared experts together; `sharedExperts * expertIntermediateSize` unless the model says otherwise. */
  readonly sharedExpertIntermediateSize: number;
  /** Leading layers that are dense. */
  readonly numDenseLayers: number;
  /** After the dense ones, every n-th layer has experts: 1 is all of them, 2 every other one (Llama 4 Maverick). */
  readonly every: number;
  /** One bias per expert in the router (DeepSeek V3's balancing bias, gpt-oss). */
  readonly routerBias: boolean;
  /** Bias vectors in the experts' matrices (gpt-oss). */
  readonly expertBias: boolean;
  /** A scalar gate on the shared expert (Qwen 2 MoE). */
  readonly sharedExpertGate: boolean;
  /** A token's experts lie on at most this many nodes (DeepSeek); 0 for no limit. */
  readonly nodeLimit: number;
}

export interface SlidingWindow {
  /** Tokens a query sees, itself included. */
  readonly size: number;
  /** Every n-th layer sees the whole sequence: 2 for gpt-oss and Gemma 2, 6 for Gemma 3; 0 where none does. */
  readonly fullAttentionEvery: number;
}
