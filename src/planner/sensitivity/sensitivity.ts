import { SlipwayError } from '../../errors.js';
import type { FlopsConvention } from '../../model/flops.js';
import { countParameters } from '../../model/parameters.js';
import type { Scenario } from '../../scenario/scenario.js';
import { evaluateStep } from '../../simulation/evaluateStep.js';
import { trainingRun } from '../../training/run.js';
import { cellsOf } from '../sweep/figures.js';
import { throughput } from '../throughput.js';
import { countInputs, hardwareInputs, type SensitivityInput } from './inputs.js';

/** One end of a bar: the input multiplied, and what the metric then is; null where the strategy is not legal or means nothing there. */
export interface SensitivityEnd {
  readonly factor: number;
  readonly value: number | null;
  /** The metric's change as a fraction of what it is now. */
  readonly change: number | null;
  readonly fits: boolean;
  /** Why it cannot be run. */
  readonly reason: string | null;
}

export interface SensitivityBar {
  readonly key: string;
  readonly name: string;
  readonly low: SensitivityEnd;
  readonly high: SensitivityEnd;
  /** The larger of the two changes of the metric, as a fraction of what it is now. */
  readonly swing: number;
}

/** Which input moves an answer most: bars for a tornado chart, the longest first. */
export interface Sensitivity {
  readonly schemaVersion: 1;
  readonly metric: string;
  /** What it is now. */
  readonly value: number;
  /** Figures were changed by this fraction up and down. */
  readonly fraction: number;
  readonly figures: readonly SensitivityBar[];
  /** Whole numbers, halved and doubled. */
  readonly counts: readonly SensitivityBar[];
  /** Inputs that do not move it at all. */
  readonly without: readonly string[];
}

export interface SensitivityOptions {
  /** Dotted name of a figure of an estimate; `step.seconds` where not given. */
  readonly metric?: string;
  /** How far figures are changed; 0.1 where not given. */
  readonly fraction?: number;
  readonly flopsConvention?: FlopsConvention;
}

/** A change of less than a twentieth of a percent is no effect that anyone acts on. */
const NOTHING = 5e-4;

/** Changes each input by itself and evaluates anew. Throws where the scenario cannot be run as it is, or has no such figure. */
export function sensitivity(scenario: Scenario, options: SensitivityOptions = {}): Sensitivity {
  const { metric = 'step.seconds', fraction = 0.1, flopsConvention = 'megatron' } = options;
  const now = measured(scenario, metric, flopsConvention);
  if (now.value === null || now.value === 0) {
    throw new SlipwayError('invalid-run-file', `${metric} has no value here, so nothing can move it`, {
      key: '--metric',
    });
  }
  const value = now.value;
  const bars = (inputs: readonly SensitivityInput[], low: number, high: number): SensitivityBar[] =>
    inputs.map(({ key, name, scaled }) => {
      const end = (factor: number): SensitivityEnd => {
        const found = tried(() => scaled(scenario, factor), metric, flopsConvention);
        return { factor, ...found, change: found.value === null ? null : found.value / value - 1 };
      };
      const ends = { low: end(low), high: end(high) };
      const swing = Math.max(Math.abs(ends.low.change ?? 0), Math.abs(ends.high.change ?? 0));
      return { key, name, ...ends, swing };
    });
  const figures = bars(hardwareInputs, 1 - fraction, 1 + fraction);
  const counts = bars(countInputs, 0.5, 2).filter(({ low, high }) => low.value !== null || high.value !== null);
  const moving = (list: readonly SensitivityBar[]): SensitivityBar[] =>
    list.filter(({ swing }) => swing > NOTHING).sort((a, b) => b.swing - a.swing);
  return {
    schemaVersion: 1,
    metric,
    value,
    fraction,
    figures: moving(figures),
    counts: moving(counts),
    without: [...figures, ...counts].filter(({ swing }) => swing <= NOTHING).map(({ name }) => name),
  };
}

type Measured = Omit<SensitivityEnd, 'factor' | 'change'>;

function tried(make: () => Scenario | undefined, metric: string, convention: FlopsConvention): Measured {
  try {
    const scenario = make();
    if (scenario === undefined) return { value: null, fits: false, reason: null };
    return measured(scenario, metric, convention);
  } catch (error) {
    if (!(error instanceof SlipwayError)) throw error;
    return { value: null, fits: false, reason: error.message };
  }
}

function measured(scenario: Scenario, metric: string, convention: FlopsConvention): Measured {
  const evaluation = evaluateStep(scenario);
  const parameters = countParameters(scenario.model);
  const answer = {
    scenario,
    evaluation,
    throughput: throughput(scenario, evaluation, convention, parameters.active),
    training: trainingRun(scenario, evaluation.stepSeconds, parameters.total),
  };
  const [value] = cellsOf(answer, [metric]);
  return { value: typeof value === 'number' ? value : null, fits: evaluation.fits, reason: null };
}
