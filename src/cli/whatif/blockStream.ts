import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { sweepDigest } from '../../planner/sweep/definition.js';
import { pointsOfShard, type Shard } from '../../planner/sweep/shard.js';
import type { Sweep } from '../../planner/sweep/sweepRows.js';
import { type Block, blockSize, linesOfBlock } from './blocks.js';
import type { WorkerTask } from './whatifWorker.js';

export interface BlockOptions {
  readonly shard: Shard;
  /** Points of the shard that are done. */
  readonly skip: number;
  readonly workers: number;
  readonly signal: AbortSignal;
}

/** Blocks that wait for their turn, beside those that are worked on: a slow block must not fill the memory with later ones. */
const AHEAD_PER_WORKER = 3;

/** A block needs little; without a limit each thread lets its garbage grow to a share of the whole machine. */
const resourceLimits = { maxOldGenerationSizeMb: 160, maxYoungGenerationSizeMb: 32 };

/** Lines of the blocks of a shard, in order, worked out by threads where there is enough work for them. */
export async function* blockStream(sweep: Sweep, options: BlockOptions): AsyncGenerator<string, void, void> {
  const { shard, signal, workers } = options;
  const blocks = blocksOf(sweep, options);
  if (workers <= 1) {
    for (const block of blocks) {
      // A turn of the event loop, for Ctrl-C.
      await new Promise((resolve) => setImmediate(resolve));
      if (signal.aborted) return;
      yield await linesOfBlock(sweep, shard, block);
    }
    return;
  }
  const { Tinypool } = await import('tinypool');
  const pool = new Tinypool({ filename: workerFile(), minThreads: workers, maxThreads: workers, resourceLimits });
  const pending: Promise<string>[] = [];
  try {
    const task = { key: sweepDigest(sweep.definition), definition: sweep.definition, shard };
    for (const block of blocks) {
      if (signal.aborted) return;
      pending.push(pool.run({ ...task, ...block } satisfies WorkerTask) as Promise<string>);
      const next = pending.length > AHEAD_PER_WORKER * workers ? pending.shift() : undefined;
      if (next !== undefined) yield await next;
    }
    for (const next of pending) {
      if (signal.aborted) return;
      yield await next;
    }
  } finally {
    // What nobody waits for any more is cut off with its thread.
    for (const promise of pending) promise.catch(() => {});
    await pool.destroy();
  }
}

function* blocksOf({ grid, definition }: Sweep, { shard, skip }: BlockOptions): Generator<Block> {
  const count = pointsOfShard(grid.points, shard);
  const size = blockSize(definition.method);
  for (let from = skip; from < count; from += size) yield { from, to: Math.min(count, from + size) };
}

/** Points from which a second thread is worth its start. */
export function worthWorkers(sweep: Sweep, points: number): boolean {
  const least = { 'closed-form': 40_000, estimate: 400, plan: 4 } as const;
  return points >= least[sweep.definition.method];
}

/** Beside the bundled command, or beside this file where the sources run. */
function workerFile(): string {
  const built = fileURLToPath(new URL('./whatifWorker.mjs', import.meta.url));
  return existsSync(built) ? built : fileURLToPath(new URL('./whatifWorker.ts', import.meta.url));
}
