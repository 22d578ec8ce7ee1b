import { tokenFlops } from '../model/flops.js';
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
    const again = choice.has('core_attn') ? flops.attentionCore : 0;
    return { model, hardware: model + 3 * tokens * again };
  }
  const layers = Math.ceil(p.model.numLayers / p.degrees.pipelineParallel);
  const { recomputeLayers } = p.strategy;
  const fraction = recomputeLayers > 0 ? Math.min(1, recomputeLayers / layers) : 1;
  return { model, hardware: model + fraction * tokens * (flops.layers + flops.attentionCore) };
}
