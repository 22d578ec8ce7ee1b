import { tokenFlops } from '../model/flops.js';
import { type LayerGraph, layerGraph, type Module } from '../model/operators.js';
import { layerKinds } from '../model/parameters.js';
import { recomputeChoice } from '../parallelism/rankShare.js';
import type { Prepared } from './prepare.js';

/**
 * FLOPs of one step in the `megatron` convention, and with what is recomputed: a full recomputation adds one forward pass of
 * the layers (Narayanan et al. 2021, eq. 2 and 3). A selective one counts the attention core twice over, forward and backward:
 * 72 b s l h^2 (1 + s/3h + V/12lh) (Korthikanti et al. 2022), on which their published HFU rests, although only its
 * forward runs again.
 */
export function stepFlops(p: Prepared): { readonly model: number; readonly hardware: number } {
  const flops = tokenFlops(p.model, p.scenario.sequenceLength);
  const tokens = p.strategy.globalBatchSize * p.scenario.sequenceLength;
  const model = 3 * tokens * (flops.layers + flops.attentionCore + flops.head);
  const choice = recomputeChoice(p.strategy);
  if (choice === 'none') return { model, hardware: model };
  if (choice !== 'all') {
    const core = choice.has('core_attn') ? 3 * flops.attentionCore : 0;
    return { model, hardware: model + tokens * (core + moduleFlops(p, choice)) };
  }
  const layers = Math.ceil(p.model.numLayers / p.degrees.pipelineParallel);
  const { recomputeLayers } = p.strategy;
  const fraction = recomputeLayers > 0 ? Math.min(1, recomputeLayers / layers) : 1;
  return { model, hardware: model + fraction * tokens * (flops.layers + flops.attentionCore) };
}

/** Forward FLOPs of a token in the matrix multiplications of the chosen modules, over all layers. */
function moduleFlops(p: Prepared, choice: ReadonlySet<Module>): number {
  if (![...choice].some((module) => module !== 'core_attn')) return 0;
  const kinds = layerKinds(p.model);
  const moe = kinds.filter((kind) => kind === 'moe').length;
  const of = (kind: 'dense' | 'moe'): number =>
    graphFlops(layerGraph(p.model, p.execution, kind), choice, p.model.moe?.expertsPerToken ?? 0);
  return (kinds.length - moe > 0 ? (kinds.length - moe) * of('dense') : 0) + (moe > 0 ? moe * of('moe') : 0);
}

function graphFlops(graph: LayerGraph, choice: ReadonlySet<Module>, expertsPerToken: number): number {
  let flops = 0;
  for (const operator of graph.operators) {
    if ((operator.kind !== 'gemm' && operator.kind !== 'expert') || !choice.has(operator.module)) continue;
    flops += 2 * operator.inputFeatures * operator.outputFeatures * (operator.kind === 'expert' ? expertsPerToken : 1);
  }
  return flops;
}
