import { SlipwayError } from '../../errors.js';

/** One of `count` parts of a sweep: every `count`-th point, so that slow regions of the grid are spread over all shards. */
export interface Shard {
  /** From 1. */
  readonly index: number;
  readonly count: number;
}

export const wholeSweep: Shard = { index: 1, count: 1 };

/** MaxArraySize of a large Slurm, and more files than anyone wants. */
const MOST_SHARDS = 100_000;

/** Reads `3/8`, counted from 1. */
export function parseShard(text: string, where = '--shard'): Shard {
  const [, index = '', count = ''] = /^\s*(\d{1,7})\s*\/\s*(\d{1,7})\s*$/.exec(text) ?? [];
  if (index === '') throw refused(`'${text.slice(0, 40)}' is not i/n, such as 1/8`, where);
  return checkedShard(Number(index), Number(count), where);
}

/**
 * The shard that a scheduler asks for through the environment: a Slurm array task, or a pod of a Kubernetes Indexed Job, which knows its
 * index but not how many there are (`count`). Undefined outside of both.
 */
export function shardFromEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  count?: number,
): Shard | undefined {
  const slurm = whole(environment.SLURM_ARRAY_TASK_ID);
  if (slurm !== undefined) {
    const of = count ?? whole(environment.SLURM_ARRAY_TASK_COUNT);
    if (of === undefined)
      throw refused('SLURM_ARRAY_TASK_ID is set, but SLURM_ARRAY_TASK_COUNT is not; give --shards n', '--shards');
    return checkedShard(slurm - (whole(environment.SLURM_ARRAY_TASK_MIN) ?? 0) + 1, of, 'SLURM_ARRAY_TASK_ID');
  }
  const pod = whole(environment.JOB_COMPLETION_INDEX);
  if (pod === undefined) return undefined;
  if (count === undefined)
    throw refused('JOB_COMPLETION_INDEX is set, but not how many there are; give --shards n', '--shards');
  return checkedShard(pod + 1, count, 'JOB_COMPLETION_INDEX');
}

/** Points of the sweep that fall to the shard. */
export function pointsOfShard(points: number, { index, count }: Shard): number {
  return Math.max(0, Math.ceil((points - (index - 1)) / count));
}

/** Which point of the sweep is the shard's n-th, counted from 0. */
export function pointOfShard(nth: number, { index, count }: Shard): number {
  return nth * count + index - 1;
}

function checkedShard(index: number, count: number, where: string): Shard {
  if (count < 1 || count > MOST_SHARDS) throw refused(`${count} shards; expected 1 to ${MOST_SHARDS}`, where);
  if (index < 1 || index > count)
    throw refused(`shard ${index} of ${count}; they are counted from 1 to ${count}`, where);
  return { index, count };
}

function whole(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

function refused(message: string, key: string): SlipwayError {
  return new SlipwayError('invalid-run-file', message, { key });
}
