import { SlipwayError } from '../../errors.js';
import type { Scenario } from '../../scenario/scenario.js';
import { evaluate, verdict } from '../../simulation/closedForm.js';
import { evaluateStep } from '../../simulation/evaluateStep.js';
import type { Evaluation } from '../../simulation/evaluation.js';
import { keyOf } from './axis.js';
import type { SweepDefinition } from './definition.js';
import { keyAt, Memo } from './memo.js';

/**
 * Keys that a step does not depend on: sizes of memories decide whether a plan fits and nothing else (`verdict`), the rest is about the
 * whole training run.
 */
const besideTheStep = new Set([
  'cluster.accelerator.memoryBytes',
  'cluster.accelerator.usableMemoryBytes',
  'cluster.accelerator.watts',
  'cluster.hostMemoryBytes',
  'cluster.nvmeBytes',
  'cluster.maxAccelerators',
  'cluster.dollarsPerAcceleratorHour',
  'cluster.wattsPerAccelerator',
  'cluster.powerUsageEffectiveness',
  'cluster.gramsCo2PerKwh',
  'training.tokens',
  'training.dollarsPerAcceleratorHour',
]);

/** Memory and time of the points of a sweep; points that differ only in what is beside the step share the work. */
export class PointEvaluations {
  readonly #evaluate: (scenario: Scenario) => Evaluation;
  readonly #known = new Memo<Evaluation | SlipwayError>();
  /** Axes that a step depends on, as indices; undefined where that is all of them and nothing can be shared. */
  readonly #step: readonly number[] | undefined;

  constructor({ axes, method }: SweepDefinition) {
    this.#evaluate = method === 'closed-form' ? evaluate : evaluateStep;
    const step = [...axes.keys()].filter((index) => {
      const axis = axes[index];
      return axis === undefined || !besideTheStep.has(keyOf(axis));
    });
    this.#step = step.length < axes.length ? step : undefined;
  }

  /** Throws `SlipwayError` where the degrees break a rule. */
  of(scenario: Scenario, digits: readonly number[]): Evaluation {
    if (this.#step === undefined) return this.#evaluate(scenario);
    const known = this.#known.get(keyAt(this.#step, digits), () => {
      try {
        // Rows hold nothing of single stages, which would be most of what is remembered.
        return { ...this.#evaluate(scenario), stages: [] };
      } catch (error) {
        if (error instanceof SlipwayError) return error;
        throw error;
      }
    });
    if (known instanceof SlipwayError) throw known;
    return { ...known, ...verdict(scenario, known.deviceBytes, known.hostBytes) };
  }
}
