import type { Scenario } from '../scenario/scenario.js';
import type { Evaluation } from '../simulation/evaluation.js';
import { errorsLike, middleOf, type RunKind, shareAbove, type WeightedErrors } from './errorDistribution.js';
import { isOutsideValidatedRange } from './outsideRange.js';
import type { ResidualTable } from './residualCell.js';
import { memoryResiduals, stepResiduals } from './residualTable.js';

/** Low and high end of what holds for 80 % of like runs. */
export type Interval = readonly [low: number, high: number];

/** What the measured figures may be, from how wrong predictions of like published runs were that were not fitted to. */
export interface Uncertainty {
  /** No published run is like this one, so the intervals are wider. */
  readonly outsideValidatedRange: boolean;
  /** Factors on the predicted step time. */
  readonly stepFactors: Interval;
  /** Factors on the predicted memory. */
  readonly memoryFactors: Interval;
  /** That the fullest accelerator runs out of memory. */
  readonly probabilityOfNotFitting: number;
}

/** The share of like runs that an interval holds. */
export const intervalLevel = 0.8;

/** `withoutFamily` leaves the published runs of one source out: for the prediction of one of them. */
export function uncertaintyOf(scenario: Scenario, evaluation: Evaluation, withoutFamily?: string): Uncertainty {
  const kind = kindOf(scenario);
  const outside = isOutsideValidatedRange(scenario);
  const stepErrors = errorsLike(kind, stepResiduals.cells, withoutFamily);
  const memoryErrors = errorsLike(kind, memoryResiduals.cells, withoutFamily);
  const memoryWidening = wideningOf(memoryResiduals, outside);
  const room = Math.log(evaluation.capacityBytes / evaluation.deviceBytes);
  return {
    outsideValidatedRange: outside,
    stepFactors: factors(stepErrors, wideningOf(stepResiduals, outside)),
    memoryFactors: factors(memoryErrors, memoryWidening),
    probabilityOfNotFitting: shareAbove(memoryErrors, room, memoryWidening),
  };
}

/** The interval of a figure that grows with the factors (time, days, dollars, bytes). */
export function scaled(value: number, [low, high]: Interval): Interval {
  return [value * low, value * high];
}

/** The interval of a figure that falls as they grow (utilisation, tokens per second). */
export function inverselyScaled(value: number, [low, high]: Interval): Interval {
  return [value / high, value / low];
}

export function kindOf({ cluster, framework, model, accelerators }: Scenario): RunKind {
  const { id: accelerator, generation } = cluster.accelerator;
  return { accelerator, generation, framework: framework.id, mixtureOfExperts: model.moe !== null, accelerators };
}

function factors(errors: WeightedErrors, widening: number): Interval {
  const { low, high } = middleOf(errors);
  return [Math.exp(low * widening), Math.exp(high * widening)];
}

function wideningOf({ widening }: ResidualTable, outside: boolean): number {
  return outside ? widening.outside : widening.inside;
}
