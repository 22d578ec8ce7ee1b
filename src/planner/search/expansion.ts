import type { Strategy } from '../../parallelism/strategy.js';
import type { Evaluation } from '../../simulation/evaluation.js';
import { LayerCosts } from './costs.js';
import { type LayerChoice, type LayerGroup, leastCommonMultiple } from './layerChoices.js';
import { LeastMemory } from './leastMemory.js';
import type { PipelineShape } from './pipelineChoices.js';
import type { PipelineCosts } from './pipelineCosts.js';
import type { Rejections } from './rejections.js';
import type { ShapeCosts } from './shapeCosts.js';
import type { Space } from './space.js';
import type { RecomputeSetting, StateSetting } from './stateChoices.js';

/** A group of candidates, or one. */
export type Node =
  /** `fitting` is null until memory is looked at. */
  | { readonly kind: 'group'; readonly group: LayerGroup; readonly fitting: Fitting | null }
  | { readonly kind: 'layer'; readonly layer: LayerChoice; readonly pipelines: readonly number[] }
  | { readonly kind: 'shape'; readonly costs: PipelineCosts; readonly shape: PipelineShape }
  | { readonly kind: 'states'; readonly costs: ShapeCosts; readonly states: StateSetting }
  /** After it come those of the `settings` from `next` on, one after the other. */
  | {
      readonly kind: 'setting';
      readonly costs: ShapeCosts;
      readonly states: StateSetting;
      readonly recompute: RecomputeSetting;
      readonly settings: readonly RecomputeSetting[];
      readonly next: number;
    }
  | {
      readonly kind: 'candidate';
      readonly costs: ShapeCosts;
      readonly states: StateSetting;
      readonly recompute: RecomputeSetting;
      readonly strategy: Strategy;
      readonly evaluation: Evaluation;
    };

/** Pipelines that may fit, by micro-batch. */
type Fitting = ReadonlyMap<number, readonly number[]>;

/** Takes a node with a bound of the step's time that is below all its candidates. */
export type Push = (node: Node, stepSeconds: number) => void;

/** Takes groups of candidates apart, into smaller ones with tighter bounds, and drops those that do not fit. */
export class Expansion {
  searched = 0;
  evaluated = 0;

  constructor(
    private readonly space: Space,
    private readonly rejections: Rejections,
    private readonly push: Push,
  ) {}

  start(): void {
    for (const group of this.space.groups()) {
      let size = 0;
      for (const pipelineParallel of group.pipelines) size += this.space.sizeOfGroup(group, pipelineParallel);
      this.searched += size;
      if (size === 0) continue;
      const microBatchSize = this.space.commonMicroBatch(group, group.pipelines);
      this.push({ kind: 'group', group, fitting: null }, this.groupBound(group, microBatchSize));
    }
  }

  /** A sequence takes no less time in a micro-batch than in a multiple of it: kernels fill, launches and latencies are shared. */
  private groupBound(group: LayerGroup, microBatchSize: number): number {
    const [least] = this.space.recomputesOf(1);
    if (least === undefined) return Number.POSITIVE_INFINITY;
    const bounds = group.methods.map((contextMethod) =>
      new LayerCosts(this.space, { ...group.choice, microBatchSize, contextMethod }).layerBound(least),
    );
    return Math.min(...bounds);
  }

  expand(node: Exclude<Node, { kind: 'candidate' }>, stepSeconds: number): void {
    if (node.kind === 'group') this.expandGroup(node.group, node.fitting, stepSeconds);
    else if (node.kind === 'layer') this.expandLayer(node.layer, node.pipelines);
    else if (node.kind === 'shape') this.expandShape(node.costs.of(node.shape), stepSeconds);
    else if (node.kind === 'states') this.expandStates(node.costs, node.states, stepSeconds);
    else this.evaluate(node, stepSeconds);
  }

  private expandGroup(group: LayerGroup, fitting: Fitting | null, stepSeconds: number): void {
    if (fitting === null) this.pushFitting(group, stepSeconds);
    else this.pushLayers(group, fitting, stepSeconds);
  }

  /** Without what cannot fit, the largest micro-batches above all, a group's bound is tighter. */
  private pushFitting(group: LayerGroup, stepSeconds: number): void {
    const fitting = this.fittingPipelines(group);
    if (fitting.size === 0) return;
    const bound = this.groupBound(group, [...fitting.keys()].reduce(leastCommonMultiple));
    this.push({ kind: 'group', group, fitting }, Math.max(stepSeconds, bound));
  }

