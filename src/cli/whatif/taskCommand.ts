import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { SweepDefinition } from '../../planner/sweep/definition.js';
import type { FlagValues } from '../runFileArguments.js';

/** What a task on another machine is asked: the run file with all flags in it, so that nothing else has to travel. */
export function taskRunFile({ run, baseDirectory }: SweepDefinition): string {
  const { model } = run;
  const path = typeof model === 'string' && /[\\/]|\.json$/.test(model) ? join(baseDirectory, model) : undefined;
  return `${JSON.stringify(path !== undefined && existsSync(path) ? { ...run, model: resolve(path) } : run, null, 2)}\n`;
}

/** The command of a task, word by word: it works out its own shard, which it learns from the scheduler. */
export function taskCommand(
  program: readonly string[],
  runFile: string,
  shardFile: string,
  shards: number,
  flags: FlagValues,
  { method }: SweepDefinition,
): readonly string[] {
  const text = (name: string, key: string): string[] =>
    typeof flags[key] === 'string' ? [`--${name}`, flags[key]] : [];
  const vary = Array.isArray(flags.vary) ? flags.vary.flatMap((axis) => ['--vary', String(axis)]) : [];
  return [
    ...program,
    'whatif',
    runFile,
    ...vary,
    ...(method === 'closed-form' ? ['--closed-form'] : []),
    ...(method === 'plan' ? ['--plan'] : []),
    ...text('objective', 'objective'),
    ...text('figures', 'figures'),
    ...text('metric', 'metric'),
    ...text('flops-convention', 'flopsConvention'),
    '--shards',
    String(shards),
    '--workers',
    String(typeof flags.workers === 'number' ? flags.workers : 1),
    '--jsonl',
    shardFile,
  ];
}

/** Shards that are no more than there are points. */
export function shardCount(flags: FlagValues, points: number): number {
  const wanted = typeof flags.shards === 'number' && flags.shards > 0 ? flags.shards : 8;
  return Math.max(1, Math.min(wanted, points));
}
