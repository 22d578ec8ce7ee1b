import { degreesOf } from '../../parallelism/degrees.js';
import type { Strategy } from '../../parallelism/strategy.js';
import { type Layout, layoutOf } from '../../simulation/prepare.js';
import { type FrameworkRules, rulesOf } from './frameworkRules.js';
import { LayerBases } from './layerBases.js';
import {
  type LayerChoice,
  type LayerGroup,
  layerGroups,
  leastCommonMultiple,
  microBatchSizes,
} from './layerChoices.js';
import type { Activations } from './leastMemory.js';
import type { OpenKeys } from './openKeys.js';
import { LayerSplits, type PipelineShape, pipelineShapes } from './pipelineChoices.js';
import { type RecomputeSetting, recomputeChoices, type StateSetting, stateChoices } from './stateChoices.js';

type Sized = Omit<LayerChoice, 'contextMethod'>;

/** All legal candidates, in four steps: layer, pipeline, recomputation, states. A later step's offer depends on those before. */
export class Space {
  readonly rules: FrameworkRules;
  readonly bases: LayerBases;
  private readonly splits: LayerSplits;
  private readonly shapes = new Map<number, readonly PipelineShape[]>();
  private readonly recomputes = new Map<number, readonly RecomputeSetting[]>();
  private readonly partialRecomputes = new Map<number, readonly RecomputeSetting[]>();
  private readonly settings = new Map<string, RecomputeSetting>();
  private readonly states = new Map<string, readonly StateSetting[]>();
  private readonly passes = new Map<StateSetting, StateSetting>();
  private readonly passesByKey = new Map<string, StateSetting>();
  private readonly sizes = new Map<number, number>();
  private readonly groupSizes = new Map<number, number>();
  private readonly microBatchSizes = new Map<number, readonly number[]>();
  private readonly commonMicroBatches = new Map<number, number>();

  private readonly activations = new Map<string, Activations>();
  private readonly layouts = new Map<readonly number[], Map<number, Layout>>();
  /** Whether DualPipe is among the schedules: its layers overlap more. */
  readonly mayDualPipe: boolean;

  constructor(readonly keys: OpenKeys) {
    this.rules = rulesOf(keys.scenario.framework);
    this.bases = new LayerBases(keys.scenario);
    this.splits = new LayerSplits(keys);
    this.mayDualPipe = keys.values('pipelineSchedule', () => this.rules.schedules).includes('dualpipe');
  }

  /** Groups that differ in expert parallelism alone keep the same activations. */
  activationsOf({ choice }: LayerGroup, work: () => Activations): Activations {
    const { expertParallel: _, ...rest } = choice;
    const key = Object.values(rest).join(' ');
    let found = this.activations.get(key);
    if (found === undefined) {
      found = work();
      this.activations.set(key, found);
    }
    return found;
  }

  /** Schedules do not move layers, but for those that go there and back. */
  layoutOf(shape: PipelineShape): Layout {
    const { stageLayers, pipelineParallel, virtualStages, pipelineSchedule } = shape;
    let layouts = this.layouts.get(stageLayers);
    if (layouts === undefined) {
      layouts = new Map();
      this.layouts.set(stageLayers, layouts);
    }
    const key = (pipelineParallel * 1024 + virtualStages) * 2 + (pipelineSchedule === 'zb-v' ? 1 : 0);
    let layout = layouts.get(key);
    if (layout === undefined) {
      const { scenario } = this.keys;
      const { fullestStage: _, ...pipeline } = shape;
      const strategy = { ...scenario.strategy, ...pipeline };
      layout = layoutOf(scenario.model, strategy, degreesOf({ ...scenario, strategy }));
      layouts.set(key, layout);
    }
    return layout;
  }

  groups(): Generator<LayerGroup> {
    return layerGroups(this.keys, this.rules);
  }

  /** Micro-batch sizes for a group in a pipeline. */
  microBatchesOf({ choice }: LayerGroup, pipelineParallel: number): readonly number[] {
    const sequences = this.sequencesOf(choice, pipelineParallel);
    let found = this.microBatchSizes.get(sequences);
    if (found === undefined) {
      found = microBatchSizes(this.keys, sequences);
      this.microBatchSizes.set(sequences, found);
    }
    return found;
  }

  /** A micro-batch that all those are divisors of. */
  commonMicroBatch({ choice }: LayerGroup, pipelines: readonly number[]): number {
    let common = 1;
    for (const pipelineParallel of pipelines) {
      const sequences = this.sequencesOf(choice, pipelineParallel);
      let own = this.commonMicroBatches.get(sequences);
      if (own === undefined) {
        own = microBatchSizes(this.keys, sequences).reduce(leastCommonMultiple, 1);
        this.commonMicroBatches.set(sequences, own);
      }
      common = leastCommonMultiple(common, own);
    }
    return common;
  }

  microBatches({ choice }: LayerGroup, pipelineParallel: number, microBatchSize: number): number {
    return this.sequencesOf(choice, pipelineParallel) / microBatchSize;
  }

  /** Few numbers decide about shapes, so that most are worked out once. */
  shapesOf(layer: Sized, pipelineParallel: number): readonly PipelineShape[] {
    const microBatches = this.sequencesOf(layer, pipelineParallel) / layer.microBatchSize;
    const key = pipelineParallel * 2 ** 32 + microBatches;
    let found = this.shapes.get(key);
    if (found === undefined) {
      found = pipelineShapes(this.keys, this.rules, layer, pipelineParallel, microBatches, this.splits);
      this.shapes.set(key, found);
    }
    return found;
  }

