import type { Interval } from '../../uncertainty/intervals.js';
import type { Estimate } from '../estimateResult.js';
import { memoryWaterfall, stepWaterfall, type Waterfall } from './waterfall.js';

/** A setting or figure of every estimate, in their order; null where one has none. */
export interface ComparedValue {
  readonly key: string;
  readonly values: readonly (string | number | boolean | null)[];
  readonly differs: boolean;
}

/** Two or more estimates side by side, and the way from the first to each of the others. */
export interface Comparison {
  readonly schemaVersion: 1;
  readonly names: readonly string[];
  readonly settings: readonly ComparedValue[];
  readonly figures: readonly ComparedValue[];
  /** What 80 % of like runs lie within, by the figure that it is about. */
  readonly intervals: readonly { readonly key: string; readonly values: readonly (Interval | null)[] }[];
  /** From the first estimate to the second, third, ...: why the step and the memory differ. */
  readonly waterfalls: readonly {
    readonly from: string;
    readonly to: string;
    readonly step: Waterfall;
    readonly memory: Waterfall;
  }[];
}

export interface NamedEstimate {
  readonly name: string;
  readonly estimate: Estimate;
}

const figureKeys = [
  'memory.fits',
  'memory.peakBytes',
  'memory.deviceBytes',
  'memory.capacityBytes',
  'memory.probabilityOfNotFitting',
  'step.seconds',
  'throughput.tokensPerSecond',
  'throughput.tokensPerSecondPerAccelerator',
  'throughput.modelTflopsPerAccelerator',
  'throughput.mfu',
  'throughput.hfu',
  'training.days',
  'training.acceleratorHours',
  'training.goodput',
  'training.costUsd',
  'training.energyKwh',
] as const;

/** Aligns estimates: settings by key, figures by key, and where the differences come from. */
export function compareEstimates(named: readonly NamedEstimate[]): Comparison {
  const settings = named.map(({ estimate }) => flattened(estimate.run));
  const keys = [...new Set(settings.flatMap((run) => Object.keys(run)))];
  const [first, ...others] = named;
  return {
    schemaVersion: 1,
    names: named.map(({ name }) => name),
    settings: keys.map((key) =>
      compared(
        key,
        settings.map((run) => run[key] ?? null),
      ),
    ),
    figures: figureKeys.map((key) =>
      compared(
        key,
        named.map(({ estimate }) => figureAt(estimate, key)),
      ),
    ),
    intervals: [
      { key: 'step.seconds', values: named.map(({ estimate }) => estimate.step.secondsInterval ?? null) },
      { key: 'memory.peakBytes', values: named.map(({ estimate }) => estimate.memory.peakBytesInterval ?? null) },
    ],
    waterfalls:
      first === undefined
        ? []
        : others.map(({ name, estimate }) => ({
            from: first.name,
            to: name,
            step: stepWaterfall(first.estimate, estimate),
            memory: memoryWaterfall(first.estimate, estimate),
          })),
  };
}

type Value = string | number | boolean | null;

function compared(key: string, values: readonly Value[]): ComparedValue {
  return { key, values, differs: values.some((value) => value !== values[0]) };
}

/** `strategy.tensorParallel` and the like; a model or cluster that is written out goes by its name. */
function flattened(run: Estimate['run']): Record<string, Value> {
  const flat: Record<string, Value> = {};
  for (const [key, value] of Object.entries(run)) {
    if (key === 'defaultsFilledIn') continue;
    if (key === 'strategy' || key === 'training') {
      for (const [inner, part] of Object.entries(value as object)) flat[`${key}.${inner}`] = plain(part);
    } else flat[key] = plain(value);
  }
  return flat;
}

function plain(value: unknown): Value {
  if (value === null || value === undefined) return null;
  if (Array.isArray(value)) return value.length === 0 ? null : value.join(',');
  if (typeof value !== 'object') return value as Value;
  const name: unknown = Reflect.get(value, 'name') ?? Reflect.get(value, 'id');
  return typeof name === 'string' ? name : JSON.stringify(value);
}

function figureAt(estimate: Estimate, key: string): Value {
  let found: unknown = estimate;
  for (const part of key.split('.'))
    found = typeof found === 'object' && found !== null ? Reflect.get(found, part) : undefined;
  return found === undefined ? null : (found as Value);
}
