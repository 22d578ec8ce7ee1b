import type { MeasuredRun } from '../../src/calibration/runs.js';
import type { Outcome } from '../../src/calibration/score.js';
import type { Prediction } from '../../src/calibration/validate.js';
import type { Architecture } from '../../src/model/architecture.js';
import type { Strategy } from '../../src/parallelism/strategy.js';
import type { Scenario } from '../../src/scenario/scenario.js';
import type { Evaluation } from '../../src/simulation/evaluation.js';

let rows = 0;

export function measuredRun(overrides: Partial<MeasuredRun> = {}): MeasuredRun {
  rows += 1;
  return {
    id: `run-${rows}`,
    family: 'paper',
    run: {},
    stated: {},
    unknown: [],
    problems: [],
    measured: {},
    ...overrides,
  };
}

/** A row of `family` that took `measured` seconds and was predicted to take `predicted`. */
export function outcome(
  family: string,
  measured: number,
  predicted: number,
  overrides: Partial<Outcome> = {},
): Outcome {
  return {
    run: measuredRun({ family, measured: { stepSeconds: measured } }),
    skipped: null,
    predictedSeconds: predicted,
    predictedPeakBytes: null,
    fits: true,
    ...overrides,
  };
}

/** Two layers of width 4 on one accelerator of 1 FLOP/s: every FLOP of the baseline can be counted by hand. */
export const tinyModel = {
  numLayers: 2,
  hiddenSize: 4,
  numAttentionHeads: 2,
  numKeyValueHeads: 2,
  headDim: 2,
  intermediateSize: 16,
  vocabSize: 10,
  gatedMlp: false,
  mla: null,
  moe: null,
} as Architecture;

export function scenario(
  strategy: Partial<Strategy> = {},
  model: Architecture = tinyModel,
  accelerators = 1,
): Scenario {
  const degrees = { tensorParallel: 1, pipelineParallel: 1, contextParallel: 1, virtualStages: 1 };
  const peakFlopsPerSecond = { fp32: 0, tf32: 0, fp16: 1, bf16: 1, fp8: 2, fp4: 0 };
  return {
    model,
    accelerators,
    sequenceLength: 8,
    framework: { id: 'megatron' },
    cluster: { accelerator: { id: 'tiny', peakFlopsPerSecond } },
    strategy: { ...degrees, microBatchSize: 1, globalBatchSize: 1, precision: 'bf16', recompute: 'none', ...strategy },
  } as Scenario;
}

export function prediction(evaluation: Partial<Evaluation>, on: Scenario = scenario()): Prediction {
  const memory = { deviceBytes: 1, capacityBytes: 2 };
  const complete = { feasible: true, reasons: [], stepSeconds: 1, fits: true, ...memory, ...evaluation };
  return { scenario: on, evaluation: complete as Evaluation };
}
