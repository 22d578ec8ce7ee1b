import { modelFlops } from '../../model/flops.js';
import { countParameters } from '../../model/parameters.js';
import type { Scenario } from '../../scenario/scenario.js';
import type { Evaluation } from '../../simulation/evaluation.js';
import { Expansion, type Node } from './expansion.js';
import { compileGoal, type Goal } from './goal.js';
import { Leaders } from './leaders.js';
import { MinHeap } from './minHeap.js';
import { nearestMiss } from './nearestMiss.js';
import { OpenKeys } from './openKeys.js';
import { paretoOf } from './pareto.js';
import { Rejections } from './rejections.js';
import type { PlanProgress, PlanRequest, PlanResult } from './request.js';
import { Space } from './space.js';

/** Work between two reports of progress, some milliseconds: a node counts 1, a simulation as many as take as long. */
const workPerReport = 1024;
const workOfSimulation = 32;

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

/** All candidates of one size of the cluster. */
interface Field {
  readonly scenario: Scenario;
  readonly expansion: Expansion;
}

interface Queued {
  readonly field: Field;
  /** Null for a whole field that was not looked at yet. */
  readonly node: Node | null;
  readonly stepSeconds: number;
}

class Search {
  private readonly queue = new MinHeap<Queued>();
  private readonly fields: readonly Field[];
  private readonly leaders: Leaders;
  private readonly rejections = new Rejections();
  private readonly started: number | undefined;
  private visited = 0;
  private simulated = 0;
  private feasible = 0;

  constructor(
    private readonly request: PlanRequest,
    private readonly goal: Goal,
  ) {
    const { scenario, accelerators = [scenario.accelerators] } = request;
    this.fields = accelerators.map((size) => this.fieldOf({ ...scenario, accelerators: size }));
    this.leaders = new Leaders(request.top ?? 10, request.diverse ?? false);
    this.started = request.now?.();
  }

  private fieldOf(scenario: Scenario): Field {
    const space = new Space(new OpenKeys(scenario, this.request.fix ?? {}));
    const field: Field = {
      scenario,
      expansion: new Expansion(space, this.rejections, (node, seconds) => this.push(field, node, seconds)),
    };
    return field;
  }

  async *run(): AsyncGenerator<PlanProgress, PlanResult> {
    for (const field of this.fields) this.push(field, null, leastSeconds(field.scenario));
    let work = 0;
    while (this.queue.least < this.leaders.worstScore) {
      if (this.request.signal?.aborted === true) return this.result(false);
      const next = this.queue.pop();
      if (next === undefined) break;
      await this.visit(next);
      this.visited++;
      work += next.node?.kind === 'candidate' ? workOfSimulation : 1;
      if (next.node !== null && work < workPerReport) continue;
      work = 0;
      yield this.progress();
    }
    return this.result(true);
  }

  private async visit({ field, node, stepSeconds }: Queued): Promise<void> {
    if (node === null) field.expansion.start();
    else if (node.kind === 'candidate') await this.confirm(field, node);
    else field.expansion.expand(node, stepSeconds);
  }

  private push(field: Field, node: Node | null, stepSeconds: number): void {
    const { scenario } = field;
    if (node?.kind !== 'candidate') {
      const known = { scenario, stepSeconds, evaluation: null };
      if (this.goal.mayMeet(known)) this.queue.push(this.goal.bound(known), { field, node, stepSeconds });
      return;
    }
    const { strategy, evaluation } = node;
    const known = { scenario: { ...scenario, strategy }, stepSeconds, evaluation };
    if (this.goal.mayMeet(known)) {
      this.feasible++;
      this.queue.push(this.goal.bound(known), { field, node, stepSeconds });
    } else this.rejections.add('condition');
  }

