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
  private last: Scheduled | undefined;

  constructor(
    readonly layer: LayerCosts,
    pipelineParallel: number,
  ) {
    const strategy: Strategy = { ...layer.base.strategy, pipelineParallel };
    this.base = withPipeline(layer.base, strategy);
  }

  /** Below the step of every candidate with this schedule, split of the layers and recomputation. */
  bound(shape: PipelineShape, recompute: RecomputeSetting): number {
    const { prepared, table } = this.scheduled(shape, recompute);
    return pipelineBoundSeconds({ ...prepared, ...this.layer.space.layoutOf(shape) }, table, this);
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
  private scheduled(shape: PipelineShape, recompute: RecomputeSetting): Scheduled {
    const { last } = this;
    if (last !== undefined && last.recompute === recompute && hasSchedule(last.shape, shape)) return last;
    const { space, layer } = this.layer;
    const strategy = { ...withoutStates(space.strategyOf(layer, shape)), ...recompute };
    const prepared = withLayout(this.base, strategy, space.layoutOf(shape));
    this.last = { shape, recompute, prepared, table: this.layer.table(strategy) };
    return this.last;
  }
}

/** A schedule with nothing sharded and nothing offloaded. */
interface Scheduled {
  readonly shape: PipelineShape;
  readonly recompute: RecomputeSetting;
  readonly prepared: Prepared;
  readonly table: LayerTable;
}

function hasSchedule(a: PipelineShape, b: PipelineShape): boolean {
  return (
    a.pipelineSchedule === b.pipelineSchedule &&
    a.virtualStages === b.virtualStages &&
    a.overlapPipelineSend === b.overlapPipelineSend
  );
}
