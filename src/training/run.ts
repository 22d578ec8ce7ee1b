import type { Scenario } from '../scenario/scenario.js';
import { reliability } from './reliability.js';

/** The whole run. Null where the run file does not give what it depends on: tokens, or a price. */
export interface TrainingEstimate {
  readonly tokens: number | null;
  readonly steps: number | null;
  /** Wall-clock time, failures and checkpoints included. */
  readonly seconds: number | null;
  readonly days: number | null;
  readonly acceleratorHours: number | null;
  /** Useful time over wall-clock time. */
  readonly goodput: number;
  readonly costUsd: number | null;
  /** At the facility's meter. */
  readonly energyKwh: number | null;
  readonly tonnesCo2: number | null;
}

/** From the time of one step to the end of training. `parameters` are all of the model's. */
export function trainingRun(scenario: Scenario, stepSeconds: number, parameters: number): TrainingEstimate {
  const { cluster, accelerators, strategy, sequenceLength, training } = scenario;
  const { goodput } = reliability(accelerators, parameters, cluster.accelerator.hostBytesPerSecond);
  if (training.tokens === 0) return { ...unknownRun, goodput };
  const steps = Math.ceil(training.tokens / (strategy.globalBatchSize * sequenceLength));
  const seconds = (steps * stepSeconds) / goodput;
  const acceleratorHours = (seconds / 3600) * accelerators;
  const price = training.dollarsPerAcceleratorHour || cluster.dollarsPerAcceleratorHour;
  const energyKwh = (acceleratorHours * cluster.wattsPerAccelerator * cluster.powerUsageEffectiveness) / 1000;
  return {
    tokens: training.tokens,
    steps,
    seconds,
    days: seconds / 86_400,
    acceleratorHours,
    goodput,
    costUsd: price > 0 ? acceleratorHours * price : null,
    energyKwh: cluster.wattsPerAccelerator > 0 ? energyKwh : null,
    tonnesCo2: cluster.wattsPerAccelerator > 0 ? (energyKwh * cluster.gramsCo2PerKwh) / 1e6 : null,
  };
}

const unknownRun = {
  tokens: null,
  steps: null,
  seconds: null,
  days: null,
  acceleratorHours: null,
  costUsd: null,
  energyKwh: null,
  tonnesCo2: null,
} as const;
