import { scheduleFor } from '../../parallelism/pipeline/schedules.js';
import type { Strategy } from '../../parallelism/strategy.js';
import {
  type Bounded,
  evaluateAndBound,
  fitsDevice,
  fitsPrepared,
  stepBound,
  stepOf,
  updateBound,
} from '../../simulation/closedForm.js';
import { confirmStep, RememberedPasses } from '../../simulation/evaluateStep.js';
import type { Evaluation } from '../../simulation/evaluation.js';
import { type Prepared, withStates } from '../../simulation/prepare.js';
import type { LayerTable } from '../../simulation/stageCost.js';
import type { PipelineShape } from './pipelineChoices.js';
import type { PipelineCosts } from './pipelineCosts.js';
import type { RecomputeSetting, StateSetting } from './stateChoices.js';

/** Candidates with the same passes and traffic: how much of the optimizer lies on the host changes the update that follows, nothing else. */
interface PassGroup {
  readonly passes: Map<RecomputeSetting, number>;
  readonly updates: Map<StateSetting, number>;
  readonly simulated: Map<RecomputeSetting, RememberedPasses>;
  /** With as much of the optimizer on the host as may be: what does not fit then does not fit at all. */
  readonly leanest: StateSetting;
  readonly mayFit: Map<RecomputeSetting, boolean>;
}

/** Sums in another order differ in their last digits; a bound must not be above by that. */
const roundingSlack = 1 - 1e-12;

/** Bounds and estimates of the candidates that share layer and pipeline. */
export class ShapeCosts {
  /** All that its candidates may choose from. */
  readonly states: readonly StateSetting[];
  private readonly groups = new Map<StateSetting, PassGroup>();
  private last: PreparedCandidate | undefined;

  constructor(
    readonly pipeline: PipelineCosts,
    readonly shape: PipelineShape,
    private readonly base: Prepared,
  ) {
    this.states = pipeline.layer.space.statesOf(pipeline.layer.layer, shape.pipelineParallel);
  }

  /**
   * Below the step of every candidate with these states, from the recomputation that is least work; 0 where nothing can be said. Traffic of replicated
   * weights hides no more behind a longer pass than that takes longer; what travels inside passes hides behind kernels that only some of them have.
   */
  statesBound(least: RecomputeSetting, states: StateSetting): number {
    const { dataSharding, offload, activationOffloadLayers } = states;
    const replicated = dataSharding === 'ddp' || dataSharding === 'zero-1';
    const inside = !replicated || offload.startsWith('parameters') || activationOffloadLayers > 0;
    return inside ? 0 : this.bound(least, states);
  }

  /** Below the step of the candidate. */
  bound(recompute: RecomputeSetting, states: StateSetting): number {
    const group = this.groupOf(states);
    let passesSeconds = group.passes.get(recompute);
    if (passesSeconds === undefined) {
      const { p, table } = this.prepared(recompute, states);
      const bound = stepBound(p, table, this.pipeline);
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
      const { p, table } = this.prepared(recompute, states);
      seconds = updateBound(p, table, this.pipeline);
      group.updates.set(states, seconds);
    }
    return seconds;
  }

  private groupOf(states: StateSetting): PassGroup {
    const { space } = this.pipeline.layer;
    const passes = scheduleFor(this.base.strategy).staggered ? states : space.samePasses(states);
    let group = this.groups.get(passes);
    if (group === undefined) {
      const leanest = this.states
        .filter((one) => space.samePasses(one) === space.samePasses(states))
        .reduce((a, b) => (onHost(b) > onHost(a) ? b : a), states);
      group = { passes: new Map(), updates: new Map(), simulated: new Map(), mayFit: new Map(), leanest };
      this.groups.set(passes, group);
    }
    return group;
  }

  /** False where the recomputation leaves too much on the accelerators for any candidate that differs in the offloaded optimizer alone. */
  mayFit(recompute: RecomputeSetting, states: StateSetting): boolean {
    const group = this.groupOf(states);
    let may = group.mayFit.get(recompute);
    if (may === undefined) {
      const { p, table } = this.prepared(recompute, group.leanest);
      may = fitsDevice(p, table, this.pipeline.layer.activationsOf(table));
      group.mayFit.set(recompute, may);
    }
    return may;
  }

  fits(recompute: RecomputeSetting, states: StateSetting): boolean {
    const { p, table } = this.prepared(recompute, states);
    return fitsPrepared(p, table, this.pipeline.layer.activationsOf(table));
  }

  /** The closed form, with a tighter bound. */
  evaluateAndBound(recompute: RecomputeSetting, states: StateSetting): Bounded & { readonly strategy: Strategy } {
    const { p, table } = this.prepared(recompute, states);
    return { ...evaluateAndBound(p, table, this.pipeline), strategy: p.strategy };
  }

  /** `evaluateStep` of a candidate whose closed form is `bound`; null where the step takes longer than `mostSeconds`. */
  confirm(
    recompute: RecomputeSetting,
    states: StateSetting,
    bound: Evaluation,
    mostSeconds: number,
  ): Evaluation | null {
    const { simulated } = this.groupOf(states);
    const passes = simulated.get(recompute) ?? new RememberedPasses();
    simulated.set(recompute, passes);
    const { p, table } = this.prepared(recompute, states);
    return confirmStep(p, table, bound, { passes, mostSeconds, shared: this.pipeline });
  }

  /** Questions about one candidate follow each other. */
  private prepared(recompute: RecomputeSetting, states: StateSetting): PreparedCandidate {
    const { last } = this;
    if (last !== undefined && last.recompute === recompute && last.states === states) return last;
    const p = withStates(this.base, { ...this.base.strategy, ...recompute, ...states });
    this.last = { recompute, states, p, table: this.pipeline.layer.table(p.strategy) };
    return this.last;
  }
}

/** Share of the optimizer that does not lie on the accelerators. */
function onHost({ offload, optimizerOffloadFraction }: StateSetting): number {
  return offload === 'none' ? 0 : optimizerOffloadFraction;
}

interface PreparedCandidate {
  readonly recompute: RecomputeSetting;
  readonly states: StateSetting;
  readonly p: Prepared;
  readonly table: LayerTable;
}
