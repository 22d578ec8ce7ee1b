import type { Cell } from '../../planner/sweep/figures.js';
import { pointOfShard, type Shard } from '../../planner/sweep/shard.js';
import type { Sweep } from '../../planner/sweep/sweepRows.js';
import { arrayLines } from '../../report/sweepLines.js';

/** A run of points of one shard, as counted in the shard. */
export interface Block {
  readonly from: number;
  readonly to: number;
}

/** Rows of a block as the journal's lines. */
export async function linesOfBlock(sweep: Sweep, shard: Shard, { from, to }: Block): Promise<string> {
  const rows: Cell[][] = [];
  for (let nth = from; nth < to; nth++) {
    const row = sweep.row(pointOfShard(nth, shard));
    rows.push(row instanceof Promise ? await row : row);
  }
  return arrayLines(rows);
}

/** Points of a block: about a tenth of a second's work, which is all that a kill can lose. */
export function blockSize(method: Sweep['definition']['method']): number {
  if (method === 'plan') return 1;
  return method === 'closed-form' ? 2048 : 16;
}
