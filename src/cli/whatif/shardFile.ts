import { existsSync } from 'node:fs';
import { SlipwayError } from '../../errors.js';
import { type SweepDefinition, sweepDigest } from '../../planner/sweep/definition.js';
import type { Shard } from '../../planner/sweep/shard.js';
import type { Column, Sweep } from '../../planner/sweep/sweepRows.js';
import { LineReader } from './lineReader.js';

/** The first line of a shard's file: of which sweep it is which part. */
export interface ShardHead {
  readonly slipwayShard: Shard;
  readonly sweep: string;
  readonly definition: SweepDefinition;
  readonly columns: readonly Column[];
}

export function shardHead({ definition, columns }: Pick<Sweep, 'definition' | 'columns'>, shard: Shard): string {
  const head: ShardHead = { slipwayShard: shard, sweep: sweepDigest(definition), definition, columns };
  return `${JSON.stringify(head)}\n`;
}

/** Reads it; throws where the file is something else. */
export function parseShardHead(line: string | undefined, file: string): ShardHead {
  try {
    const head = JSON.parse(line ?? '') as ShardHead;
    const { index, count } = head.slipwayShard;
    if (Number.isInteger(index) && Number.isInteger(count) && sweepDigest(head.definition) === head.sweep) return head;
  } catch {
    // Not JSON, or not ours: said below.
  }
  throw new SlipwayError('invalid-syntax', 'is no shard that `slipway whatif --shard i/n --jsonl` wrote', { file });
}

/** Whether a file holds this very shard already: it only got its name when it was whole. */
export function isDoneShard(
  file: string | undefined,
  sweep: Pick<Sweep, 'definition' | 'columns'>,
  shard: Shard,
): boolean {
  if (file === undefined || shard.count === 1 || !existsSync(file)) return false;
  const reader = new LineReader(file);
  const head = reader.next();
  reader.close();
  return `${head}\n` === shardHead(sweep, shard);
}
