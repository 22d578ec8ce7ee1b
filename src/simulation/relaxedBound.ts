import { layerCounts } from '../model/layerKinds.js';
import { scheduleFor } from '../parallelism/pipeline/schedules.js';
import type { Stage } from '../parallelism/stages.js';
import type { SharedWork, WorkCost } from './chunkCost.js';
import { stepOf } from './closedForm.js';
import { noTraffic } from './pass/passTraffic.js';
import { pipelineBound } from './pipelineBound.js';
import type { Prepared } from './prepare.js';
import { type LayerTable, type StageCost, stageCost } from './stageCost.js';

/**
 * Seconds that no step with these layers can beat, whatever its pipeline, sharding, recomputation and offload: the accelerators share the
 * passes of all micro-batches, and a rank is never faster than the mean. With W the passes of one micro-batch through the whole
 * model, m micro-batches and p stages, the busiest rank works m W / p = globalBatch t c W / (accelerators x microBatch); p cancels out.
 */
export function layerBoundSeconds(p: Prepared, layers: LayerTable): number {
  const { forward, inputGradient, weightGradient } = stageCost(p, layers, wholeModel(p), noTraffic).pass;
  const { globalBatchSize, microBatchSize } = p.strategy;
  const { tensorParallel, contextParallel, accelerators } = p.degrees;
  const share = (globalBatchSize * tensorParallel * contextParallel) / (accelerators * microBatchSize);
  return stepOf(p, share * (forward + inputGradient + weightGradient));
}

/** A stage that holds all layers, embedding and head. */
function wholeModel({ model }: Prepared): Stage {
  const { dense, moe } = layerCounts(model);
  const extra = model.multiTokenPredictionLayers;
  const extraMoe = moe > 0 ? extra : 0;
  return {
    stage: -1,
    denseLayers: dense + extra - extraMoe,
    moeLayers: moe + extraMoe,
    hasEmbedding: true,
    hasHead: true,
  };
}

const nothing = { dense: 0, expert: 0 };

/**
 * The closed form without traffic of gradients and weights and without update: a bound of all shardings and offloads of a pipeline, and with
 * layers that recompute nothing also of all recomputations. Passes that take longer end no step earlier.
 */
export function pipelineBoundSeconds(p: Prepared, layers: LayerTable, shared?: SharedWork): number {
  const works = p.kinds.examples.map((chunk) =>
    passesOnly(shared === undefined ? stageCost(p, layers, chunk, noTraffic) : shared.stageCost(p, layers, chunk)),
  );
  return stepOf(p, pipelineBound(p, works, scheduleFor(p.strategy)).seconds);
}

function passesOnly(cost: StageCost): WorkCost {
  return {
    cost,
    parameters: nothing,
    endParameters: 0,
    gatherSeconds: 0,
    reduceSeconds: 0,
    reducePieces: 1,
  };
}
