import type { SustainedFamily } from '../../hardware/accelerator.js';
import type { Cluster } from '../../hardware/cluster.js';
import { onHosts } from '../../scenario/resolveScenario.js';
import type { Scenario } from '../../scenario/scenario.js';
import { evaluateStep } from '../../simulation/evaluateStep.js';
import { median } from '../statistics.js';
import { smallFit, type Unknown } from './smallFit.js';
import { rankJitter, type SteadySteps } from './steadySteps.js';

/** A run of the user's, resolved, and the steps that its log tells. */
export interface LoggedSteps {
  readonly scenario: Scenario;
  readonly steps: SteadySteps;
}

export interface FittedSteps {
  readonly cluster: Cluster;
  /** Signed errors of each run, before and after. */
  readonly before: readonly number[];
  readonly after: readonly number[];
}

/** Spread of steps is taken for jitter from so many steps on. */
const enoughSteps = 10;
const mostJitter = 0.05;

/**
 * Refits what a training step sustains of kernels measured alone, how fast the hosts are and how far ranks differ, to steps of own runs.
 * A single run says little about which of them it is: each stays near what the preset says, the host's time least so.
 */
export function calibrateSteps(cluster: Cluster, runs: readonly LoggedSteps[]): FittedSteps {
  const families: readonly SustainedFamily[] = [...new Set(runs.map(({ scenario }) => familyOf(scenario)))];
  const jitters = runs
    .filter(({ steps, scenario }) => steps.kept >= enoughSteps && scenario.accelerators > 1)
    .map(({ steps, scenario }) => Math.min(mostJitter, rankJitter(steps.spread, scenario.accelerators)));
  const jitter = Number((median(jitters) ?? cluster.jitter).toPrecision(3));
  const { sustained } = cluster.accelerator;
  const kernel = (family: SustainedFamily): Unknown => {
    return { expected: sustained[family], spread: 0.1, low: 0.3, high: 1.3 };
  };
  const unknowns = [
    ...families.map(kernel),
    kernel('attention'),
    { expected: cluster.hostTimeFactor, spread: 0.4, low: 0.2, high: 5 },
  ];
  const changed = (values: readonly number[]): Cluster => {
    const rates = Object.fromEntries([...families, 'attention'].map((family, index) => [family, values[index]]));
    const accelerator = { ...cluster.accelerator, sustained: { ...sustained, ...rates } };
    return { ...cluster, accelerator, hostTimeFactor: values.at(-1) ?? 1, jitter };
  };
  const values = smallFit(unknowns, runs.length, (row, tried) => Math.log1p(stepError(changed(tried), runs[row])));
  const fitted = changed(values);
  const errors = (one: Cluster): number[] => runs.map((run) => stepError(one, run));
  return { cluster: fitted, before: errors(cluster), after: errors(fitted) };
}

function stepError(cluster: Cluster, run: LoggedSteps | undefined): number {
  if (run === undefined) return 0;
  return evaluateStep(onCluster(run.scenario, cluster)).stepSeconds / run.steps.seconds - 1;
}

/** The run on the cluster as calibrated so far; `resolveScenario` has put it on hosts as the preset says, with factor 1. */
function onCluster(scenario: Scenario, cluster: Cluster): Scenario {
  return { ...scenario, cluster, framework: onHosts(scenario.framework, cluster) };
}

function familyOf({ strategy: { precision } }: Scenario): SustainedFamily {
  if (precision === 'nvfp4') return 'fp4';
  return precision === 'fp8' || precision === 'mxfp8' ? precision : 'bf16';
}
