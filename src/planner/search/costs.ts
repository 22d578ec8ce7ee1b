import { degreesOf } from '../../parallelism/degrees.js';
import { makeMesh } from '../../parallelism/mesh.js';
import type { Strategy } from '../../parallelism/strategy.js';
import type { Scenario } from '../../scenario/scenario.js';
import { type Bounded, evaluateAndBound, fitsPrepared } from '../../simulation/closedForm.js';
import { confirmStep, SimulatedBefore } from '../../simulation/evaluateStep.js';
import type { Evaluation } from '../../simulation/evaluation.js';
import { type Prepared, prepareWith, reprepare } from '../../simulation/prepare.js';
import { layerBoundSeconds, pipelineBoundSeconds } from '../../simulation/relaxedBound.js';
import { type LayerTable, layerTable } from '../../simulation/stageCost.js';
import type { LayerChoice } from './layerChoices.js';
import type { PipelineShape } from './pipelineChoices.js';
import type { Space } from './space.js';
import { type RecomputeSetting, type StateSetting, withoutStates } from './stateChoices.js';

/** Bounds and estimates of the candidates that share a layer choice; what they share is worked out once. */
export class LayerCosts {
  private readonly base: Prepared;
  private readonly tables = new Map<string, LayerTable>();
  private readonly bounds = new Map<RecomputeSetting, number>();

  constructor(
    private readonly space: Space,
    readonly layer: LayerChoice,
  ) {
    const { scenario } = space.keys;
    // One stage: what a layer costs does not depend on where it runs.
    const strategy: Strategy = { ...withoutStates(scenario.strategy), ...layer, ...onePipeline };
    const single: Scenario = { ...scenario, strategy };
    this.base = prepareWith(single, degreesOf(single));
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
    const plain = layerBoundSeconds({ ...this.base, strategy }, this.table(strategy));
    if (!this.space.mayDualPipe) return plain;
    // DualPipe hides the exchange of tokens in one direction behind the compute of the other.
    const dual: Strategy = { ...strategy, pipelineSchedule: 'dualpipe', pipelineParallel: 2 };
    return Math.min(plain, layerBoundSeconds({ ...this.base, strategy }, this.table(dual)));
  }

  /** The candidates of a pipeline. */
  of(shape: PipelineShape): ShapeCosts {
    const strategy = this.space.strategyOf(this.layer, shape);
    return new ShapeCosts(this, shape, reprepare(this.base, strategy, this.space.layoutOf(shape)));
  }

  table(strategy: Strategy): LayerTable {
    const { recompute, recomputeModules, pipelineSchedule, pipelineParallel } = strategy;
    const dualPipe = pipelineSchedule === 'dualpipe' && pipelineParallel > 1;
    const key = `${dualPipe} ${recompute} ${recompute === 'selective' ? recomputeModules.join() : ''}`;
    let table = this.tables.get(key);
    if (table === undefined) {
      table = layerTable({ ...this.base, strategy });
      this.tables.set(key, table);
    }
    return table;
  }
}

/** Bounds and estimates of the candidates that share layer and pipeline. */
export class ShapeCosts {
  private readonly simulated = new SimulatedBefore();

  constructor(
    readonly layer: LayerCosts,
    readonly shape: PipelineShape,
    private readonly base: Prepared,
  ) {}

  /** Below the step of every candidate with this recomputation. */
  bound(recompute: RecomputeSetting): number {
    const strategy = { ...withoutStates(this.base.strategy), ...recompute };
    return pipelineBoundSeconds(this.with(strategy), this.layer.table(strategy));
  }

  fits(recompute: RecomputeSetting, states: StateSetting): boolean {
    const strategy = this.strategyOf(recompute, states);
    return fitsPrepared(this.with(strategy), this.layer.table(strategy));
  }

  /** The closed form. */
  evaluate(strategy: Strategy): Evaluation {
    return this.evaluateAndBound(strategy).evaluation;
  }

  /** The same with a tighter bound. */
  evaluateAndBound(strategy: Strategy): Bounded {
    return evaluateAndBound(this.with(strategy), this.layer.table(strategy));
  }

  /** `evaluateStep` of a strategy whose closed form is `bound`; null where the step takes longer than `mostSeconds`. */
  confirm(strategy: Strategy, bound: Evaluation, mostSeconds: number): Evaluation | null {
    return confirmStep(this.with(strategy), this.layer.table(strategy), bound, this.simulated, mostSeconds);
  }

  strategyOf(recompute: RecomputeSetting, states: StateSetting): Strategy {
    return { ...this.base.strategy, ...recompute, ...states };
  }

  /** Only hybrid sharding changes groups. */
  private with(strategy: Strategy): Prepared {
    const { base } = this;
    const scenario = { ...base.scenario, strategy };
    if (strategy.shardGroupSize === base.strategy.shardGroupSize) return { ...base, scenario, strategy };
    const degrees = degreesOf(scenario);
    return { ...base, scenario, strategy, degrees, mesh: makeMesh(scenario.cluster, degrees) };
  }
}

const onePipeline = { pipelineParallel: 1, virtualStages: 1, pipelineSchedule: '1f1b', stageLayers: [] } as const;
const noRecompute = { recompute: 'none', recomputeLayers: 0, recomputeModules: [] } as const;
