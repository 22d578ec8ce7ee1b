import type { Strategy } from '../../parallelism/strategy.js';
import { type FrameworkRules, rulesOf } from './frameworkRules.js';
import { type LayerChoice, layerChoices } from './layerChoices.js';
import type { OpenKeys } from './openKeys.js';
import { type PipelineShape, pipelineChoices } from './pipelineChoices.js';
import { Rejections } from './rejections.js';
import { type RecomputeSetting, recomputeChoices, type StateSetting, stateChoices } from './stateChoices.js';

/** All legal candidates, in four steps: layer, pipeline, recomputation, states. A later step's offer depends on those before. */
export class Space {
  readonly rules: FrameworkRules;
  readonly rejections = new Rejections();
  private readonly pipelines = new Map<string, readonly PipelineShape[]>();
  private readonly recomputes = new Map<number, readonly RecomputeSetting[]>();
  private readonly states = new Map<string, readonly StateSetting[]>();
  private readonly sizes = new Map<string, number>();

  constructor(readonly keys: OpenKeys) {
    this.rules = rulesOf(keys.scenario.framework);
  }

  layers(): readonly LayerChoice[] {
    return layerChoices(this.keys, this.rules, this.rejections);
  }

  /** Pipelines depend on few of the layer's values, so that most are worked out once. */
  pipelinesOf(layer: LayerChoice): readonly PipelineShape[] {
    const key = pipelineKey(layer);
    let found = this.pipelines.get(key);
    if (found === undefined) {
      found = pipelineChoices(this.keys, this.rules, layer, this.rejections);
      this.pipelines.set(key, found);
    }
    return found;
  }

  recomputesOf({ fullestStage }: PipelineShape): readonly RecomputeSetting[] {
    let found = this.recomputes.get(fullestStage);
    if (found === undefined) {
      found = recomputeChoices(this.keys, this.rules, fullestStage);
      this.recomputes.set(fullestStage, found);
    }
    return found;
  }

  statesOf(layer: LayerChoice, shape: PipelineShape): readonly StateSetting[] {
    const ranks = this.gradientRanks(layer, shape);
    const key = `${ranks} ${shape.pipelineParallel} ${pipelineKey(layer)}`;
    let found = this.states.get(key);
    if (found === undefined) {
      found = stateChoices(this.keys, this.rules, this.strategyOf(layer, shape), ranks);
      this.states.set(key, found);
    }
    return found;
  }

  /** How many candidates a layer choice stands for. */
  sizeOf(layer: LayerChoice): number {
    const key = `${pipelineKey(layer)} ${layer.tensorParallel}`;
    const known = this.sizes.get(key);
    if (known !== undefined) return known;
    let size = 0;
    for (const shape of this.pipelinesOf(layer)) size += this.sizeOfShape(layer, shape);
    this.sizes.set(key, size);
    return size;
  }

  sizeOfShape(layer: LayerChoice, shape: PipelineShape): number {
    return this.recomputesOf(shape).length * this.statesOf(layer, shape).length;
  }

  strategyOf(layer: LayerChoice, shape: PipelineShape, recompute?: RecomputeSetting, states?: StateSetting): Strategy {
    const { fullestStage: _, ...pipeline } = shape;
    return { ...this.keys.scenario.strategy, ...layer, ...pipeline, ...recompute, ...states };
  }

  private gradientRanks(layer: LayerChoice, shape: PipelineShape): number {
    return this.keys.scenario.accelerators / (layer.tensorParallel * shape.pipelineParallel);
  }
}

/** What the rules for pipelines and states look at. */
function pipelineKey(layer: LayerChoice): string {
  const { tensorParallel: t, contextParallel: c, microBatchSize, expertParallel: e, expertTensorParallel } = layer;
  return `${t * c} ${t > 1} ${c > 1} ${layer.sequenceParallel} ${microBatchSize} ${e > 1} ${e * expertTensorParallel}`;
}
