import { availableParallelism } from 'node:os';
import { SlipwayError } from '../../errors.js';
import type { FlopsConvention } from '../../model/flops.js';
import type { SweepDefinition, SweepMethod } from '../../planner/sweep/definition.js';
import { figureName, usualFigures } from '../../planner/sweep/figures.js';
import { parseShard, type Shard, shardFromEnvironment, wholeSweep } from '../../planner/sweep/shard.js';
import { defineSweep } from '../../planner/sweep/sweep.js';
import { baseDirectoryOf, writtenRun } from '../../scenario/loadScenario.js';
import { type FlagValues, overridesOf, sourceOf } from '../runFileArguments.js';

/** Files that a sweep is written to. */
export interface OutputFiles {
  readonly csv?: string;
  readonly jsonl?: string;
  readonly parquet?: string;
  readonly svg?: string;
}

/** The question as the command line puts it. */
export function definitionOf(file: string | undefined, flags: FlagValues, release: string): SweepDefinition {
  const overrides = overridesOf(flags);
  const source = sourceOf(file);
  const given = listOf(flags.figures).map((name) => figureName(name, '--figures'));
  const metric = typeof flags.metric === 'string' ? [figureName(flags.metric, '--metric')] : [];
  return defineSweep({
    run: writtenRun(source, overrides),
    baseDirectory: baseDirectoryOf(source, overrides),
    vary: varied(flags),
    method: methodOf(flags),
    flopsConvention: flags.flopsConvention as FlopsConvention,
    figures: [...(given.length > 0 ? given : usualFigures), ...metric],
    release,
    ...(typeof flags.objective === 'string' ? { objective: flags.objective } : {}),
  });
}

/** Which figure decides what is best: the one asked for, else the days of training, else the step. */
export function metricOf(flags: FlagValues, { run, axes }: SweepDefinition): string {
  if (typeof flags.metric === 'string') return figureName(flags.metric, '--metric');
  const tokens = 'training' in run || axes.some(({ path }) => path[0] === 'training');
  return tokens ? 'training.days' : 'step.seconds';
}

/** The files that the flags name; `{shard}` in a name stands for the part, such as `3-of-8`. */
export function outputsOf(flags: FlagValues, { index, count }: Shard = wholeSweep): OutputFiles {
  const part = `${index}-of-${count}`;
  const named = (key: string): object =>
    typeof flags[key] === 'string' ? { [key]: flags[key].replaceAll('{shard}', part) } : {};
  const files: OutputFiles = { ...named('csv'), ...named('jsonl'), ...named('parquet'), ...named('svg') };
  const paths = Object.values(files);
  const twice = paths.find((path, index) => paths.indexOf(path) !== index);
  if (twice === undefined) return files;
  throw new SlipwayError('invalid-run-file', 'two outputs would go to the same file', { file: String(twice) });
}

/** `--shard i/n`, else what a scheduler says, else everything. */
export function shardOf(flags: FlagValues, environment: NodeJS.ProcessEnv): Shard {
  if (typeof flags.shard === 'string') return parseShard(flags.shard);
  const count = typeof flags.shards === 'number' ? flags.shards : undefined;
  return shardFromEnvironment(environment, count) ?? wholeSweep;
}

export function workersOf(flags: FlagValues): number {
  return typeof flags.workers === 'number' ? Math.max(1, Math.min(64, flags.workers)) : availableParallelism();
}

function methodOf(flags: FlagValues): SweepMethod {
  if (flags.plan === true && flags.closedForm === true) {
    throw new SlipwayError('invalid-run-file', 'a search has a closed form of its own; give one of the two', {
      key: '--plan',
    });
  }
  if (flags.plan === true) return 'plan';
  return flags.closedForm === true ? 'closed-form' : 'estimate';
}

function varied(flags: FlagValues): readonly string[] {
  const given = Array.isArray(flags.vary) ? flags.vary.map(String) : [];
  if (given.length > 0) return given;
  const message = 'nothing is varied; give for example --vary accelerators=1024..16384*2 or --sensitivity';
  throw new SlipwayError('invalid-run-file', message, { key: '--vary' });
}

function listOf(value: unknown): readonly string[] {
  return typeof value === 'string' ? value.split(',').map((part) => part.trim()) : [];
}
