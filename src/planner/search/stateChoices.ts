import type { DataSharding, Strategy } from '../../parallelism/strategy.js';
import type { Scenario } from '../../scenario/scenario.js';
import type { FrameworkRules } from './frameworkRules.js';
import { divisors } from './layerChoices.js';
import type { OpenKeys } from './openKeys.js';

/** What is recomputed. */
export type RecomputeSetting = Pick<Strategy, 'recompute' | 'recomputeLayers' | 'recomputeModules'>;
/** Where model states live. */
export type StateSetting = Pick<
  Strategy,
  'dataSharding' | 'shardGroupSize' | 'offload' | 'optimizerOffloadFraction' | 'activationOffloadLayers'
>;

/** Nothing sharded, nothing offloaded: no traffic of states inside the passes. */
export function withoutStates(strategy: Strategy): Strategy {
  return {
    ...strategy,
    dataSharding: 'ddp',
    shardGroupSize: 0,
    offload: 'none',
    optimizerOffloadFraction: 0,
    activationOffloadLayers: 0,
  };
}

/** Modules of selective recomputation that the model has. `core_attn` saves nothing where a flash kernel keeps no square. */
export function moduleSubsets({ model, strategy }: Scenario): readonly (readonly string[])[] {
  const square = strategy.attentionKernel === 'unfused' || strategy.attentionKernel === 'fused-softmax';
  const modules = [
    ...(square ? ['core_attn'] : []),
    'layernorm',
    ...(model.mla === null ? [] : ['mla_up_proj']),
    ...(model.moe === null ? ['mlp'] : ['moe', 'moe_act']),
    ...((model.moe?.sharedExpertIntermediateSize ?? 0) > 0 ? ['shared_experts'] : []),
  ];
  return Array.from({ length: 2 ** modules.length - 1 }, (_, i) =>
    modules.filter((_module, bit) => ((i + 1) >> bit) & 1),
  );
}

/** Least work first. */
const recomputePolicies: readonly Strategy['recompute'][] = ['none', 'selective', 'full'];

/** Recomputation policies, least work first. `stageLayers` is how many layers the fullest stage holds. */
export function recomputeChoices(
  keys: OpenKeys,
  rules: FrameworkRules,
  stageLayers: number,
): readonly RecomputeSetting[] {
  const { strategy } = keys.scenario;
  const policies = keys.values('recompute', () => recomputePolicies);
  const captured = strategy.cudaGraphs !== 'none' && !rules.graphsRecomputeLayers && keys.isOpen('recompute');
  const byWork = recomputePolicies.filter((policy) => policies.includes(policy) && !(captured && policy === 'full'));
  return byWork.flatMap((recompute): RecomputeSetting[] => {
    if (recompute === 'none') return [{ recompute, recomputeLayers: 0, recomputeModules: [] }];
    if (recompute === 'full') {
      const some = rules.recomputesSomeLayers
        ? Array.from({ length: Math.max(0, stageLayers - 1) }, (_, i) => i + 1)
        : [];
      return keys
        .values('recomputeLayers', () => [...some, 0])
        .toSorted((a, b) => (a || Number.POSITIVE_INFINITY) - (b || Number.POSITIVE_INFINITY))
        .map((recomputeLayers) => ({ recompute, recomputeLayers, recomputeModules: [] }));
    }
    const open = keys.isOpen('recompute') && keys.isOpen('recomputeModules') && rules.recomputesModules;
    const subsets = open ? moduleSubsets(keys.scenario) : [strategy.recomputeModules];
    return subsets.map((recomputeModules) => ({ recompute, recomputeLayers: 0, recomputeModules }));
  });
}

/** Sharding and offload of states that the framework allows under the degrees of `shape`. */
export function stateChoices(
  keys: OpenKeys,
  rules: FrameworkRules,
  shape: Strategy,
  ranks: number,
): readonly StateSetting[] {
  const { strategy, framework } = keys.scenario;
  const usual = framework.defaults.dataSharding ?? 'ddp';
  // With one rank there is nothing to shard, so all kinds are the same plan.
  const shardings = keys.values('dataSharding', (): readonly DataSharding[] => (ranks > 1 ? rules.shardings : [usual]));
  const choices: StateSetting[] = [];
  for (const dataSharding of shardings) {
    for (const offload of keys.values('offload', () => rules.offloads)) {
      const broken = rules.refusesStates({ ...shape, dataSharding, offload });
      // What the user settled is not doubted.
      if (broken !== undefined && keys.isOpen(broken)) continue;
      for (const shardGroupSize of groupChoices(keys, rules, dataSharding, ranks)) {
        for (const optimizerOffloadFraction of fractionChoices(keys, rules, offload)) {
          for (const activationOffloadLayers of keys.values('activationOffloadLayers', () => [
            strategy.activationOffloadLayers,
          ])) {
            choices.push({ dataSharding, shardGroupSize, offload, optimizerOffloadFraction, activationOffloadLayers });
          }
        }
      }
    }
  }
  return choices;
}

function groupChoices(keys: OpenKeys, rules: FrameworkRules, sharding: DataSharding, ranks: number): readonly number[] {
  if (sharding !== 'zero-3') return [keys.isOpen('shardGroupSize') ? 0 : keys.scenario.strategy.shardGroupSize];
  const groups = divisors(ranks).filter((size) => size > 1 && size < ranks);
  return keys
    .values('shardGroupSize', () => (rules.hybridSharding ? [0, ...groups] : [0]))
    .filter((size) => size === 0 || ranks % size === 0);
}

function fractionChoices(keys: OpenKeys, rules: FrameworkRules, offload: Strategy['offload']): readonly number[] {
  return keys.values('optimizerOffloadFraction', () => {
    if (offload === 'none') return [0];
    return offload === 'optimizer-cpu' ? rules.offloadFractions : [1];
  });
}
