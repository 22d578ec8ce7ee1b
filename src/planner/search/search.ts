import { evaluateStep } from '../../simulation/evaluateStep.js';
import type { Evaluation } from '../../simulation/evaluation.js';
import { LayerCosts } from './costs.js';
import { compileGoal, type Goal } from './goal.js';
import type { LayerChoice, LayerGroup } from './layerChoices.js';
import { Leaders } from './leaders.js';
import { LeastMemory } from './leastMemory.js';
import { MinHeap } from './minHeap.js';
import { findNearestMiss } from './nearestMiss.js';
import { OpenKeys } from './openKeys.js';
import { paretoOf } from './pareto.js';
import type { PipelineShape } from './pipelineChoices.js';
import { Rejections } from './rejections.js';
import type { Evaluator, Plan, PlanProgress, PlanRequest, PlanResult } from './request.js';
import { Space } from './space.js';
import type { RecomputeSetting } from './stateChoices.js';

/** A group of candidates, or one; the queue hands out the one with the smallest bound. */
type Node =
  | { readonly kind: 'layer'; readonly layer: LayerChoice; readonly pipelines: readonly number[] }
  | { readonly kind: 'shape'; readonly costs: LayerCosts; readonly shape: PipelineShape }
  | {
      readonly kind: 'recompute';
      readonly costs: LayerCosts;
      readonly shape: PipelineShape;
      readonly recompute: RecomputeSetting;
    }
  | { readonly kind: 'candidate'; readonly evaluation: Evaluation; readonly plan: Omit<Plan, 'score'> };

/** Nodes between two reports of progress. */
const nodesPerReport = 128;

/**
 * The best strategies for a scenario, exactly: best-first over lower bounds. Layers come first, then their pipelines, what is recomputed and where
 * states live; each step's bound is below all candidates behind it. A candidate that fits waits with its closed form, which is
 * below `evaluateStep`, and is confirmed by that when no bound is smaller. When the smallest bound is above the k-th confirmed plan, nothing
 * better is left. Throws `SlipwayError` for objectives, conditions and fixed values that make no sense.
 */
export async function* planSearch(request: PlanRequest): AsyncGenerator<PlanProgress, PlanResult> {
  const goal = await compileGoal(request);
  const search = new Search(request, goal);
  return yield* search.run();
}

class Search {
  private readonly space: Space;
  private readonly queue = new MinHeap<Node>();
  private readonly leaders: Leaders;
  private readonly evaluator: Evaluator;
  private readonly rejections = new Rejections();
  private readonly started: number | undefined;
  private popped = 0;
  private searched = 0;
  private evaluated = 0;
  private simulated = 0;
  private feasible = 0;

  constructor(
    private readonly request: PlanRequest,
    private readonly goal: Goal,
  ) {
    this.space = new Space(new OpenKeys(request.scenario, request.fix ?? {}));
    this.leaders = new Leaders(request.top ?? 10, request.diverse ?? false);
    this.evaluator = request.evaluator ?? sameThread;
    this.started = request.now?.();
  }

  async *run(): AsyncGenerator<PlanProgress, PlanResult> {
    this.start();
    let complete = true;
    for (let node = this.next(); node !== undefined; node = this.next()) {
      await this.visit(node);
      this.popped++;
      if (this.popped % nodesPerReport !== 0) continue;
      yield this.progress();
      if (this.request.signal?.aborted === true) {
        complete = false;
        break;
      }
    }
    this.countTheRest(complete);
    return this.result(complete);
  }

  private start(): void {
    const dualPipe = this.space.keys.values('pipelineSchedule', () => this.space.rules.schedules).includes('dualpipe');
    const [least] = this.space.recomputesOf(1);
    if (least === undefined) return;
    for (const group of this.space.groups()) {
      for (const [microBatchSize, pipelines] of this.fittingPipelines(group)) {
        for (const contextMethod of group.methods) {
          const layer: LayerChoice = { ...group.choice, microBatchSize, contextMethod };
          const seconds = new LayerCosts(this.space, layer).layerBound(least, dualPipe);
          this.push(seconds, null, { kind: 'layer', layer, pipelines });
        }
      }
    }
  }