  recomputesOf(fullestStage: number): readonly RecomputeSetting[] {
    let found = this.recomputes.get(fullestStage);
    if (found === undefined) {
      found = recomputeChoices(this.keys, this.rules, fullestStage).map((setting) => this.only(setting));
      this.recomputes.set(fullestStage, found);
    }
    return found;
  }

  /** Those of them that recompute some layers of a stage only, the fewest first. */
  partialRecomputesOf(fullestStage: number): readonly RecomputeSetting[] {
    let found = this.partialRecomputes.get(fullestStage);
    if (found === undefined) {
      found = this.recomputesOf(fullestStage).filter(({ recomputeLayers }) => recomputeLayers > 0);
      this.partialRecomputes.set(fullestStage, found);
    }
    return found;
  }

  /** One object for each setting, so that searches know it again. */
  private only(setting: RecomputeSetting): RecomputeSetting {
    const key = `${setting.recompute} ${setting.recomputeLayers} ${setting.recomputeModules.join()}`;
    const known = this.settings.get(key) ?? setting;
    this.settings.set(key, known);
    return known;
  }

  statesOf(choice: LayerGroup['choice'], pipelineParallel: number): readonly StateSetting[] {
    const { tensorParallel, contextParallel, expertParallel } = choice;
    const ranks = this.keys.scenario.accelerators / (tensorParallel * pipelineParallel);
    const key = `${ranks} ${pipelineParallel > 1} ${tensorParallel > 1} ${contextParallel > 1} ${expertParallel > 1}`;
    let found = this.states.get(key);
    if (found === undefined) {
      const shape = { ...this.keys.scenario.strategy, ...choice, pipelineParallel };
      found = stateChoices(this.keys, this.rules, shape, ranks);
      this.states.set(key, found);
    }
    return found;
  }

  /** One setting for all with the same passes and traffic, where ranks update together: how much of the optimizer is offloaded is left open. */
  samePasses(states: StateSetting): StateSetting {
    let same = this.passes.get(states);
    if (same === undefined) {
      const { dataSharding, shardGroupSize, offload, activationOffloadLayers } = states;
      const travels = offload.startsWith('parameters') ? offload : '';
      const key = `${dataSharding} ${shardGroupSize} ${travels} ${activationOffloadLayers}`;
      same = this.passesByKey.get(key) ?? states;
      this.passesByKey.set(key, same);
      this.passes.set(states, same);
    }
    return same;
  }

  /** How many candidates a group stands for in a pipeline of so many stages. */
  sizeOfGroup(group: LayerGroup, pipelineParallel: number): number {
    const key = pipelineParallel * 2 ** 32 + this.sequencesOf(group.choice, pipelineParallel);
    let size = this.groupSizes.get(key);
    if (size === undefined) {
      size = 0;
      for (const microBatchSize of this.microBatchesOf(group, pipelineParallel)) {
        size += this.shapesAndPolicies({ ...group.choice, microBatchSize }, pipelineParallel);
      }
      this.groupSizes.set(key, size);
    }
    return group.methods.length * size * this.statesOf(group.choice, pipelineParallel).length;
  }

  /** How many candidates a layer choice stands for there. */
  sizeOf(layer: Sized, pipelineParallel: number): number {
    return this.shapesAndPolicies(layer, pipelineParallel) * this.statesOf(layer, pipelineParallel).length;
  }

  private shapesAndPolicies(layer: Sized, pipelineParallel: number): number {
    const microBatches = this.sequencesOf(layer, pipelineParallel) / layer.microBatchSize;
    const key = pipelineParallel * 2 ** 32 + microBatches;
    let size = this.sizes.get(key);
    if (size === undefined) {
      size = 0;
      for (const shape of this.shapesOf(layer, pipelineParallel)) size += this.recomputesOf(shape.fullestStage).length;
      this.sizes.set(key, size);
    }
    return size;
  }

  strategyOf(layer: LayerChoice, shape: PipelineShape, recompute?: RecomputeSetting, states?: StateSetting): Strategy {
    const { fullestStage: _, ...pipeline } = shape;
    return { ...this.keys.scenario.strategy, ...layer, ...pipeline, ...recompute, ...states };
  }

  /** Every candidate's strategy, one after another; for small spaces. */
  *strategies(): Generator<Strategy> {
    for (const group of this.groups()) {
      for (const pipelineParallel of group.pipelines) {
        for (const microBatchSize of this.microBatchesOf(group, pipelineParallel)) {
          for (const contextMethod of group.methods) {
            const layer = { ...group.choice, microBatchSize, contextMethod };
            for (const shape of this.shapesOf(layer, pipelineParallel)) {
              for (const recompute of this.recomputesOf(shape.fullestStage)) {
                for (const states of this.statesOf(layer, pipelineParallel)) {
                  yield this.strategyOf(layer, shape, recompute, states);
                }
              }
            }
          }
        }
      }
    }
  }

  /** Sequences that one replica trains on in a step. */
  private sequencesOf({ tensorParallel, contextParallel }: LayerGroup['choice'], pipelineParallel: number): number {
    const { accelerators, strategy } = this.keys.scenario;
    return strategy.globalBatchSize / (accelerators / (tensorParallel * contextParallel * pipelineParallel));
  }
}