  /** A larger micro-batch never needs less memory. */
  private fittingPipelines(group: LayerGroup): Fitting {
    const memory = new LeastMemory(this.space, group);
    const fitting = new Map<number, number[]>();
    for (const pipelineParallel of group.pipelines) {
      let fits = true;
      for (const microBatchSize of this.space.microBatchesOf(group, pipelineParallel)) {
        const microBatches = this.space.microBatches(group, pipelineParallel, microBatchSize);
        fits &&= memory.mayFit(pipelineParallel, microBatchSize, microBatches);
        if (!fits) {
          const size = this.space.sizeOf({ ...group.choice, microBatchSize }, pipelineParallel);
          this.rejections.add('memory', group.methods.length * size);
          continue;
        }
        const pipelines = fitting.get(microBatchSize);
        if (pipelines === undefined) fitting.set(microBatchSize, [pipelineParallel]);
        else pipelines.push(pipelineParallel);
      }
    }
    return fitting;
  }

  private pushLayers(group: LayerGroup, fitting: Fitting, stepSeconds: number): void {
    const [least] = this.space.recomputesOf(1);
    if (least === undefined) return;
    for (const [microBatchSize, pipelines] of fitting) {
      for (const contextMethod of group.methods) {
        const layer: LayerChoice = { ...group.choice, microBatchSize, contextMethod };
        const bound = new LayerCosts(this.space, layer).layerBound(least);
        this.push({ kind: 'layer', layer, pipelines }, Math.max(stepSeconds, bound));
      }
    }
  }

  private expandLayer(layer: LayerChoice, pipelines: readonly number[]): void {
    const layerCosts = new LayerCosts(this.space, layer);
    for (const pipelineParallel of pipelines) {
      const costs = layerCosts.of(pipelineParallel);
      for (const shape of this.space.shapesOf(layer, pipelineParallel)) {
        const [least] = this.space.recomputesOf(shape.fullestStage);
        if (least !== undefined) this.push({ kind: 'shape', costs, shape }, costs.bound(shape, least));
      }
    }
  }

  /** Where states live decides about traffic and update, whatever is recomputed. */
  private expandShape(costs: ShapeCosts, stepSeconds: number): void {
    const [least] = this.space.recomputesOf(costs.shape.fullestStage);
    if (least === undefined) return;
    for (const states of costs.states) {
      this.push({ kind: 'states', costs, states }, Math.max(stepSeconds, costs.statesBound(least, states)));
    }
  }

  private expandStates(costs: ShapeCosts, states: StateSetting, stepSeconds: number): void {
    const settings = this.space.recomputesOf(costs.shape.fullestStage);
    // The policy that keeps the least is full recomputation of all layers.
    const least = settings.find(({ recompute, recomputeLayers }) => recompute === 'full' && recomputeLayers === 0);
    if (least !== undefined && !this.fits(costs, least, states)) {
      this.rejections.add('memory', settings.length);
      return;
    }
    // Policies that recompute some layers only take the longer the more there are: one after the other.
    const some = this.space.partialRecomputesOf(costs.shape.fullestStage);
    this.pushSetting(costs, states, some, 0, stepSeconds);
    settings.forEach((recompute, i) => {
      if (recompute.recomputeLayers === 0) this.pushSetting(costs, states, settings.slice(i, i + 1), 0, stepSeconds);
    });
  }

  /** The first from `at` on that may fit, the others for later. Whether it really does is looked at when its time comes. */
  private pushSetting(
    costs: ShapeCosts,
    states: StateSetting,
    settings: readonly RecomputeSetting[],
    at: number,
    stepSeconds: number,
  ): void {
    for (let i = at; i < settings.length; i++) {
      const recompute = settings[i];
      if (recompute === undefined || !costs.mayFit(recompute, states)) {
        this.rejections.add('memory');
        continue;
      }
      const bound = Math.max(stepSeconds, costs.bound(recompute, states));
      this.push({ kind: 'setting', costs, states, recompute, settings, next: i + 1 }, bound);
      return;
    }
  }

  private fits(costs: ShapeCosts, recompute: RecomputeSetting, states: StateSetting): boolean {
    this.evaluated++;
    return costs.fits(recompute, states);
  }

  private evaluate(node: Extract<Node, { kind: 'setting' }>, stepSeconds: number): void {
    const { costs, states, recompute, settings, next } = node;
    this.pushSetting(costs, states, settings, next, stepSeconds);
    if (!this.fits(costs, recompute, states)) {
      this.rejections.add('memory');
      return;
    }
    const { evaluation, boundSeconds, strategy } = costs.evaluateAndBound(recompute, states);
    const bound = Math.max(stepSeconds, boundSeconds);
    this.push({ kind: 'candidate', costs, states, recompute, strategy, evaluation }, bound);
  }
}
