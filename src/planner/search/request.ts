import type { Infeasibility } from '../../errors.js';
import type { Strategy } from '../../parallelism/strategy.js';
import type { Scenario } from '../../scenario/scenario.js';
import type { Evaluation } from '../../simulation/evaluation.js';

/** A value that a key of the strategy may be held to. */
export type KeyValue = string | number | boolean;

/** Keys of the strategy held to some values, such as `{ tensorParallel: [8], pipelineParallel: [8, 16, 32] }`. */
export type Fixed = { readonly [K in keyof Strategy]?: readonly KeyValue[] };

/** What to search, for what, and under which conditions. */
export interface PlanRequest {
  /**
   * The question. Keys of its strategy that the run file left out (those in `defaultsFilledIn`) are open; the others stay as they are,
   * and so do the global batch, the accelerators and everything outside the strategy.
   */
  readonly scenario: Scenario;
  /** Open keys held to some values; goes before what the run file says. */
  readonly fix?: Fixed;
  /**
   * `step`, `tokens-per-dollar`, `days`, `cost`, `energy`, `headroom`, `accelerators` or another figure of an estimate, made small or large, whichever
   * is better; or an expression over figures, which is made small. `step` where not given.
   */
  readonly objective?: string;
  /** Sizes of the cluster to choose from; the scenario's own where not given. */
  readonly accelerators?: readonly number[];
  /** Seconds in which training must be done, failures and checkpoints included. */
  readonly deadlineSeconds?: number;
  /** What training may cost, in dollars. */
  readonly budgetDollars?: number;
  /** A condition that every plan meets, such as `memory.peakBytes < 72 GB and mfu > 0.4`. */
  readonly where?: string;
  /** How many plans, best first; 10 where not given. */
  readonly top?: number;
  /** Plans that differ in more than a detail: one for each set of degrees. */
  readonly diverse?: boolean;
  /** Figures over which the Pareto front is sought, such as `['step', 'memory']`; all of it joins the plans. */
  readonly pareto?: readonly string[];
  /** Stops the search; what was found until then is the result, with `complete` false. */
  readonly signal?: AbortSignal;
  /** Confirms candidates elsewhere, several at a time; in this thread where not given. */
  readonly evaluator?: Evaluator;
  /** Seconds on a clock of the caller's, for the time left; the search itself never looks at one. */
  readonly now?: () => number;
}

/** Where `evaluateStep` runs for a search: worker threads, or another machine. */
export interface Evaluator {
  /** How many strategies it can take at a time. */
  readonly parallel: number;
  evaluate(scenario: Scenario, strategies: readonly Strategy[]): Promise<readonly Evaluation[]>;
}

/** How far a search is; one comes every few milliseconds of work. */
export interface PlanProgress {
  /** Candidates whose memory, or memory and time, were worked out in closed form. */
  readonly evaluated: number;
  /** Candidates that were confirmed by `evaluateStep`. */
  readonly simulated: number;
  readonly rejectedByReason: RejectedByReason;
  readonly best: Plan | null;
  /** Confirmed plans so far, best first; better ones may take their places. */
  readonly plans: readonly Plan[];
  /** Of the work that is left as things stand, 0 to 1. */
  readonly fractionDone: number;
  /** Null where no clock was given or nothing can be said yet. */
  readonly secondsLeft: number | null;
}

/**
 * Why candidates are not among the plans. `memory`: does not fit. `bound`: proven to be worse than the plans. `condition`: breaks
 * `where`. `worse`: simulated and worse. Other keys are rules that candidates break: those of the degrees and of the framework.
 */
export type RejectedByReason = Readonly<Record<string, number>>;

/** A strategy that fits and meets the conditions. */
export interface Plan {
  readonly accelerators: number;
  readonly strategy: Strategy;
  readonly evaluation: Evaluation;
  /** The objective's value, smaller is better. */
  readonly score: number;
}

/** What came nearest to fitting where nothing did. */
export interface NearestMiss {
  readonly strategy: Strategy;
  /** In closed form; null where the strategy breaks a rule. */
  readonly evaluation: Evaluation | null;
  readonly reason: Infeasibility;
}

export interface PlanResult {
  /** Legal candidates that the answer speaks for: evaluated, or proven in groups to be no better or not to fit. */
  readonly searched: number;
  readonly evaluated: number;
  readonly simulated: number;
  /** Candidates found to fit and to meet the conditions in closed form; others may be among those that a bound ruled out. */
  readonly feasible: number;
  /** False where the search was stopped: better plans may then be left. */
  readonly complete: boolean;
  /** Best first. */
  readonly plans: readonly Plan[];
  /** Positions in `plans` that no other plan beats on all axes. */
  readonly pareto: readonly number[];
  readonly rejectedByReason: RejectedByReason;
  /** Null where there are plans. */
  readonly nearestMiss: NearestMiss | null;
}
