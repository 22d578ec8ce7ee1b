import type { RankParameters, ShardedUnit } from '../parallelism/data.js';
import type { Stage } from '../parallelism/stages.js';
import type { LayerTable } from './stageCost.js';

/** The units that fully sharded training gathers on a stage: its layers, and the root unit with embedding and head. */
export function shardedUnits(
  stage: Stage,
  endParameters: number,
  layers: LayerTable,
  denseLayer: RankParameters,
  moeLayer: RankParameters,
): ShardedUnit[] {
  const unit = (count: number, parameters: RankParameters, layer: LayerTable['dense']): ShardedUnit => ({
    count,
    parameters,
    forwardSeconds: layer.cost.forwardSeconds,
    backwardSeconds: layer.cost.inputGradientSeconds + layer.cost.weightGradientSeconds + layer.cost.recomputeSeconds,
  });
  const units: ShardedUnit[] = [];
  if (stage.denseLayers > 0) units.push(unit(stage.denseLayers, denseLayer, layers.dense));
  if (stage.moeLayers > 0) units.push(unit(stage.moeLayers, moeLayer, layers.moe));
  if (endParameters > 0) {
    // The root unit: gathered at the start of the pass, its head computed at the end.
    const root = units[0];
    units.push({
      count: 1,
      parameters: { dense: endParameters, expert: 0 },
      forwardSeconds: root?.forwardSeconds ?? 0,
      backwardSeconds: root?.backwardSeconds ?? 0,
    });
  }
  return units;
}
