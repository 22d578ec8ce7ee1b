import type { FlopsConvention } from '../model/flops.js';
import { countParameters } from '../model/parameters.js';
import type { Scenario } from '../scenario/scenario.js';
import { evaluateStep } from '../simulation/evaluateStep.js';
import type { Evaluation } from '../simulation/evaluation.js';
import { trainingRun } from '../training/run.js';
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
}

/** Does it fit, how fast is a step, when is training done, what does it cost. Throws `SlipwayError` on bad degrees. */
export function estimate(scenario: Scenario, options: EstimateOptions = {}): Estimate {
  const evaluation = evaluateStep(scenario);
  const parameters = countParameters(scenario.model);
  return {
    schemaVersion: 1,
    run: filledRun(scenario, evaluation, options.written),
    model: { name: scenario.model.name, parameters: parameters.total, activeParameters: parameters.active },
    memory: memoryOf(evaluation),
    step: { seconds: evaluation.stepSeconds, method: evaluation.method, breakdown: evaluation.breakdown },
    throughput: throughput(scenario, evaluation, options.flopsConvention ?? 'megatron', parameters.active),
    training: trainingRun(scenario, evaluation.stepSeconds, parameters.total),
    warnings: warningsFor(scenario, evaluation, options.estimatedFigures ?? []),
    advice: options.advice === false ? [] : adviceFor(scenario),
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

function memoryOf(evaluation: Evaluation): EstimatedMemory {
  return {
    peakBytes: evaluation.allocatedBytes,
    reservedBytes: evaluation.reservedBytes,
    deviceBytes: evaluation.deviceBytes,
    capacityBytes: evaluation.capacityBytes,
    fits: evaluation.fits,
    hostBytes: evaluation.hostBytes,
    stages: evaluation.stages,
  };
}
