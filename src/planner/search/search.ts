import type { Strategy } from '../../parallelism/strategy.js';
import { evaluateStep } from '../../simulation/evaluateStep.js';
import type { Evaluation } from '../../simulation/evaluation.js';
import { Expansion, type Node } from './expansion.js';
import { compileGoal, type Goal } from './goal.js';
import { Leaders } from './leaders.js';
import { MinHeap } from './minHeap.js';
import { findNearestMiss } from './nearestMiss.js';
import { OpenKeys } from './openKeys.js';
import { paretoOf } from './pareto.js';
import { Rejections } from './rejections.js';
import type { Evaluator, PlanProgress, PlanRequest, PlanResult } from './request.js';
import { Space } from './space.js';

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
  return yield* new Search(request, goal).run();
}

interface Queued {
  readonly node: Node;
  readonly stepSeconds: number;
}

class Search {
  private readonly space: Space;
  private readonly expansion: Expansion;
  private readonly queue = new MinHeap<Queued>();
  private readonly leaders: Leaders;
  private readonly rejections = new Rejections();
  private readonly evaluator: Evaluator;
  private readonly started: number | undefined;
  private visited = 0;
  private simulated = 0;
  private feasible = 0;

  constructor(
    private readonly request: PlanRequest,
    private readonly goal: Goal,
  ) {
    this.space = new Space(new OpenKeys(request.scenario, request.fix ?? {}));
    this.expansion = new Expansion(this.space, this.rejections, (node, seconds) => this.push(node, seconds));
    this.leaders = new Leaders(request.top ?? 10, request.diverse ?? false);
    this.evaluator = request.evaluator ?? sameThread;
    this.started = request.now?.();
  }

  async *run(): AsyncGenerator<PlanProgress, PlanResult> {
    this.expansion.start();
    yield this.progress();
    while (this.queue.least < this.leaders.worstScore) {
      if (this.request.signal?.aborted === true) return this.result(false);
      const next = this.queue.pop();
      if (next === undefined) break;
      if (next.node.kind === 'candidate') await this.confirm(next.node.strategy);
      else this.expansion.expand(next.node, next.stepSeconds);
      this.visited++;
      if (this.visited % nodesPerReport === 0) yield this.progress();
    }
    return this.result(true);
  }

  private push(node: Node, stepSeconds: number): void {
    const { scenario } = this.request;
    if (node.kind !== 'candidate') {
      const bound = this.goal.bound({ scenario, stepSeconds, evaluation: null });
      this.queue.push(bound, { node, stepSeconds });
      return;
    }
    const { strategy, evaluation } = node;
    const known = { scenario: { ...scenario, strategy }, stepSeconds, evaluation };
    if (this.goal.mayMeet(known)) {
      this.feasible++;
      this.queue.push(this.goal.bound(known), { node, stepSeconds });
    } else this.rejections.add('condition');
  }

  private async confirm(strategy: Strategy): Promise<void> {
    const { scenario } = this.request;
    const evaluations = await this.evaluator.evaluate(scenario, [strategy]);
    this.simulated++;
    for (const evaluation of evaluations) this.take(strategy, evaluation);
  }

  private take(strategy: Strategy, evaluation: Evaluation): void {
    const confirmed = { scenario: { ...this.request.scenario, strategy }, evaluation };
    const plan = {
      accelerators: this.request.scenario.accelerators,
      strategy,
      evaluation,
      score: this.goal.score(confirmed),
    };
    if (!this.goal.meets(confirmed)) this.rejections.add('condition');
    else if (!this.leaders.offer(plan)) this.rejections.add('worse');
  }

  private progress(): PlanProgress {
    const fractionDone = this.fractionDone();
    const elapsed = this.started === undefined ? undefined : (this.request.now?.() ?? 0) - this.started;
    return {
      evaluated: this.expansion.evaluated,
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
    return this.visited / Math.max(1, this.visited + left);
  }

  private result(complete: boolean): PlanResult {
    const plans = this.leaders.plans();
    const { searched, evaluated } = this.expansion;
    this.rejections.rest(complete ? 'bound' : 'unsearched', searched - plans.length);
    return {
      searched,
      evaluated,
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
