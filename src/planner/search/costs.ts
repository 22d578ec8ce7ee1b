import { degreesOf } from '../../parallelism/degrees.js';
import type { Strategy } from '../../parallelism/strategy.js';
import type { Scenario } from '../../scenario/scenario.js';
import { evaluatePrepared, fitsPrepared } from '../../simulation/closedForm.js';
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

  /** Below the step of every candidate with this layer. */
  layerBound(least: RecomputeSetting, dualPipe: boolean): number {
    const p = { ...this.base, strategy: { ...this.base.strategy, ...least } };
    const plain = layerBoundSeconds(p, this.table({ ...p.strategy }));
    if (!dualPipe) return plain;
    // DualPipe hides the exchange of tokens in one direction behind the compute of the other.
    const strategy: Strategy = { ...p.strategy, pipelineSchedule: 'dualpipe', pipelineParallel: 2 };
    return Math.min(plain, layerBoundSeconds(p, this.table(strategy)));
  }

  /** Below the step of every candidate with this layer, pipeline and recomputation. */
  shapeBound(shape: PipelineShape, recompute: RecomputeSetting): number {
    const strategy = { ...withoutStates(this.space.strategyOf(this.layer, shape)), ...recompute };
    return pipelineBoundSeconds(reprepare(this.base, strategy), this.table(strategy));
  }

  fits(shape: PipelineShape, recompute: RecomputeSetting, states: StateSetting): boolean {
    const strategy = this.space.strategyOf(this.layer, shape, recompute, states);
    return fitsPrepared(reprepare(this.base, strategy), this.table(strategy));
  }

  /** The closed form. */
  evaluate(shape: PipelineShape, recompute: RecomputeSetting, states: StateSetting): Evaluation {
    const strategy = this.space.strategyOf(this.layer, shape, recompute, states);
    return evaluatePrepared(reprepare(this.base, strategy), this.table(strategy));
  }

  private table(strategy: Strategy): LayerTable {
    const { recompute, recomputeModules, pipelineSchedule, pipelineParallel } = strategy;
    const dualPipe = pipelineSchedule === 'dualpipe' && pipelineParallel > 1;
    const key = `${dualPipe} ${recompute} ${recompute === 'selective' ? recomputeModules.join() : ''}`;
    let table = this.tables.get(key);
    if (table === undefined) {
      table = layerTable(reprepare(this.base, strategy));
      this.tables.set(key, table);
    }
    return table;
  }
}

const onePipeline = { pipelineParallel: 1, virtualStages: 1, pipelineSchedule: '1f1b', stageLayers: [] } as const;
