import { withNamedModel } from './statedModel.js';

/** What a source says beside the run file, in its own words. */
export type Stated = Readonly<Record<string, unknown>>;

type Fields = Readonly<Record<string, unknown>>;

/**
 * Strategy fields that follow from a source's words and that the run file leaves out or, for overlap, contradicts: the words
 * are what the person did. Anything else is left to the framework's defaults.
 */
function fieldsFromWords(stated: Stated, strategy: Fields): Fields {
  return {
    ...absent(strategy, offloadOf(stated)),
    ...absent(strategy, optimizerOf(stated)),
    ...absent(strategy, shardGroupOf(stated)),
    ...absent(strategy, recomputeOf(stated)),
    ...overlapOf(stated),
    ...graphsOf(stated),
  };
}

function absent(strategy: Fields, fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([key]) => strategy[key] === undefined));
}

function words(stated: Stated, key: string): string {
  const value = stated[key];
  return typeof value === 'string' ? value.toLowerCase() : '';
}

function offloadOf(stated: Stated): Fields {
  return words(stated, 'offload').includes('optimizer cpu') ? { offload: 'optimizer-cpu' } : {};
}

function optimizerOf(stated: Stated): Fields {
  return words(stated, 'optimizer') === 'muon' ? { optimizer: 'muon' } : {};
}

/** `ici_fsdp=256, dcn dp=4` and `FSDP=128 + DP=4`: sharded inside groups, replicated across them. */
function shardGroupOf(stated: Stated): Fields {
  const text = words(stated, 'fsdp');
  const shards = /fsdp=(\d+)/.exec(text)?.[1];
  const copies = /\bdp=(\d+)/.exec(text)?.[1];
  return shards !== undefined && copies !== undefined && Number(copies) > 1 ? { shardGroupSize: Number(shards) } : {};
}

/** MaxText's `minimal` keeps the result of every product with weights, and computes norms, activations and attention again. */
function recomputeOf(stated: Stated): Fields {
  if (!/remat_policy=minimal/.test(words(stated, 'recompute'))) return {};
  return { recompute: 'selective', recomputeModules: ['layernorm', 'core_attn'] };
}

function overlapOf(stated: Stated): Fields {
  if (!/overlap off/.test(words(stated, 'overlap'))) return {};
  return {
    tensorOverlap: false,
    overlapGradientReduce: false,
    overlapParameterGather: false,
    overlapPipelineSend: false,
  };
}

/** CUDA graphs of the router and its bookkeeping alone leave nearly every launch of a layer to the host. */
function graphsOf(stated: Stated): Fields {
  const recipe = stated.recipe_config;
  const scope =
    typeof recipe === 'object' && recipe !== null && 'cuda_graph_scope' in recipe ? recipe.cuda_graph_scope : [];
  const modules = Array.isArray(scope) ? scope.map(String) : [];
  const routing = modules.length > 0 && modules.every((name) => name.startsWith('moe_'));
  return routing ? { cudaGraphs: 'none' } : {};
}

/** DeepEP exchanges tokens between experts on different ranks: a run with it has expert parallelism, over all ranks if none is given. */
function expertsOf(run: Fields, strategy: Fields): Fields {
  const { frameworkVersion, accelerators, model } = run;
  const moe = typeof model === 'object' && model !== null && 'moe' in model ? model.moe : null;
  const experts = typeof moe === 'object' && moe !== null && 'numExperts' in moe ? Number(moe.numExperts) : 0;
  const ranks = Number(accelerators);
  if (!/deepep/i.test(String(frameworkVersion)) || !(ranks > 0) || experts % ranks !== 0) return {};
  return absent(strategy, { expertParallel: ranks });
}

/** The run file with what the source's words add. */
export function withStated(run: Fields, stated: Stated): Record<string, unknown> {
  const given = run.strategy;
  const strategy: Fields = typeof given === 'object' && given !== null ? { ...given } : {};
  return {
    ...run,
    model: withNamedModel(run.model),
    strategy: { ...strategy, ...fieldsFromWords(stated, strategy), ...expertsOf(run, strategy) },
  };
}
