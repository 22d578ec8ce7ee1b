type Fields = Readonly<Record<string, unknown>>;

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Latent attention of DeepSeek-V2 and V3 (their config.json). */
const latentAttention: Fields = {
  queryLoraRank: 1536,
  keyValueLoraRank: 512,
  queryKeyNopeHeadDim: 128,
  queryKeyRopeHeadDim: 64,
  valueHeadDim: 128,
};

/** Shared experts and leading dense layers by version (their config.json). */
const versions = { 2: { sharedExperts: 2, numDenseLayers: 1 }, 3: { sharedExperts: 1, numDenseLayers: 3 } } as const;

/** gpt-oss has biases in attention, router and experts, and attention sinks (its config.json and modelling code). */
function withGptOssBiases(model: Fields, moe: Fields): Fields {
  return {
    biases: { queryKeyValue: true, attentionOutput: true },
    attentionSinks: true,
    ...model,
    moe: { routerBias: true, expertBias: true, ...moe },
  };
}

/**
 * Rows that name a DeepSeek model but give only its widths describe another model: ordinary attention over 128 whole heads,
 * no shared expert, experts in every layer. What the name says is filled in. Models cut down to a few layers keep one dense
 * layer whatever their version (SimuMax, simu_tools/megatron_scripts/scripts/run_pretrain_deepseekv2.sh at 1b8ca90:
 * MOE_LAYER_FREQ "([0]*1+[1]*(layers - 1))").
 */
export function withNamedModel(model: unknown): unknown {
  if (!isFields(model) || !isFields(model.moe)) return model;
  const name = typeof model.name === 'string' ? model.name : '';
  if (/gpt-oss/i.test(name)) return withGptOssBiases(model, model.moe);
  if (model.mla !== undefined) return model;
  const version = /deepseek-?v([23])/i.exec(name)?.[1];
  if (version !== '2' && version !== '3') return model;
  const usual = versions[version];
  const short = typeof model.numLayers === 'number' && model.numLayers <= 8;
  const numDenseLayers = short ? Math.min(1, usual.numDenseLayers) : usual.numDenseLayers;
  return { ...model, mla: latentAttention, moe: { ...usual, numDenseLayers, ...model.moe } };
}
