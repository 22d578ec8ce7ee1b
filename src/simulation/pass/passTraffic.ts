import type { RankGroup } from '../../hardware/collectives/group.js';
import { layerActivations } from '../../memory/activations.js';
import { gatherBytes, type RankParameters, replicatedTraffic, shardedUnit } from '../../parallelism/data.js';
import type { Mesh } from '../../parallelism/mesh.js';
import { layerRankParameters } from '../../parallelism/rankParameters.js';
import type { Stage } from '../../parallelism/stages.js';
import type { Prepared } from '../prepare.js';
import type { LayerTable } from '../stageCost.js';
import { type TrafficStream, trafficStreams } from './steps.js';

/** Traffic of a layer that crosses to its neighbours, in seconds on its links. */
export interface CrossingTraffic {
  readonly gatherSeconds: number;
  readonly againSeconds: number;
  readonly reduceSeconds: number;
  /** Over the host link in a forward and in a backward pass. */
  readonly copySeconds: number;
}

/** The same of both kinds of layers of a chunk, and of what is around them. */
export interface ChunkTraffic {
  readonly dense: CrossingTraffic;
  readonly moe: CrossingTraffic;
  readonly rootGatherSeconds: number;
  readonly rootReduceSeconds: number;
  readonly layersPerBucket: number;
  readonly dataYieldsTo: readonly TrafficStream[];
}

const none: CrossingTraffic = { gatherSeconds: 0, againSeconds: 0, reduceSeconds: 0, copySeconds: 0 };

export const noTraffic: ChunkTraffic = {
  dense: none,
  moe: none,
  rootGatherSeconds: 0,
  rootReduceSeconds: 0,
  layersPerBucket: 1,
  dataYieldsTo: [],
};

/** Parameters of a chunk as they are sharded: those of a layer of either kind, and those outside the layers. */
export interface ChunkParameters {
  readonly dense: RankParameters;
  readonly moe: RankParameters;
  readonly ends: number;
}

/** What travels with every micro-batch. */
export function chunkTraffic(p: Prepared, layers: LayerTable, stage: Stage, parameters: ChunkParameters): ChunkTraffic {
  const { strategy, framework, mesh } = p;
  const copies = copySeconds(p, layers, stage);
  if (strategy.dataSharding === 'zero-3') {
    // The root unit is gathered once: it stays from the forward to the backward pass (PyTorch's `fully_shard` on the whole model).
    const root = shardedUnit(mesh, { dense: parameters.ends, expert: 0 }, strategy, framework);
    return {
      dense: { ...shardedUnit(mesh, parameters.dense, strategy, framework), copySeconds: copies.dense },
      moe: { ...shardedUnit(mesh, parameters.moe, strategy, framework), copySeconds: copies.moe },
      rootGatherSeconds: root.gatherSeconds,
      rootReduceSeconds: root.reduceSeconds,
      layersPerBucket: 1,
      dataYieldsTo: onLinksOf(mesh.shard, mesh),
    };
  }
  const reduced = reductionEachTime(p, stage, parameters);
  if (reduced === undefined && copies.dense <= 0 && copies.moe <= 0) return noTraffic;
  return {
    dense: { ...none, reduceSeconds: reduced?.dense ?? 0, copySeconds: copies.dense },
    moe: { ...none, reduceSeconds: reduced?.moe ?? 0, copySeconds: copies.moe },
    rootGatherSeconds: 0,
    rootReduceSeconds: reduced?.root ?? 0,
    layersPerBucket: reduced?.layersPerBucket ?? 1,
    dataYieldsTo: onLinksOf(mesh.gradient, mesh),
  };
}

/** Traffic inside layers over the links of a group: those inside a scale-up domain, or the network between domains. */
function onLinksOf({ domains }: RankGroup, mesh: Mesh): TrafficStream[] {
  return trafficStreams.filter((stream) => mesh[stream].ranks > 1 && mesh[stream].domains > 1 === domains > 1);
}

/** Sharded gradients are reduced with every micro-batch, bucket by bucket. */
function reductionEachTime(
  { mesh, strategy, framework }: Prepared,
  { denseLayers, moeLayers }: Stage,
  { dense, moe, ends }: ChunkParameters,
):
  | { readonly dense: number; readonly moe: number; readonly root: number; readonly layersPerBucket: number }
  | undefined {
  if (strategy.dataSharding !== 'zero-2') return undefined;
  const held = {
    dense: denseLayers * dense.dense + moeLayers * moe.dense + ends,
    expert: denseLayers * dense.expert + moeLayers * moe.expert,
  };
  const { everyMicroBatch, reduceSeconds, tailShare } = replicatedTraffic(mesh, held, strategy, framework);
  if (!everyMicroBatch) return undefined;
  const perParameter = reduceSeconds / Math.max(1, held.dense + held.expert);
  const layers = denseLayers + moeLayers;
  return {
    dense: perParameter * (dense.dense + dense.expert),
    moe: perParameter * (moe.dense + moe.expert),
    root: perParameter * ends,
    layersPerBucket: Math.max(1, Math.ceil(layers * Math.min(1, tailShare))),
  };
}

/** Layers of the whole stage that a chunk belongs to: what `recomputeLayers` and `activationOffloadLayers` count from. */
export function layersOfStage(p: Prepared, work: Stage): number {
  const stage = p.stages[work.stage] ?? work;
  return stage.denseLayers + stage.moeLayers;
}

/**
 * Seconds over the host link of one layer in either pass: offloaded activations out and back, offloaded weights in for each pass. Drives are
 * as slow as they are.
 */
function copySeconds(p: Prepared, table: LayerTable, stage: Stage): { readonly dense: number; readonly moe: number } {
  const { strategy, framework, share, model, degrees } = p;
  const layers = layersOfStage(p, stage);
  const offloadsWeights = strategy.offload.startsWith('parameters');
  if (!offloadsWeights && strategy.activationOffloadLayers === 0) return { dense: 0, moe: 0 };
  const moved = layers > 0 ? Math.min(1, strategy.activationOffloadLayers / layers) : 0;
  // Sharded weights come up as shards and are gathered on the device.
  const shards = strategy.dataSharding === 'zero-3' ? degrees.shardGroup : 1;
  const weightBytes = offloadsWeights ? gatherBytes(strategy, framework) / shards : 0;
  const secondsOf = (kind: 'dense' | 'moe'): number => {
    const kept = moved > 0 ? layerActivations(table[kind].graph, share, table.recompute).keptBytes : 0;
    const { dense, expert } = layerRankParameters(model, kind, degrees);
    return (moved * kept + weightBytes * (dense + expert)) / hostLink(p);
  };
  const dense = secondsOf('dense');
  return { dense, moe: model.moe === null ? dense : secondsOf('moe') };
}

/** Bytes per second between an accelerator and its host, or the drives behind it where parameters lie there. */
function hostLink({ accelerator, scenario, strategy }: Prepared): number {
  const { nvmeReadBytesPerSecond, acceleratorsPerNode } = scenario.cluster;
  const drives = nvmeReadBytesPerSecond / acceleratorsPerNode;
  const fromDrives = strategy.offload === 'parameters-nvme' && drives > 0;
  return fromDrives ? Math.min(accelerator.hostBytesPerSecond, drives) : accelerator.hostBytesPerSecond;
}
