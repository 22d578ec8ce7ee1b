import type { ArchitectureInput } from '../model/architectureSchema.js';
import { type HuggingFaceConfig, windowOf } from './huggingFaceConfig.js';
import { gated, needs } from './huggingFaceGated.js';

export function mixtral(config: HuggingFaceConfig): ArchitectureInput {
  return {
    ...gated(config),
    slidingWindow: windowOf(config, config.number('sliding_window'), 0),
    moe: {
      numExperts: config.required('num_local_experts'),
      expertsPerToken: config.required('num_experts_per_tok'),
      expertIntermediateSize: config.required('intermediate_size'),
    },
  };
}

/** Qwen 2 has a gated shared expert, Qwen 3 none. */
export function qwenMoe(config: HuggingFaceConfig, dense: ArchitectureInput): ArchitectureInput {
  const sharedWidth = config.number('shared_expert_intermediate_size') ?? 0;
  const denseLayers = config.list('mlp_only_layers') ?? [];
  needs(
    denseLayers.every((layer, index) => layer === index),
    'dense layers among those with experts',
    {
      key: 'mlp_only_layers',
    },
  );
  return {
    ...dense,
    moe: {
      numExperts: config.required('num_experts', 'num_local_experts'),
      expertsPerToken: config.required('num_experts_per_tok'),
      expertIntermediateSize: config.required('moe_intermediate_size'),
      sharedExperts: sharedWidth > 0 ? 1 : 0,
      sharedExpertIntermediateSize: sharedWidth,
      sharedExpertGate: sharedWidth > 0,
      numDenseLayers: denseLayers.length,
      every: config.number('decoder_sparse_step') ?? 1,
    },
  };
}

/** DeepSeek V2 and V3, and Kimi K2, which is the latter with more experts. */
export function deepseek(config: HuggingFaceConfig): ArchitectureInput {
  const bias = config.flag('attention_bias') ?? false;
  return {
    ...gated(config),
    // A head is its two parts; `head_dim` in these files, where there at all, is only the rotated one.
    headDim: undefined,
    biases: { queryKeyValue: bias, attentionOutput: bias },
    mla: {
      queryLoraRank: config.number('q_lora_rank') ?? 0,
      keyValueLoraRank: config.required('kv_lora_rank'),
      queryKeyNopeHeadDim: config.required('qk_nope_head_dim'),
      queryKeyRopeHeadDim: config.required('qk_rope_head_dim'),
      valueHeadDim: config.required('v_head_dim'),
    },
    moe: deepseekExperts(config),
    multiTokenPredictionLayers: config.number('num_nextn_predict_layers') ?? 0,
  };
}

function deepseekExperts(config: HuggingFaceConfig): ArchitectureInput['moe'] {
  const numExperts = config.number('n_routed_experts');
  if (numExperts === undefined) return null;
  needs((config.number('moe_layer_freq') ?? 1) === 1, 'experts in some layers only', { key: 'moe_layer_freq' });
  const groups = config.number('n_group') ?? 1;
  return {
    numExperts,
    expertsPerToken: config.required('num_experts_per_tok'),
    expertIntermediateSize: config.required('moe_intermediate_size'),
    sharedExperts: config.number('n_shared_experts') ?? 0,
    numDenseLayers: config.number('first_k_dense_replace') ?? 0,
    // `noaux_tc` balances by a bias per expert instead of a loss.
    routerBias: config.text('topk_method') === 'noaux_tc' || config.text('model_type') === 'deepseek_v3',
    nodeLimit: groups > 1 ? (config.number('topk_group') ?? 0) : 0,
  };
}

export function glm4Moe(config: HuggingFaceConfig): ArchitectureInput {
  return {
    ...gated(config),
    queryKeyNorm: config.flag('use_qk_norm') ? 'head' : 'none',
    biases: { queryKeyValue: config.flag('attention_bias') ?? false },
    moe: {
      numExperts: config.required('n_routed_experts'),
      expertsPerToken: config.required('num_experts_per_tok'),
      expertIntermediateSize: config.required('moe_intermediate_size'),
      sharedExperts: config.number('n_shared_experts') ?? 0,
      numDenseLayers: config.number('first_k_dense_replace') ?? 0,
      routerBias: true,
    },
    multiTokenPredictionLayers: config.number('num_nextn_predict_layers') ?? 0,
  };
}

export function gptOss(config: HuggingFaceConfig): ArchitectureInput {
  const bias = config.flag('attention_bias') ?? true;
  return {
    ...gated(config),
    biases: { queryKeyValue: bias, attentionOutput: bias },
    attentionSinks: true,
    slidingWindow: windowOf(config, config.number('sliding_window') ?? 128, 2),
    moe: {
      numExperts: config.required('num_local_experts', 'num_experts'),
      expertsPerToken: config.required('num_experts_per_tok', 'experts_per_token'),
      expertIntermediateSize: config.required('intermediate_size'),
      routerBias: true,
      expertBias: true,
    },
  };
}

/** `intermediate_size` is the experts' width here, `intermediate_size_mlp` that of dense layers. */
export function llama4(config: HuggingFaceConfig): ArchitectureInput {
  const bias = config.flag('attention_bias') ?? false;
  const expertWidth = config.required('intermediate_size');
  return {
    ...gated(config),
    intermediateSize: config.number('intermediate_size_mlp') ?? 2 * expertWidth,
    biases: { queryKeyValue: bias, attentionOutput: bias },
    // Chunks that do not see each other, three layers of four; nearest to it is a window as wide.
    slidingWindow: windowOf(
      config,
      config.number('attention_chunk_size'),
      config.number('no_rope_layer_interval') ?? 4,
    ),
    moe: {
      numExperts: config.required('num_local_experts'),
      expertsPerToken: config.required('num_experts_per_tok'),
      expertIntermediateSize: expertWidth,
      sharedExperts: 1,
      every: config.number('interleave_moe_layer_step') ?? 1,
    },
  };
}
