import type { ArchitectureInput } from '../model/architectureSchema.js';
import { activationOf, type HuggingFaceConfig, windowOf } from './huggingFaceConfig.js';
import { deepseek, glm4Moe, gptOss, llama4, mixtral, qwenMoe } from './huggingFaceExperts.js';
import { gated, needs } from './huggingFaceGated.js';

/** Reads one family's config.json. Defaults are those of the family's configuration class in `transformers`. */
export type Family = (config: HuggingFaceConfig) => ArchitectureInput;

/** `model_type` to the family that reads it. */
export const families: ReadonlyMap<string, Family> = new Map<string, Family>([
  ['bloom', bloom],
  ['cohere', cohere],
  ['cohere2', cohere],
  ['deepseek_v2', deepseek],
  ['deepseek_v3', deepseek],
  ['falcon', falcon],
  ['gemma', gemma],
  ['gemma2', gemma2],
  ['gemma3', gemma3],
  ['gemma3_text', gemma3],
  ['glm4_moe', glm4Moe],
  ['gpt2', gpt2],
  ['gpt_neox', gptNeox],
  ['gpt_oss', gptOss],
  ['kimi_k2', deepseek],
  ['llama', llama],
  ['llama4', llama4],
  ['llama4_text', llama4],
  ['mistral', mistral],
  ['mixtral', mixtral],
  ['nemotron', nemotron],
  ['olmo2', olmo2],
  ['opt', opt],
  ['phi3', mistral],
  ['qwen2', qwen2],
  ['qwen2_moe', (config) => qwenMoe(config, qwen2(config))],
  ['qwen3', qwen3],
  ['qwen3_moe', (config) => qwenMoe(config, qwen3(config))],
  ['refinedweb', falcon],
]);

function llama(config: HuggingFaceConfig): ArchitectureInput {
  const attention = config.flag('attention_bias') ?? false;
  const biases = { queryKeyValue: attention, attentionOutput: attention, mlp: config.flag('mlp_bias') ?? false };
  return { ...gated(config), biases };
}

/** Phi-3 is read alike: its fused projections hold the same weights. */
function mistral(config: HuggingFaceConfig): ArchitectureInput {
  return { ...gated(config), slidingWindow: windowOf(config, config.number('sliding_window'), 0) };
}

function qwen2(config: HuggingFaceConfig): ArchitectureInput {
  const window = config.flag('use_sliding_window') ? config.number('sliding_window') : undefined;
  return { ...gated(config), biases: { queryKeyValue: true }, slidingWindow: windowOf(config, window, 0) };
}

function qwen3(config: HuggingFaceConfig): ArchitectureInput {
  const bias = config.flag('attention_bias') ?? false;
  return {
    ...qwen2(config),
    headDim: config.number('head_dim') ?? 128,
    queryKeyNorm: 'head',
    biases: { queryKeyValue: bias, attentionOutput: bias },
  };
}

/** Norms come after attention and feed-forward here; there are as many. */
function olmo2(config: HuggingFaceConfig): ArchitectureInput {
  return { ...llama(config), queryKeyNorm: 'full' };
}

function gemma(config: HuggingFaceConfig): ArchitectureInput {
  return {
    ...gated(config),
    headDim: config.number('head_dim') ?? 256,
    activation: activationOf(config) ?? 'gelu',
    tiedEmbeddings: config.flag('tie_word_embeddings') ?? true,
  };
}

function gemma2(config: HuggingFaceConfig): ArchitectureInput {
  const window = config.number('sliding_window') ?? 4096;
  return { ...gemma(config), normsPerLayer: 4, slidingWindow: windowOf(config, window, 2) };
}

/** Published files of Gemma 3 leave out whatever equals the class's default. */
function gemma3(config: HuggingFaceConfig): ArchitectureInput {
  const every = config.number('sliding_window_pattern') ?? 6;
  return {
    ...gemma(config),
    numAttentionHeads: config.number('num_attention_heads') ?? 8,
    numKeyValueHeads: config.number('num_key_value_heads') ?? 4,
    vocabSize: config.number('vocab_size') ?? 262208,
    normsPerLayer: 4,
    queryKeyNorm: 'head',
    slidingWindow: windowOf(config, config.number('sliding_window') ?? 4096, every),
  };
}

function cohere(config: HuggingFaceConfig): ArchitectureInput {
  return {
    ...llama(config),
    tiedEmbeddings: config.flag('tie_word_embeddings') ?? true,
    norm: 'layer',
    normBias: false,
    normsPerLayer: 1,
    parallelLayers: true,
    queryKeyNorm: config.flag('use_qk_norm') ? 'full' : 'none',
    slidingWindow: windowOf(config, config.number('sliding_window'), config.number('sliding_window_pattern') ?? 4),
  };
}

function nemotron(config: HuggingFaceConfig): ArchitectureInput {
  return {
    ...llama(config),
    gatedMlp: false,
    activation: activationOf(config) ?? 'squared-relu',
    tiedEmbeddings: config.flag('tie_word_embeddings') ?? false,
    positionEmbedding: 'rotary',
    norm: 'layer',
    dropout: config.number('hidden_dropout') ?? 0,
  };
}

