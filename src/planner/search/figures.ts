import type { Architecture } from '../../model/architecture.js';
import { countParameters, type ParameterCounts } from '../../model/parameters.js';
import type { Range } from '../../quantity/rangeExpression.js';
import type { Dimension } from '../../quantity/units.js';
import type { Scenario } from '../../scenario/scenario.js';
import { breakdownKeys, type Evaluation, type StepBreakdown } from '../../simulation/evaluation.js';
import { type TrainingEstimate, trainingRun } from '../../training/run.js';
import { uncertaintyOf } from '../../uncertainty/intervals.js';
import { throughput } from '../throughput.js';

/** What is known of a candidate, or of a group of them. */
export interface Known {
  readonly scenario: Scenario;
  /** The step's time, or where it is not `confirmed` a bound that it is not below. */
  readonly stepSeconds: number;
  readonly confirmed?: boolean;
  /** Memory and FLOPs; null for a group. */
  readonly evaluation: Evaluation | null;
}

export interface Figure {
  /** Path in the JSON of `estimate`. */
  readonly path: string;
  readonly aliases: readonly string[];
  readonly dimension: Dimension;
  /** Whether more of it is better; objectives and Pareto axes then seek much of it. */
  readonly more: boolean;
  /** Undefined where the run file does not give what the figure depends on. */
  range(known: Known): Range | undefined;
}

const anything: Range = [0, Number.POSITIVE_INFINITY];

/** Grows with the step. */
function rising(of: (known: Known) => number | null): Figure['range'] {
  return (known) => {
    const value = of(known);
    return value === null ? undefined : [value, known.confirmed === true ? value : Number.POSITIVE_INFINITY];
  };
}

/** Falls towards 0 as the step grows. */
function falling(of: (known: Known) => number | null): Figure['range'] {
  return (known) => {
    const value = of(known);
    return value === null ? undefined : [known.confirmed === true ? value : 0, value];
  };
}

/** Independent of the step, known once the candidate is. */
function memory(of: (evaluation: Evaluation) => number, unknown: Range = anything): Figure['range'] {
  return ({ evaluation }) => {
    if (evaluation === null) return unknown;
    const value = of(evaluation);
    return [value, value];
  };
}

function figure(path: string, dimension: Dimension, range: Figure['range'], aliases: readonly string[] = []): Figure {
  const more = /^throughput\.|headroom|capacity|goodput/.test(path);
  return { path, aliases: [path.split('.').at(-1) ?? path, ...aliases], dimension, more, range };
}

function training(key: keyof TrainingEstimate, dimension: Dimension, aliases: readonly string[] = []): Figure {
  return figure(
    `training.${key}`,
    dimension,
    rising((known) => runOf(known)[key]),
    aliases,
  );
}

function runOf({ scenario, stepSeconds }: Known): TrainingEstimate {
  return trainingRun(scenario, stepSeconds, parametersOf(scenario.model).total);
}

const counted = new WeakMap<Architecture, ParameterCounts>();

function parametersOf(model: Architecture): ParameterCounts {
  const known = counted.get(model) ?? countParameters(model);
  counted.set(model, known);
  return known;
}

type ThroughputKey = 'tokensPerSecond' | 'tokensPerSecondPerAccelerator' | 'modelTflopsPerAccelerator' | 'mfu' | 'hfu';

function speed(key: ThroughputKey): Figure {
  return figure(`throughput.${key}`, key === 'mfu' || key === 'hfu' ? 'ratio' : 'count', (known) => {
    // Recomputed FLOPs of a group are not known.
    if (key === 'hfu' && known.evaluation === null) return anything;
    return falling(throughputOf(key))(known);
  });
}

function throughputOf(key: ThroughputKey): (known: Known) => number {
  return ({ scenario, stepSeconds, evaluation }) => {
    const flops = evaluation ?? { modelFlops: 0, hardwareFlops: 0 };
    return throughput(scenario, { ...flops, stepSeconds }, 'megatron', parametersOf(scenario.model).active)[key];
  };
}

