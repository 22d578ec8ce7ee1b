import type { RankParameters, ReplicatedTraffic } from '../../parallelism/data.js';
import { replicatedTraffic } from '../../parallelism/data.js';
import type { Stage } from '../../parallelism/stages.js';
import type { DataSharding, Strategy } from '../../parallelism/strategy.js';
import type { SharedWork } from '../../simulation/chunkCost.js';
import { workKey } from '../../simulation/chunkKinds.js';
import { type Prepared, withLayout, withPipeline } from '../../simulation/prepare.js';
import { pipelineBoundSeconds } from '../../simulation/relaxedBound.js';
import type { LayerTable, StageCost } from '../../simulation/stageCost.js';
import type { LayerCosts } from './costs.js';
import type { PipelineShape } from './pipelineChoices.js';
import { ShapeCosts } from './shapeCosts.js';
import { type RecomputeSetting, withoutStates } from './stateChoices.js';

/** What the candidates share that have a layer choice and a number of stages in common: groups of ranks, traffic of weights and gradients. */
export class PipelineCosts implements SharedWork {
  private readonly base: Prepared;
  private readonly traffics = new Map<DataSharding, Map<number, ReplicatedTraffic>>();
  private lastOfSchedule: { readonly shape: PipelineShape; readonly prepared: Prepared } | undefined;

  constructor(
    readonly layer: LayerCosts,
    pipelineParallel: number,
  ) {
    const strategy: Strategy = { ...layer.base.strategy, pipelineParallel };
    this.base = withPipeline(layer.base, strategy);
  }

  /** Below the step of every candidate with this schedule, split of the layers and recomputation. */
  bound(shape: PipelineShape, recompute: RecomputeSetting): number {
    const { layer } = this;
    const scheduled = this.scheduled(shape);
    const strategy: Strategy = { ...scheduled.strategy, ...recompute };
    const p: Prepared = { ...scheduled, strategy, ...layer.space.layoutOf(shape) };
    return pipelineBoundSeconds(p, layer.table(strategy), this);
  }

  of(shape: PipelineShape): ShapeCosts {
    const { space, layer } = this.layer;
    const strategy = space.strategyOf(layer, shape);
    return new ShapeCosts(this, shape, withLayout(this.base, strategy, space.layoutOf(shape)));
  }

  stageCost(p: Prepared, table: LayerTable, work: Stage): StageCost {
    return this.layer.stageCost(p, table, work);
  }

  /** Degrees and precision are the same for all of them, so sharding and size decide. */
  traffic(p: Prepared, work: Stage, parameters: RankParameters): ReplicatedTraffic {
    const { mesh, strategy, framework } = p;
    let traffics = this.traffics.get(strategy.dataSharding);
    if (traffics === undefined) {
      traffics = new Map();
      this.traffics.set(strategy.dataSharding, traffics);
    }
    const key = workKey(work);
    let traffic = traffics.get(key);
    if (traffic === undefined) {
      traffic = replicatedTraffic(mesh, parameters, strategy, framework);
      traffics.set(key, traffic);
    }
    return traffic;
  }

  /** Splits of the layers follow each other under one schedule, and decide about nothing else. */
  private scheduled(shape: PipelineShape): Prepared {
    const { lastOfSchedule: last } = this;
    if (last !== undefined && hasSchedule(last.shape, shape)) return last.prepared;
    const { space, layer } = this.layer;
    const strategy = withoutStates(space.strategyOf(layer, shape));
    const prepared = withLayout(this.base, strategy, space.layoutOf(shape));
    this.lastOfSchedule = { shape, prepared };
    return prepared;
  }
}

function hasSchedule(a: PipelineShape, b: PipelineShape): boolean {
  return (
    a.pipelineSchedule === b.pipelineSchedule &&
    a.virtualStages === b.virtualStages &&
    a.overlapPipelineSend === b.overlapPipelineSend
  );
}
