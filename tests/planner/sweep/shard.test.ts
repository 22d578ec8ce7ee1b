import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseShard, pointOfShard, pointsOfShard, shardFromEnvironment } from '../../../src/planner/sweep/shard.js';

describe('a shard', () => {
  test('is read as i/n, counted from 1', () => {
    expect(parseShard('3/8')).toEqual({ index: 3, count: 8 });
    for (const text of ['0/8', '9/8', '3', 'a/b', '1/0', '-1/4', '1/1000000']) expect(() => parseShard(text)).toThrow();
  });

  test('comes from a Slurm array, wherever its indices start', () => {
    const slurm = { SLURM_ARRAY_TASK_ID: '5', SLURM_ARRAY_TASK_COUNT: '4', SLURM_ARRAY_TASK_MIN: '3' };
    expect(shardFromEnvironment(slurm)).toEqual({ index: 3, count: 4 });
    expect(shardFromEnvironment({ SLURM_ARRAY_TASK_ID: '0', SLURM_ARRAY_TASK_COUNT: '4' })).toEqual({
      index: 1,
      count: 4,
    });
    expect(() => shardFromEnvironment({ SLURM_ARRAY_TASK_ID: '1' })).toThrow(/--shards n/);
  });

  test('comes from an Indexed Job, which does not say how many there are', () => {
    expect(shardFromEnvironment({ JOB_COMPLETION_INDEX: '0' }, 4)).toEqual({ index: 1, count: 4 });
    expect(() => shardFromEnvironment({ JOB_COMPLETION_INDEX: '4' }, 4)).toThrow(/shard 5 of 4/);
    expect(() => shardFromEnvironment({ JOB_COMPLETION_INDEX: '0' })).toThrow(/--shards n/);
    expect(shardFromEnvironment({})).toBeUndefined();
  });

  test('together they hold every point once', () => {
    fc.assert(
      fc.property(fc.nat(200), fc.integer({ min: 1, max: 20 }), (points, count) => {
        const held = Array.from({ length: count }, (_, i) => ({ index: i + 1, count })).flatMap((shard) =>
          Array.from({ length: pointsOfShard(points, shard) }, (_, nth) => pointOfShard(nth, shard)),
        );
        expect(held.sort((a, b) => a - b)).toEqual(Array.from({ length: points }, (_, i) => i));
      }),
    );
  });
});
