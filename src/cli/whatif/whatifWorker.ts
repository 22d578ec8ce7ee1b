/** A worker thread of a sweep: lines of one block at a time. The sweep is prepared once a thread. */
import type { SweepDefinition } from '../../planner/sweep/definition.js';
import type { Shard } from '../../planner/sweep/shard.js';
import { prepareSweep, type Sweep } from '../../planner/sweep/sweepRows.js';
import { type Block, linesOfBlock } from './blocks.js';

export interface WorkerTask extends Block {
  readonly key: string;
  readonly definition: SweepDefinition;
  readonly shard: Shard;
}

let prepared: { readonly key: string; readonly sweep: Promise<Sweep> } | undefined;

export default async function run({ key, definition, shard, from, to }: WorkerTask): Promise<string> {
  if (prepared?.key !== key) prepared = { key, sweep: prepareSweep(definition) };
  return linesOfBlock(await prepared.sweep, shard, { from, to });
}
