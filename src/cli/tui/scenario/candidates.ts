import type { Scenario } from '../../../index.js';
import { chunksPerStage } from '../../../parallelism/degrees.js';
import { layerSplits } from '../../../planner/search/pipelineChoices.js';
import { moduleSubsets } from '../../../planner/search/stateChoices.js';
import { listPresets } from '../../../scenario/presetFiles.js';
import type { Field } from './fields.js';

/** Values that stepping through a field tries, in their order. Which of them are legal is for the planner to say. */
export function candidatesOf(field: Field, scenario: Scenario | undefined): readonly unknown[] {
  switch (field.kind) {
    case 'boolean':
      return [false, true];
    case 'choice':
      return field.choices;
    case 'preset':
      return listPresets(field.key === 'model' ? 'models' : 'clusters');
    case 'list':
      return scenario === undefined ? [] : (listsOf[field.key]?.(scenario) ?? []);
    case 'derived':
      return [];
    default:
      return numbers(field.key, scenario);
  }
}

function numbers(key: string, scenario: Scenario | undefined): readonly number[] {
  const usual = powersOfTwo(1, 1 << 20);
  if (key === 'training.tokens') return oneTwoFive(1e9, 1e15);
  if (key === 'training.dollarsPerAcceleratorHour') return Array.from({ length: 80 }, (_, i) => (i + 1) / 4);
  if (key === 'sequenceLength') return powersOfTwo(256, 1 << 21);
  if (key === 'strategy.optimizerOffloadFraction') return Array.from({ length: 11 }, (_, i) => i / 10);
  return scenario === undefined ? usual : (numbersOf[key]?.(scenario) ?? []);
}

/** What a count must divide, or be divided by, decides which values are worth a try. */
const numbersOf: Readonly<Record<string, (scenario: Scenario) => readonly number[]>> = {
  accelerators: ({ strategy: s, cluster }) => {
    const group = s.tensorParallel * s.contextParallel * s.pipelineParallel;
    const replicas = divisors(s.globalBatchSize / s.microBatchSize);
    const nodes = powersOfTwo(1, 1 << 14).map((count) => count * cluster.acceleratorsPerNode);
    return sorted([...replicas.map((count) => count * group), ...nodes]);
  },
  'strategy.tensorParallel': ({ accelerators }) => divisors(accelerators).filter((n) => n <= 256),
  'strategy.contextParallel': ({ accelerators }) => divisors(accelerators).filter((n) => n <= 1024),
  'strategy.pipelineParallel': ({ accelerators, model }) =>
    divisors(accelerators).filter((n) => n <= model.numLayers + 2),
  'strategy.virtualStages': ({ model, strategy }) =>
    upTo(Math.max(1, Math.ceil((model.numLayers + 2) / strategy.pipelineParallel))),
  'strategy.expertParallel': ({ model }) => divisors(model.moe?.numExperts ?? 1),
  'strategy.expertTensorParallel': ({ accelerators }) => divisors(accelerators).filter((n) => n <= 256),
  'strategy.shardGroupSize': ({ accelerators, strategy: s }) => [
    0,
    ...divisors(accelerators / (s.tensorParallel * s.pipelineParallel)),
  ],
  'strategy.microBatchSize': (scenario) => divisors(scenario.strategy.globalBatchSize / dataParallelOf(scenario)),
  'strategy.globalBatchSize': (scenario) => {
    const unit = dataParallelOf(scenario) * scenario.strategy.microBatchSize;
    return sorted([...upTo(8), ...powersOfTwo(1, 1 << 14), ...powersOfTwo(1, 1 << 13).map((n) => 3 * n)]).map(
      (count) => count * unit,
    );
  },
  'strategy.recomputeLayers': ({ model }) => [0, ...upTo(model.numLayers)],
  'strategy.activationOffloadLayers': ({ model }) => [0, ...upTo(model.numLayers)],
};

/** Lists that a search would try, after the empty one, which leaves it to the framework. */
const listsOf: Readonly<Record<string, (scenario: Scenario) => readonly (readonly unknown[])[]>> = {
  'strategy.recomputeModules': (scenario) => [[], ...moduleSubsets(scenario)],
  'strategy.stageLayers': ({ model, strategy: s }) =>
    layerSplits(model.numLayers, s.pipelineParallel * chunksPerStage(s)),
};

function dataParallelOf({ accelerators, strategy: s }: Scenario): number {
  return accelerators / (s.tensorParallel * s.contextParallel * s.pipelineParallel);
}

export function divisors(value: number): readonly number[] {
  if (!Number.isSafeInteger(value) || value < 1) return [1];
  const found: number[] = [];
  for (let d = 1; d * d <= value; d++) {
    if (value % d === 0) found.push(d, value / d);
  }
  return sorted(found);
}

function sorted(values: readonly number[]): readonly number[] {
  return [...new Set(values)].sort((a, b) => a - b);
}

function upTo(most: number): readonly number[] {
  return Array.from({ length: most }, (_, index) => index + 1);
}

function powersOfTwo(least: number, most: number): readonly number[] {
  const values: number[] = [];
  for (let value = least; value <= most; value *= 2) values.push(value);
  return values;
}

function oneTwoFive(least: number, most: number): readonly number[] {
  const values: number[] = [];
  for (let size = least; size <= most; size *= 10) values.push(size, 2 * size, 5 * size);
  return values;
}