/** Tokens for a dollar at the price of the run file or the cluster; undefined without one. */
function tokensPerDollar({ scenario, stepSeconds }: Known): number | null {
  const { training: run, cluster, accelerators, strategy, sequenceLength } = scenario;
  const price = run.dollarsPerAcceleratorHour || cluster.dollarsPerAcceleratorHour;
  if (price <= 0) return null;
  return (strategy.globalBatchSize * sequenceLength * 3600) / (stepSeconds * accelerators * price);
}

function part(key: keyof StepBreakdown): Figure {
  return figure(`step.breakdown.${key}`, 'seconds', ({ evaluation, confirmed }) => {
    if (evaluation === null || confirmed !== true) return anything;
    return [evaluation.breakdown[key], evaluation.breakdown[key]];
  });
}

const degreeKeys = [
  'tensorParallel',
  'contextParallel',
  'pipelineParallel',
  'virtualStages',
  'expertParallel',
  'expertTensorParallel',
  'microBatchSize',
  'globalBatchSize',
  'recomputeLayers',
] as const;

function degree(key: (typeof degreeKeys)[number]): Figure {
  return figure(`strategy.${key}`, 'count', ({ scenario, evaluation }) =>
    evaluation === null ? anything : [scenario.strategy[key], scenario.strategy[key]],
  );
}

const everything: Range = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];

/** All that objectives and conditions can ask for. */
export const figures: readonly Figure[] = [
  figure(
    'step.seconds',
    'seconds',
    rising((known) => known.stepSeconds),
    ['step', 'stepSeconds'],
  ),
  ...breakdownKeys.map(part),
  figure(
    'memory.peakBytes',
    'bytes',
    memory((e) => e.allocatedBytes),
    ['memory'],
  ),
  figure(
    'memory.reservedBytes',
    'bytes',
    memory((e) => e.reservedBytes),
  ),
  figure(
    'memory.deviceBytes',
    'bytes',
    memory((e) => e.deviceBytes),
  ),
  figure('memory.capacityBytes', 'bytes', ({ scenario }) => {
    const { usableMemoryBytes } = scenario.cluster.accelerator;
    return [usableMemoryBytes, usableMemoryBytes];
  }),
  figure(
    'memory.headroomBytes',
    'bytes',
    memory((e) => e.capacityBytes - e.deviceBytes, everything),
    ['headroom'],
  ),
  figure(
    'memory.hostBytes',
    'bytes',
    memory((e) => e.hostBytes),
  ),
  figure(
    'memory.probabilityOfNotFitting',
    'ratio',
    ({ scenario, evaluation }) => {
      if (evaluation === null) return [0, 1];
      const { probabilityOfNotFitting } = uncertaintyOf(scenario, evaluation);
      return [probabilityOfNotFitting, probabilityOfNotFitting];
    },
    ['risk'],
  ),
  speed('tokensPerSecond'),
  speed('tokensPerSecondPerAccelerator'),
  speed('modelTflopsPerAccelerator'),
  speed('mfu'),
  speed('hfu'),
  figure('throughput.tokensPerDollar', 'count', falling(tokensPerDollar), ['tokens-per-dollar']),
  training('seconds', 'seconds'),
  training('days', 'count'),
  training('acceleratorHours', 'count'),
  training('costUsd', 'dollars', ['cost']),
  training('energyKwh', 'count', ['energy']),
  training('tonnesCo2', 'count'),
  figure('run.accelerators', 'count', ({ scenario }) => [scenario.accelerators, scenario.accelerators]),
  ...degreeKeys.map(degree),
];

const byName = new Map<string, Figure>();
for (const one of figures) {
  byName.set(one.path, one);
  for (const alias of one.aliases) if (!byName.has(alias)) byName.set(alias, one);
}

/** Whether the name is a figure of which more is better. */
export function isBetterLarge(name: string): boolean {
  return figureOf(name)?.more === true;
}

/** A figure by its path in the JSON of `estimate`, by the path's last word or by a short name; undefined for none. */
export function figureOf(name: string): Figure | undefined {
  return byName.get(name);
}

export function figureNames(): readonly string[] {
  return [...byName.keys()];
}
