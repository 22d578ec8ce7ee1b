import { scheduleFor } from '../../parallelism/pipeline/schedules.js';
import type { Strategy } from '../../parallelism/strategy.js';
import {
  type Bounded,
  evaluateAndBound,
  fitsPrepared,
  stepBound,
  stepOf,
  updateBound,
} from '../../simulation/closedForm.js';
import { confirmStep, SimulatedBefore } from '../../simulation/evaluateStep.js';
import type { Evaluation } from '../../simulation/evaluation.js';
import { type Prepared, withStates } from '../../simulation/prepare.js';
import type { PipelineShape } from './pipelineChoices.js';
import type { PipelineCosts } from './pipelineCosts.js';
import type { RecomputeSetting, StateSetting } from './stateChoices.js';

/** Candidates with the same passes and traffic: how much of the optimizer lies on the host changes the update that follows, nothing else. */
interface PassGroup {
  readonly passes: Map<RecomputeSetting, number>;
  readonly updates: Map<StateSetting, number>;
}

/** Sums in another order differ in their last digits; a bound must not be above by that. */
const roundingSlack = 1 - 1e-12;

/** Bounds and estimates of the candidates that share layer and pipeline. */
export class ShapeCosts {
  private readonly simulated = new SimulatedBefore();
  private readonly groups = new Map<StateSetting, PassGroup>();

  constructor(
    readonly pipeline: PipelineCosts,
    readonly shape: PipelineShape,
    private readonly base: Prepared,
  ) {}

  /**
   * Below the step of every candidate with these states, from the recomputation that is least work; 0 where nothing can be said. Traffic of replicated
   * weights hides no more behind a longer pass than that takes longer. Units of sharded weights are timed as if all their layers were recomputed where
   * some are, so that the least work may hide less than it saves.
   */
  statesBound(least: RecomputeSetting, states: StateSetting): number {
    return states.dataSharding === 'zero-3' ? 0 : this.bound(least, states);
  }

  /** Below the step of the candidate. */
  bound(recompute: RecomputeSetting, states: StateSetting): number {
    const group = this.groupOf(states);
    let passesSeconds = group.passes.get(recompute);
    if (passesSeconds === undefined) {
      const strategy = this.strategyOf(recompute, states);
      const { layer } = this.pipeline;
      const bound = stepBound(withStates(this.base, strategy), layer.table(strategy), this.pipeline);
      passesSeconds = bound.passesSeconds;
      group.passes.set(recompute, passesSeconds);
      group.updates.set(states, bound.updateSeconds);
    }
    return stepOf(this.base, passesSeconds + this.update(group, recompute, states)) * roundingSlack;
  }

  /** What is recomputed does not change it. */
  private update(group: PassGroup, recompute: RecomputeSetting, states: StateSetting): number {
    let seconds = group.updates.get(states);
    if (seconds === undefined) {
      const strategy = this.strategyOf(recompute, states);
      seconds = updateBound(withStates(this.base, strategy), this.pipeline.layer.table(strategy), this.pipeline);
      group.updates.set(states, seconds);
    }
    return seconds;
  }

  private groupOf(states: StateSetting): PassGroup {
    const passes = scheduleFor(this.base.strategy).staggered ? states : this.pipeline.layer.space.samePasses(states);
    let group = this.groups.get(passes);
    if (group === undefined) {
      group = { passes: new Map(), updates: new Map() };
      this.groups.set(passes, group);
    }
    return group;
  }

  fits(recompute: RecomputeSetting, states: StateSetting): boolean {
    const strategy = this.strategyOf(recompute, states);
    const { layer } = this.pipeline;
    const table = layer.table(strategy);
    return fitsPrepared(withStates(this.base, strategy), table, layer.activationsOf(table));
  }

  /** The closed form. */
  evaluate(strategy: Strategy): Evaluation {
    return this.evaluateAndBound(strategy).evaluation;
  }

  /** The same with a tighter bound. */
  evaluateAndBound(strategy: Strategy): Bounded {
    return evaluateAndBound(withStates(this.base, strategy), this.pipeline.layer.table(strategy), this.pipeline);
  }

  /** `evaluateStep` of a strategy whose closed form is `bound`; null where the step takes longer than `mostSeconds`. */
  confirm(strategy: Strategy, bound: Evaluation, mostSeconds: number): Evaluation | null {
    const table = this.pipeline.layer.table(strategy);
    return confirmStep(withStates(this.base, strategy), table, bound, this.simulated, mostSeconds);
  }

  strategyOf(recompute: RecomputeSetting, states: StateSetting): Strategy {
    return { ...this.base.strategy, ...recompute, ...states };
  }
}