  private async confirm({ scenario }: Field, node: Extract<Node, { kind: 'candidate' }>): Promise<void> {
    const { costs, recompute, states, strategy, evaluation: bound } = node;
    const candidate = { ...scenario, strategy };
    this.simulated++;
    const { evaluator } = this.request;
    if (evaluator !== undefined) {
      for (const evaluation of await evaluator.evaluate(scenario, [strategy])) this.take(candidate, evaluation);
      return;
    }
    // With its seconds known, memory cannot make the score any better than this bound.
    const wanted = (stepSeconds: number): boolean =>
      this.goal.bound({ scenario: candidate, stepSeconds, evaluation: bound }) < this.leaders.worstScore;
    const evaluation = costs.confirm(recompute, states, bound, mostWanted(bound.stepSeconds, wanted));
    if (evaluation === null) this.rejections.add('worse');
    else this.take(candidate, evaluation);
  }

  private take(scenario: Scenario, evaluation: Evaluation): void {
    const { accelerators, strategy } = scenario;
    const confirmed = { scenario, evaluation };
    if (!evaluation.fits) {
      this.rejections.add('memory');
      return;
    }
    if (!this.goal.meets(confirmed)) {
      this.rejections.add('condition');
      return;
    }
    const score = this.goal.score(confirmed);
    if (!this.leaders.offer({ accelerators, strategy, evaluation, score })) this.rejections.add('worse');
  }

  private progress(): PlanProgress {
    const fractionDone = this.fractionDone();
    const elapsed = this.started === undefined ? undefined : (this.request.now?.() ?? 0) - this.started;
    return {
      evaluated: this.sum((expansion) => expansion.evaluated),
      simulated: this.simulated,
      rejectedByReason: this.rejections.byReason(),
      best: this.leaders.best,
      plans: this.leaders.plans(),
      fractionDone,
      secondsLeft: elapsed === undefined || fractionDone <= 0 ? null : (elapsed * (1 - fractionDone)) / fractionDone,
    };
  }

  /** Nodes are looked at in the order of their bounds, so the visited share of those below the worst leader is what is done. */
  private fractionDone(): number {
    const left = this.queue.countBelow(this.leaders.worstScore);
    return this.visited / Math.max(1, this.visited + left);
  }

  private sum(of: (expansion: Expansion) => number): number {
    return this.fields.reduce((total, { expansion }) => total + of(expansion), 0);
  }

  private result(complete: boolean): PlanResult {
    const plans = this.leaders.plans();
    const searched = this.sum((expansion) => expansion.searched);
    this.rejections.rest(complete ? 'bound' : 'unsearched', searched - plans.length);
    return {
      searched,
      evaluated: this.sum((expansion) => expansion.evaluated),
      simulated: this.simulated,
      feasible: this.feasible,
      complete,
      plans,
      pareto: paretoOf(plans, this.request.pareto ?? ['step', 'memory'], this.request.scenario),
      rejectedByReason: this.rejections.byReason(),
      nearestMiss: plans.length > 0 || !complete ? null : nearestMiss(this.request),
    };
  }
}

/**
 * The seconds from `least` on beyond which a step is not wanted any more, a little too large; infinite where it always is. A longer step is
 * never wanted more.
 */
function mostWanted(least: number, wanted: (stepSeconds: number) => boolean): number {
  let most = 2 * least;
  if (wanted(most)) return Number.POSITIVE_INFINITY;
  let low = least;
  while (most - low > 1e-6 * least) {
    const middle = (low + most) / 2;
    if (wanted(middle)) low = middle;
    else most = middle;
  }
  return most;
}

/** All model FLOPs at the peak of the fastest format that the search may choose. */
function leastSeconds({ model, cluster, accelerators, strategy, sequenceLength }: Scenario): number {
  const flops = modelFlops(model, sequenceLength, strategy.globalBatchSize, 'causal', countParameters(model).active);
  const fastest = Math.max(...Object.values(cluster.accelerator.peakFlopsPerSecond));
  return flops / (accelerators * fastest);
}
