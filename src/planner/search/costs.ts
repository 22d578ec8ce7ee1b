import { type ActivationTable, activationTable } from '../../memory/stageMemory.js';
import { oneForwardOneBackward } from '../../parallelism/pipeline/oneForwardOneBackward.js';
import { scheduleFor } from '../../parallelism/pipeline/schedules.js';
import type { Stage } from '../../parallelism/stages.js';
import type { Strategy } from '../../parallelism/strategy.js';
import { workKey } from '../../simulation/chunkKinds.js';
import { memoryContext } from '../../simulation/memoryContext.js';
import { noTraffic } from '../../simulation/pass/passTraffic.js';
import type { Prepared } from '../../simulation/prepare.js';
import { layerBoundSeconds } from '../../simulation/relaxedBound.js';
import { type LayerTable, layerTable, type StageCost, stageCost } from '../../simulation/stageCost.js';
import type { LayerChoice } from './layerChoices.js';
import { PipelineCosts } from './pipelineCosts.js';
import type { Space } from './space.js';
import type { RecomputeSetting } from './stateChoices.js';

/** Bounds and estimates of the candidates that share a layer choice; what they share is worked out once. */
export class LayerCosts {
  readonly base: Prepared;
  private readonly tables = new Map<readonly string[] | string, LayerTable>();
  private readonly dualPipeTables = new Map<readonly string[] | string, LayerTable>();
  private readonly bounds = new Map<RecomputeSetting, number>();
  private readonly activations = new Map<LayerTable, ActivationTable>();
  private readonly stageCosts = new Map<LayerTable, Map<number, StageCost>>();
  private readonly pipelines = new Map<number, PipelineCosts>();

  constructor(
    readonly space: Space,
    readonly layer: LayerChoice,
  ) {
    this.base = space.bases.prepared(layer);
  }

  /** Below the step of every candidate with this layer and recomputation, whatever its pipeline. */
  layerBound(recompute: RecomputeSetting): number {
    let bound = this.bounds.get(recompute);
    if (bound === undefined) {
      bound = this.layerBoundOf(recompute);
      this.bounds.set(recompute, bound);
    }
    return bound;
  }

  private layerBoundOf(recompute: RecomputeSetting): number {
    // Layers are counted per stage; here all are in one.
    const { recomputeLayers: _, ...policy } = recompute;
    const strategy = { ...this.base.strategy, ...(recompute.recomputeLayers > 0 ? noRecompute : policy) };
    const bound = (table: LayerTable): number => layerBoundSeconds({ ...this.base, strategy }, table);
    if (!this.space.mayDualPipe) return bound(this.table(strategy));
    // DualPipe hides the exchange of tokens in one direction behind the compute of the other.
    const dual = bound(this.table({ ...strategy, pipelineSchedule: 'dualpipe', pipelineParallel: 2 }));
    // What overlaps takes no longer, unless it is slowed to less than half of its speed.
    return this.base.contention <= 2 ? dual : Math.min(dual, bound(this.table(strategy)));
  }

  /** The candidates in a pipeline of so many stages. */
  of(pipelineParallel: number): PipelineCosts {
    let costs = this.pipelines.get(pipelineParallel);
    if (costs === undefined) {
      costs = new PipelineCosts(this, pipelineParallel);
      this.pipelines.set(pipelineParallel, costs);
    }
    return costs;
  }

  table(strategy: Strategy): LayerTable {
    const { recompute, recomputeModules, pipelineSchedule, pipelineParallel } = strategy;
    const dualPipe = pipelineSchedule === 'dualpipe' && pipelineParallel > 1;
    const tables = dualPipe ? this.dualPipeTables : this.tables;
    // Lists of modules are the space's own, each of them once.
    const key = recompute === 'selective' ? recomputeModules : recompute;
    let table = tables.get(key);
    if (table === undefined) {
      const p = { ...this.base, strategy };
      table = layerTable(p, (recompute) => this.space.bases.dense(this.layer, p, recompute));
      tables.set(key, table);
    }
    return table;
  }

  /** Activations do not depend on pipeline and states. */
  activationsOf(table: LayerTable): ActivationTable {
    let found = this.activations.get(table);
    if (found === undefined) {
      found = activationTable(memoryContext(this.base, table, oneForwardOneBackward));
      this.activations.set(table, found);
    }
    return found;
  }

  /** Costs of a piece of work, which depend on the pipeline only in that there is one, and whether its weight gradients run apart. */
  stageCost(p: Prepared, table: LayerTable, work: Stage): StageCost {
    const { recompute, recomputeLayers } = p.strategy;
    let costs = this.stageCosts.get(table);
    if (costs === undefined) {
      costs = new Map();
      this.stageCosts.set(table, costs);
    }
    const apart = scheduleFor(p.strategy).splitsWeightGradient;
    let key = workKey(work) * 4 + (p.degrees.pipelineParallel > 1 ? 2 : 0) + (apart ? 1 : 0);
    if (recompute === 'full' && recomputeLayers > 0) {
      const { denseLayers, moeLayers } = p.stages[work.stage] ?? work;
      // Below 2^53 for a thousand layers.
      key = (key * 1024 + recomputeLayers) * 1024 + denseLayers + moeLayers;
    }
    let cost = costs.get(key);
    if (cost === undefined) {
      cost = stageCost(p, table, work, noTraffic);
      costs.set(key, cost);
    }
    return cost;
  }
}

const noRecompute = { recompute: 'none', recomputeLayers: 0, recomputeModules: [] } as const;
