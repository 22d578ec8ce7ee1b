import type { FlopsConvention } from '../model/flops.js';
import { countParameters } from '../model/parameters.js';
import type { Scenario } from '../scenario/scenario.js';
import { evaluateStep } from '../simulation/evaluateStep.js';
import type { Evaluation } from '../simulation/evaluation.js';
import { type TrainingEstimate, trainingRun } from '../training/run.js';
import {
  type Interval,
  intervalLevel,
  inverselyScaled,
  scaled,
  type Uncertainty,
  uncertaintyOf,
} from '../uncertainty/intervals.js';
import { adviceFor } from './advice.js';
import type { Estimate, EstimatedMemory, FilledRun } from './estimateResult.js';
import { throughput } from './throughput.js';
import { warningsFor } from './warnings.js';

export interface EstimateOptions {
  /** How model FLOPs are counted for MFU and HFU; `megatron` where not given. */
  readonly flopsConvention?: FlopsConvention;
  /** Whether neighbouring strategies are evaluated as well; true where not given. */
  readonly advice?: boolean;
  /** `model` and `cluster` as the run file wrote them, for the echo in `run`. */
  readonly written?: { readonly model: string | object; readonly cluster: string | object };
  /** Names of preset figures that are guesses, for the warnings. */
  readonly estimatedFigures?: readonly string[];
  /** Memory and time where they are worked out already, as by `evaluate` in closed form; by `evaluateStep` where not given. */
  readonly evaluation?: Evaluation;
}

/** Does it fit, how fast is a step, when is training done, what does it cost. Throws `SlipwayError` on bad degrees. */
export function estimate(scenario: Scenario, options: EstimateOptions = {}): Estimate {
  const evaluation = options.evaluation ?? evaluateStep(scenario);
  const parameters = countParameters(scenario.model);
  const uncertainty = uncertaintyOf(scenario, evaluation);
  const { stepFactors } = uncertainty;
  const speed = throughput(scenario, evaluation, options.flopsConvention ?? 'megatron', parameters.active);
  const seconds = evaluation.stepSeconds;
  return {
    schemaVersion: 1,
    run: filledRun(scenario, evaluation, options.written),
    model: { name: scenario.model.name, parameters: parameters.total, activeParameters: parameters.active },
    memory: memoryOf(evaluation, uncertainty),
    step: {
      seconds,
      secondsInterval: scaled(seconds, stepFactors),
      method: evaluation.method,
      breakdown: evaluation.breakdown,
    },
    throughput: { ...speed, mfuInterval: inverselyScaled(speed.mfu, stepFactors) },
    training: withIntervals(trainingRun(scenario, seconds, parameters.total), stepFactors),
    uncertainty: { level: intervalLevel, outsideValidatedRange: uncertainty.outsideValidatedRange },
    warnings: warningsFor(scenario, evaluation, options.estimatedFigures ?? []),
    advice: options.advice === false ? [] : adviceFor(scenario, evaluation),
  };
}

function filledRun(scenario: Scenario, evaluation: Evaluation, written: EstimateOptions['written']): FilledRun {
  const { training, cluster } = scenario;
  const price = training.dollarsPerAcceleratorHour || cluster.dollarsPerAcceleratorHour;
  return {
    model: written?.model ?? scenario.model,
    cluster: written?.cluster ?? (cluster.id || cluster),
    accelerators: scenario.accelerators,
    strategy: scenario.strategy,
    sequenceLength: scenario.sequenceLength,
    framework: scenario.framework.id,
    frameworkVersion: scenario.framework.version,
    task: scenario.task,
    training: {
      ...(training.tokens > 0 ? { tokens: training.tokens } : {}),
      ...(price > 0 ? { dollarsPerAcceleratorHour: price } : {}),
    },
    dataParallel: evaluation.dataParallel,
    gradientAccumulation: evaluation.gradientAccumulation,
    defaultsFilledIn: scenario.defaultsFilledIn,
  };
}

/** Time to train and money follow the step; what failures add is no part of the interval. */
function withIntervals(run: TrainingEstimate, stepFactors: Interval): Estimate['training'] {
  return {
    ...run,
    daysInterval: run.days === null ? null : scaled(run.days, stepFactors),
    costUsdInterval: run.costUsd === null ? null : scaled(run.costUsd, stepFactors),
  };
}

function memoryOf(evaluation: Evaluation, uncertainty: Uncertainty): EstimatedMemory {
  return {
    peakBytes: evaluation.allocatedBytes,
    peakBytesInterval: scaled(evaluation.allocatedBytes, uncertainty.memoryFactors),
    probabilityOfNotFitting: uncertainty.probabilityOfNotFitting,
    reservedBytes: evaluation.reservedBytes,
    deviceBytes: evaluation.deviceBytes,
    capacityBytes: evaluation.capacityBytes,
    fits: evaluation.fits,
    hostBytes: evaluation.hostBytes,
    stages: evaluation.stages,
  };
}
