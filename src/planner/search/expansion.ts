import type { Strategy } from '../../parallelism/strategy.js';
import type { Evaluation } from '../../simulation/evaluation.js';
import { LayerCosts, type ShapeCosts } from './costs.js';
import type { LayerChoice, LayerGroup } from './layerChoices.js';
import { LeastMemory } from './leastMemory.js';
import type { PipelineShape } from './pipelineChoices.js';
import type { Rejections } from './rejections.js';
import type { Space } from './space.js';
import type { RecomputeSetting } from './stateChoices.js';

/** A group of candidates, or one. */
export type Node =
  | { readonly kind: 'group'; readonly group: LayerGroup; readonly fitting: Fitting }
  | { readonly kind: 'layer'; readonly layer: LayerChoice; readonly pipelines: readonly number[] }
  | { readonly kind: 'shape'; readonly costs: LayerCosts; readonly shape: PipelineShape }
  | {
      readonly kind: 'recompute';
      readonly costs: ShapeCosts;
      readonly setting: RecomputeSetting;
      /** What comes after it in order of work, where it was not put into the queue yet. */
      readonly later: readonly RecomputeSetting[];
      readonly refined: boolean;
    }
  | {
      readonly kind: 'candidate';
      readonly costs: ShapeCosts;
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
    const [least] = this.space.recomputesOf(1);
    if (least === undefined) return;
    for (const group of this.space.groups()) {
      const fitting = this.fittingPipelines(group);
      if (fitting.size === 0) continue;
      // A sequence takes no less time in a micro-batch than in a multiple of it: kernels fill, launches and latencies are shared.
      const microBatchSize = [...fitting.keys()].reduce(leastCommonMultiple);
      const bounds = group.methods.map((contextMethod) =>
        new LayerCosts(this.space, { ...group.choice, microBatchSize, contextMethod }).layerBound(least),
      );
      this.push({ kind: 'group', group, fitting }, Math.min(...bounds));
    }
  }

  expand(node: Exclude<Node, { kind: 'candidate' }>, stepSeconds: number): void {
    if (node.kind === 'group') this.expandGroup(node.group, node.fitting);
    else if (node.kind === 'layer') this.expandLayer(node.layer, node.pipelines);
    else if (node.kind === 'shape') this.expandShape(node.costs, node.shape, stepSeconds);
    else if (!node.refined)
      this.push({ ...node, refined: true }, Math.max(stepSeconds, node.costs.bound(node.setting)));
    else this.expandRecompute(node, stepSeconds);
  }

  /** A larger micro-batch never needs less memory. */
  private fittingPipelines(group: LayerGroup): Fitting {
    const memory = new LeastMemory(this.space, group);
    const fitting = new Map<number, number[]>();
    for (const pipelineParallel of group.pipelines) {
      let fits = true;
      for (const microBatchSize of this.space.microBatchesOf(group, pipelineParallel)) {
        const size = group.methods.length * this.space.sizeOf({ ...group.choice, microBatchSize }, pipelineParallel);
        this.searched += size;
        const microBatches = this.space.microBatches(group, pipelineParallel, microBatchSize);
        fits &&= memory.mayFit(pipelineParallel, microBatchSize, microBatches);
        if (!fits) {
          this.rejections.add('memory', size);
          continue;
        }
        const pipelines = fitting.get(microBatchSize);
        if (pipelines === undefined) fitting.set(microBatchSize, [pipelineParallel]);
        else pipelines.push(pipelineParallel);
      }
    }
    return fitting;
  }

  private expandGroup(group: LayerGroup, fitting: Fitting): void {
    const [least] = this.space.recomputesOf(1);
    if (least === undefined) return;
    for (const [microBatchSize, pipelines] of fitting) {
      for (const contextMethod of group.methods) {
        const layer: LayerChoice = { ...group.choice, microBatchSize, contextMethod };
        this.push({ kind: 'layer', layer, pipelines }, new LayerCosts(this.space, layer).layerBound(least));
      }
    }
  }

  private expandLayer(layer: LayerChoice, pipelines: readonly number[]): void {
    const costs = new LayerCosts(this.space, layer);
    for (const pipelineParallel of pipelines) {
      for (const shape of this.space.shapesOf(layer, pipelineParallel)) {
        const [least] = this.space.recomputesOf(shape.fullestStage);
        if (least !== undefined) this.push({ kind: 'shape', costs, shape }, costs.of(shape).bound(least));
      }
    }
  }

  private expandShape(layerCosts: LayerCosts, shape: PipelineShape, stepSeconds: number): void {
    const costs = layerCosts.of(shape);
    const settings = this.space.recomputesOf(shape.fullestStage);
    if (this.nothingFits(costs, settings)) return;
    // Policies that recompute some layers only take the longer the more there are: one after the other.
    const some = settings.filter(({ recomputeLayers }) => recomputeLayers > 0);
    for (const setting of settings) {
      if (setting.recomputeLayers > 0 && setting !== some[0]) continue;
      const later = setting === some[0] ? some.slice(1) : [];
      const bound = Math.max(stepSeconds, layerCosts.layerBound(setting));
      this.push({ kind: 'recompute', costs, setting, later, refined: false }, bound);
    }
  }

  /** The policy that keeps the least is full recomputation of all layers. */
  private nothingFits(costs: ShapeCosts, settings: readonly RecomputeSetting[]): boolean {
    const least = settings.find(({ recompute, recomputeLayers }) => recompute === 'full' && recomputeLayers === 0);
    if (least === undefined) return false;
    const states = this.space.statesOf(costs.layer.layer, costs.shape.pipelineParallel);
    this.evaluated += states.length;
    if (states.some((state) => costs.fits(least, state))) return false;
    this.rejections.add('memory', settings.length * states.length);
    return true;
  }

  private expandRecompute(node: Extract<Node, { kind: 'recompute' }>, stepSeconds: number): void {
    const { costs, setting, later } = node;
    const [next] = later;
    if (next !== undefined) {
      this.push({ kind: 'recompute', costs, setting: next, later: later.slice(1), refined: false }, stepSeconds);
    }
    for (const state of this.space.statesOf(costs.layer.layer, costs.shape.pipelineParallel)) {
      this.evaluated++;
      if (!costs.fits(setting, state)) {
        this.rejections.add('memory');
        continue;
      }
      const strategy = costs.strategyOf(setting, state);
      const { evaluation, boundSeconds } = costs.evaluateAndBound(strategy);
      this.push({ kind: 'candidate', costs, strategy, evaluation }, boundSeconds);
    }
  }
}

function leastCommonMultiple(a: number, b: number): number {
  let [x, y] = [a, b];
  while (y > 0) [x, y] = [y, x % y];
  return (a / x) * b;
}