  /** Pipelines that memory does not rule out, by micro-batch; a larger micro-batch never needs less. */
  private fittingPipelines(group: LayerGroup): ReadonlyMap<number, readonly number[]> {
    const memory = new LeastMemory(this.space, group);
    const fitting = new Map<number, number[]>();
    for (const pipelineParallel of group.pipelines) {
      let fits = true;
      for (const microBatchSize of this.space.microBatchesOf(group, pipelineParallel)) {
        const size = group.methods.length * this.space.sizeOf({ ...group.choice, microBatchSize }, pipelineParallel);
        this.searched += size;
        fits &&= memory.mayFit(
          pipelineParallel,
          microBatchSize,
          this.space.microBatches(group, pipelineParallel, microBatchSize),
        );
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

  /** The node with the smallest bound, unless even that is no better than what was found. */
  private next(): Node | undefined {
    return this.queue.least < this.leaders.worstScore ? this.queue.pop() : undefined;
  }

  private push(stepSeconds: number, evaluation: Evaluation | null, node: Node): void {
    const { scenario } = this.request;
    const bound = this.goal.bound({ scenario, stepSeconds, evaluation });
    this.queue.push(bound, node);
  }

  private async visit(node: Node): Promise<void> {
    if (node.kind === 'layer') this.expandLayer(node.layer, node.pipelines);
    else if (node.kind === 'shape') this.expandShape(node.costs, node.shape);
    else if (node.kind === 'recompute') this.expandRecompute(node.costs, node.shape, node.recompute);
    else await this.confirm(node.plan);
  }

  private expandLayer(layer: LayerChoice, pipelines: readonly number[]): void {
    const costs = new LayerCosts(this.space, layer);
    for (const pipelineParallel of pipelines) {
      for (const shape of this.space.shapesOf(layer, pipelineParallel)) {
        const [least] = this.space.recomputesOf(shape.fullestStage);
        if (least === undefined) continue;
        const seconds = costs.shapeBound(shape, least);
        this.push(seconds, null, { kind: 'shape', costs, shape });
      }
    }
  }

  private expandShape(costs: LayerCosts, shape: PipelineShape): void {
    const recomputes = this.space.recomputesOf(shape.fullestStage);
    const states = this.space.statesOf(costs.layer, shape.pipelineParallel);
    // The last policy keeps the least; where even that fits with no sharding, nothing does.
    const last = recomputes.at(-1);
    if (last?.recompute === 'full' && last.recomputeLayers === 0) {
      this.evaluated += states.length;
      if (!states.some((state) => costs.fits(shape, last, state))) {
        this.rejections.add('memory', recomputes.length * states.length);
        return;
      }
    }
    for (const recompute of recomputes) {
      this.push(costs.shapeBound(shape, recompute), null, { kind: 'recompute', costs, shape, recompute });
    }
  }

  private expandRecompute(costs: LayerCosts, shape: PipelineShape, recompute: RecomputeSetting): void {
    for (const state of this.space.statesOf(costs.layer, shape.pipelineParallel)) {
      this.evaluated++;
      if (!costs.fits(shape, recompute, state)) {
        this.rejections.add('memory');
        continue;
      }
      const evaluation = costs.evaluate(shape, recompute, state);
      const { scenario } = this.request;
      const strategy = this.space.strategyOf(costs.layer, shape, recompute, state);
      const known = { scenario: { ...scenario, strategy }, stepSeconds: evaluation.stepSeconds, evaluation };
      if (!this.goal.mayMeet(known)) {
        this.rejections.add('condition');
        continue;
      }
      this.feasible++;
      const plan = { accelerators: scenario.accelerators, strategy, evaluation };
      this.queue.push(this.goal.bound(known), { kind: 'candidate', evaluation, plan });
    }
  }

  private async confirm(plan: Omit<Plan, 'score'>): Promise<void> {
    const { scenario } = this.request;
    const [evaluation] = await this.evaluator.evaluate(scenario, [plan.strategy]);
    this.simulated++;
    if (evaluation === undefined) return;
    const confirmed = { scenario: { ...scenario, strategy: plan.strategy }, evaluation };
    if (!this.goal.meets(confirmed)) this.rejections.add('condition');
    else if (!this.leaders.offer({ ...plan, evaluation, score: this.goal.score(confirmed) }))
      this.rejections.add('worse');
  }

  private progress(): PlanProgress {
    const fractionDone = this.fractionDone();
    const elapsed = this.started === undefined ? undefined : (this.request.now?.() ?? 0) - this.started;
    return {
      evaluated: this.evaluated,
      simulated: this.simulated,
      rejectedByReason: this.rejections.byReason(),
      best: this.leaders.best,
      fractionDone,
      secondsLeft: elapsed === undefined || fractionDone <= 0 ? null : (elapsed * (1 - fractionDone)) / fractionDone,
    };
  }

  /** Nodes are looked at in the order of their bounds, so the visited share of those below the worst leader is what is done. */
  private fractionDone(): number {
    const left = this.queue.countBelow(this.leaders.worstScore);
    return this.popped / Math.max(1, this.popped + left);
  }

  /** What the bound ruled out is all that was neither rejected nor simulated. */
  private countTheRest(complete: boolean): void {
    const counts = this.rejections.byReason();
    const known = (counts.memory ?? 0) + (counts.condition ?? 0) + this.simulated;
    if (complete) this.rejections.add('bound', Math.max(0, this.searched - known));
  }

  private result(complete: boolean): PlanResult {
    const plans = this.leaders.plans();
    return {
      searched: this.searched,
      evaluated: this.evaluated,
      simulated: this.simulated,
      feasible: this.feasible,
      complete,
      plans,
      pareto: paretoOf(plans, this.request.pareto ?? ['step', 'memory'], this.request.scenario),
      rejectedByReason: this.rejections.byReason(),
      nearestMiss: plans.length > 0 ? null : findNearestMiss(this.space),
    };
  }
}

const sameThread: Evaluator = {
  parallel: 1,
  evaluate: async (scenario, strategies) => strategies.map((strategy) => evaluateStep({ ...scenario, strategy })),
};