function gpt2(config: HuggingFaceConfig): ArchitectureInput {
  return {
    numLayers: config.required('n_layer', 'num_hidden_layers'),
    hiddenSize: config.required('n_embd', 'hidden_size'),
    numAttentionHeads: config.required('n_head', 'num_attention_heads'),
    intermediateSize: config.number('n_inner'),
    vocabSize: config.required('vocab_size'),
    gatedMlp: false,
    activation: activationOf(config),
    tiedEmbeddings: config.flag('tie_word_embeddings') ?? true,
    positionEmbedding: 'learned',
    maxPositions: config.required('n_positions', 'max_position_embeddings', 'n_ctx'),
    dropout: config.number('resid_pdrop') ?? 0.1,
  };
}

function gptNeox(config: HuggingFaceConfig): ArchitectureInput {
  const attention = config.flag('attention_bias') ?? true;
  return {
    numLayers: config.required('num_hidden_layers'),
    hiddenSize: config.required('hidden_size'),
    numAttentionHeads: config.required('num_attention_heads'),
    intermediateSize: config.required('intermediate_size'),
    vocabSize: config.required('vocab_size'),
    gatedMlp: false,
    activation: activationOf(config),
    tiedEmbeddings: config.flag('tie_word_embeddings') ?? false,
    positionEmbedding: 'rotary',
    biases: { queryKeyValue: attention, attentionOutput: attention, mlp: true },
    parallelLayers: config.flag('use_parallel_residual') ?? true,
    dropout: config.number('hidden_dropout') ?? 0,
  };
}

function bloom(config: HuggingFaceConfig): ArchitectureInput {
  return {
    numLayers: config.required('n_layer', 'num_hidden_layers'),
    hiddenSize: config.required('hidden_size', 'n_embed'),
    numAttentionHeads: config.required('n_head', 'num_attention_heads'),
    vocabSize: config.required('vocab_size'),
    gatedMlp: false,
    tiedEmbeddings: config.flag('tie_word_embeddings') ?? true,
    positionEmbedding: 'alibi',
    embeddingNorm: true,
    dropout: config.number('hidden_dropout') ?? 0,
  };
}

function opt(config: HuggingFaceConfig): ArchitectureInput {
  const hiddenSize = config.required('hidden_size');
  const biased = config.flag('enable_bias') ?? true;
  needs((config.number('word_embed_proj_dim') ?? hiddenSize) === hiddenSize, 'a narrower embedding', {
    key: 'word_embed_proj_dim',
  });
  return {
    numLayers: config.required('num_hidden_layers'),
    hiddenSize,
    numAttentionHeads: config.required('num_attention_heads'),
    intermediateSize: config.required('ffn_dim'),
    vocabSize: config.required('vocab_size'),
    gatedMlp: false,
    activation: activationOf(config) ?? 'relu',
    tiedEmbeddings: config.flag('tie_word_embeddings') ?? true,
    positionEmbedding: 'learned',
    // The table starts at position 2, a leftover of fairseq's padding.
    maxPositions: config.required('max_position_embeddings') + 2,
    finalNorm: config.flag('do_layer_norm_before') ?? true,
    biases: { queryKeyValue: biased, attentionOutput: biased, mlp: biased },
    dropout: config.number('dropout') ?? 0.1,
  };
}

/** Also the files of before the port to `transformers`, whose `model_type` is RefinedWeb. */
function falcon(config: HuggingFaceConfig): ArchitectureInput {
  const heads = config.required('num_attention_heads', 'n_head');
  const grouped = (config.flag('new_decoder_architecture') ?? false) || config.number('n_head_kv') !== undefined;
  const parallelLayers = config.flag('parallel_attn') ?? true;
  const multiQuery = config.flag('multi_query') ?? true;
  const biased = config.flag('bias') ?? false;
  const parallelNorms = grouped ? (config.number('num_ln_in_parallel_attn') ?? 2) : 1;
  return {
    numLayers: config.required('num_hidden_layers', 'n_layer'),
    hiddenSize: config.required('hidden_size', 'n_embed'),
    numAttentionHeads: heads,
    numKeyValueHeads: grouped ? (config.number('num_kv_heads', 'n_head_kv') ?? heads) : multiQuery ? 1 : heads,
    intermediateSize: config.number('ffn_hidden_size'),
    vocabSize: config.required('vocab_size'),
    gatedMlp: false,
    activation: activationOf(config),
    tiedEmbeddings: config.flag('tie_word_embeddings') ?? true,
    positionEmbedding: config.flag('alibi') ? 'alibi' : 'rotary',
    normsPerLayer: parallelLayers ? parallelNorms : 2,
    biases: { queryKeyValue: biased, attentionOutput: biased, mlp: biased },
    parallelLayers,
    dropout: config.number('hidden_dropout') ?? 0,
  };
}
