import type { Accelerator, CollectiveKind } from '../../hardware/accelerator.js';
import type { Cluster } from '../../hardware/cluster.js';
import type { Framework } from '../../parallelism/framework.js';
import type { Scenario } from '../../scenario/scenario.js';

/** Something that an answer depends on and that can be larger or smaller. */
export interface SensitivityInput {
  /** Where it is in the run file or in a preset; for several figures that go together, the one that names them. */
  readonly key: string;
  /** In words, for a chart. */
  readonly name: string;
  /** The scenario with the input multiplied, or undefined where that means nothing. */
  readonly scaled: (scenario: Scenario, factor: number) => Scenario | undefined;
}

type NumberKey<T> = { [K in keyof T]: T[K] extends number ? K : never }[keyof T] & string;

function accelerator(
  key: string,
  name: string,
  change: (a: Accelerator, factor: number) => Partial<Accelerator>,
): SensitivityInput {
  return {
    key: `cluster.accelerator.${key}`,
    name,
    scaled: (scenario, factor) => {
      const { cluster } = scenario;
      const changed = { ...cluster.accelerator, ...change(cluster.accelerator, factor) };
      return { ...scenario, cluster: { ...cluster, accelerator: changed } };
    },
  };
}

function cluster(key: NumberKey<Cluster>, name: string, most = Number.POSITIVE_INFINITY): SensitivityInput {
  return {
    key: `cluster.${key}`,
    name,
    scaled: (scenario, factor) => {
      const value = scenario.cluster[key];
      if (value === 0) return undefined;
      return { ...scenario, cluster: { ...scenario.cluster, [key]: Math.min(most, value * factor) } };
    },
  };
}

function framework(key: NumberKey<Framework>, name: string): SensitivityInput {
  return {
    key: `framework.${key}`,
    name,
    scaled: (scenario, factor) => {
      const value = scenario.framework[key];
      return value === 0 ? undefined : { ...scenario, framework: { ...scenario.framework, [key]: value * factor } };
    },
  };
}

function scaledAll<K extends string>(numbers: Readonly<Record<K, number>>, factor: number): Record<K, number> {
  return Object.fromEntries(Object.entries(numbers).map(([key, value]) => [key, Number(value) * factor])) as Record<
    K,
    number
  >;
}

/** Link rate and the collectives measured on it. */
function fasterLink(a: Accelerator, factor: number): Partial<Accelerator> {
  const kinds = Object.keys(a.collectives) as CollectiveKind[];
  const collectives = Object.fromEntries(
    kinds.map((kind) => [
      kind,
      a.collectives[kind].map((curve) => ({ ...curve, busBytesPerSecond: curve.busBytesPerSecond * factor })),
    ]),
  ) as unknown as Accelerator['collectives'];
  return { scaleUpBytesPerSecond: a.scaleUpBytesPerSecond * factor, collectives };
}

/** The hardware's figures and the framework's, each on its own. */
export const hardwareInputs: readonly SensitivityInput[] = [
  accelerator('peakFlopsPerSecond', 'peak FLOP/s', (a, f) => ({
    peakFlopsPerSecond: scaledAll(a.peakFlopsPerSecond, f),
  })),
  accelerator('sustained', 'sustained share of the peak', (a, f) => ({ sustained: scaledAll(a.sustained, f) })),
  accelerator('attention', 'attention efficiency', (a, f) => ({
    attention: a.attention.map((curve) => ({
      ...curve,
      points: curve.points.map(([at, value]) => [at, value * f] as const),
    })),
  })),
  accelerator('groupedGemm', 'efficiency of expert GEMMs', (a, f) => ({
    groupedGemm: a.groupedGemm.map(([at, value]) => [at, Math.min(1, value * f)] as const),
  })),
  accelerator('memoryBytesPerSecond', 'HBM bandwidth', (a, f) => ({
    memoryBytesPerSecond: a.memoryBytesPerSecond * f,
  })),
  accelerator('memoryBytes', 'HBM size', (a, f) => ({
    memoryBytes: a.memoryBytes * f,
    usableMemoryBytes: a.usableMemoryBytes * f,
  })),
  accelerator('scaleUpBytesPerSecond', 'scale-up link', fasterLink),
  accelerator('hostBytesPerSecond', 'host link', (a, f) => ({ hostBytesPerSecond: a.hostBytesPerSecond * f })),
  accelerator('overlapContention', 'contention of overlap', (a, f) => ({
    overlapContention: Math.max(1, a.overlapContention * f),
  })),
  cluster('nodeNetworkBytesPerSecond', 'node network'),
  cluster('networkLatencySeconds', 'network latency'),
  cluster('wattsPerAccelerator', 'watts per accelerator'),
  cluster('powerUsageEffectiveness', 'power usage effectiveness'),
  cluster('gramsCo2PerKwh', 'CO2 of the grid'),
  framework('hostLaunchSeconds', 'host time of a launch'),
  framework('hostLayerSeconds', 'host time of a layer'),
  framework('stepOverheadSeconds', 'fixed time of a step'),
  framework('jitter', 'jitter of a rank'),
  {
    key: 'training.tokens',
    name: 'tokens',
    scaled: (scenario, factor) => {
      const { training } = scenario;
      return training.tokens === 0
        ? undefined
        : { ...scenario, training: { ...training, tokens: training.tokens * factor } };
    },
  },
  {
    key: 'training.dollarsPerAcceleratorHour',
    name: 'price of an hour',
    scaled: (scenario, factor) => {
      const price = scenario.training.dollarsPerAcceleratorHour || scenario.cluster.dollarsPerAcceleratorHour;
      if (price === 0) return undefined;
      return { ...scenario, training: { ...scenario.training, dollarsPerAcceleratorHour: price * factor } };
    },
  },
];

function strategy(
  key:
    | 'tensorParallel'
    | 'contextParallel'
    | 'pipelineParallel'
    | 'virtualStages'
    | 'expertParallel'
    | 'microBatchSize'
    | 'globalBatchSize',
  name: string,
): SensitivityInput {
  return {
    key: `strategy.${key}`,
    name,
    scaled: (scenario, factor) => {
      const value = scenario.strategy[key] * factor;
      if (!Number.isInteger(value)) return undefined;
      return { ...scenario, strategy: { ...scenario.strategy, [key]: value } };
    },
  };
}

/** Whole numbers: a tenth more of them means nothing, half and twice do. */
export const countInputs: readonly SensitivityInput[] = [
  strategy('tensorParallel', 'tensorParallel'),
  strategy('contextParallel', 'contextParallel'),
  strategy('pipelineParallel', 'pipelineParallel'),
  strategy('virtualStages', 'virtualStages'),
  strategy('expertParallel', 'expertParallel'),
  strategy('microBatchSize', 'microBatchSize'),
  strategy('globalBatchSize', 'globalBatchSize'),
  {
    key: 'accelerators',
    name: 'accelerators',
    scaled: (scenario, factor) =>
      Number.isInteger(scenario.accelerators * factor)
        ? { ...scenario, accelerators: scenario.accelerators * factor }
        : undefined,
  },
  {
    key: 'sequenceLength',
    name: 'sequenceLength',
    scaled: (scenario, factor) =>
      Number.isInteger(scenario.sequenceLength * factor)
        ? { ...scenario, sequenceLength: scenario.sequenceLength * factor }
        : undefined,
  },
];
