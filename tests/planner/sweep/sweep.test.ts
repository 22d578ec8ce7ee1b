import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { estimate } from '../../../src/planner/estimate.js';
import { planSearch } from '../../../src/planner/search/search.js';
import { type SweepInput, type SweepRow, sweep } from '../../../src/planner/sweep/sweep.js';
import { loadRun } from '../../../src/scenario/loadScenario.js';
import { parseOverride } from '../../../src/scenario/setPath.js';
import { evaluate } from '../../../src/simulation/closedForm.js';

const run = {
  model: 'llama3-8b',
  cluster: 'dgx-h100',
  accelerators: 64,
  strategy: { tensorParallel: 2, pipelineParallel: 2, globalBatchSize: 128 },
  sequenceLength: 4096,
  training: { tokens: '1T' },
};

async function rowsOf(vary: readonly string[], more: Partial<SweepInput> = {}): Promise<SweepRow[]> {
  const rows: SweepRow[] = [];
  for await (const row of sweep({ run, vary, method: 'closed-form', ...more })) rows.push(row);
  return rows;
}

describe('a row', () => {
  test('is the estimate of the run file with the point in it, under the same names', async () => {
    const [row] = await rowsOf(['tensorParallel=4', 'accelerators=128'], { method: 'estimate' });
    const { scenario } = await loadRun({ text: JSON.stringify(run), file: '-' }, [
      parseOverride('strategy.tensorParallel=4'),
      parseOverride('accelerators=128'),
    ]);
    const answer = estimate(scenario, { advice: false });
    expect(row).toMatchObject({
      tensorParallel: 4,
      accelerators: 128,
      status: 'fits',
      reason: null,
      'run.dataParallel': 16,
      'memory.peakBytes': answer.memory.peakBytes,
      'step.seconds': answer.step.seconds,
      'throughput.mfu': answer.throughput.mfu,
      'throughput.tokensPerSecond': answer.throughput.tokensPerSecond,
      'training.days': answer.training.days,
    });
  });

  test('of an illegal point says why; a value that no point could take is a mistake', async () => {
    const rows = await rowsOf(['tensorParallel=2,3', 'microBatchSize=1,5']);
    expect(rows.map(({ status }) => status)).toEqual(['fits', 'illegal', 'illegal', 'illegal']);
    expect(rows[1]?.reason).toBe(
      'microBatchSize 5 x dataParallel 16 = 80 does not divide globalBatchSize 128; use 80 or 160',
    );
    expect(rows[2]?.['step.seconds']).toBeNull();
    await expect(rowsOf(['tensorParallel=0,1'])).rejects.toThrow(/tensorParallel: must be at least 1, found 0/);
    await expect(rowsOf(['cluster=dgx-h100,dgx-h10'])).rejects.toThrow(/did you mean dgx-h100\?/);
    await expect(rowsOf(['cluster.accelerator.memoryByte*=2'])).rejects.toThrow(/no number to change, did you mean/);
    await expect(rowsOf(['model.numLayer=4'])).rejects.toThrow(/unknown key, did you mean numLayers\?/);
  });

  test('of a memory that is too small is legal and does not fit', async () => {
    const [row] = await rowsOf(['accelerator.memoryBytes=8 GiB']);
    expect(row).toMatchObject({ status: 'does-not-fit', 'memory.fits': false, 'accelerator.memoryBytes': 8 * 2 ** 30 });
  });
});

describe('values', () => {
  test('relative to the preset of each point', async () => {
    const rows = await rowsOf(['cluster=dgx-a100,dgx-h100', 'cluster.accelerator.hbmBytesPerSecond*=1,2']);
    const rate = rows.map((row) => Number(row['cluster.accelerator.hbmBytesPerSecond']));
    expect(rate[1]).toBe(2 * (rate[0] ?? 0));
    expect(rate[3]).toBe(2 * (rate[2] ?? 0));
    expect(rate[2]).toBeGreaterThan(rate[0] ?? 0);
    const [slow, fast] = rows.slice(2).map((row) => Number(row['step.seconds']));
    expect(fast).toBeLessThan(slow ?? 0);
  });

  test('all peaks of an accelerator at once, shown as the factor', async () => {
    const rows = await rowsOf(['accelerator.peakFlopsPerSecond*=1,2']);
    expect(rows.map((row) => row['accelerator.peakFlopsPerSecond'])).toEqual([1, 2]);
    expect(Number(rows[1]?.['step.seconds'])).toBeLessThan(Number(rows[0]?.['step.seconds']));
  });

  test('calculated from the point, also from what the framework fills in', async () => {
    const rows = await rowsOf(['accelerators=64,128', 'gbs=accelerators * 2', 'sequenceLength=8192 / microBatchSize']);
    expect(rows.map(({ gbs }) => gbs)).toEqual([128, 256]);
    expect(rows.map(({ sequenceLength }) => sequenceLength)).toEqual([8192, 8192]);
    const [illegal] = await rowsOf(['gbs=accelerators / 3']);
    expect(illegal).toMatchObject({ status: 'illegal', reason: expect.stringContaining('expected a whole number') });
  });

  test('shapes of the model are checked together', async () => {
    const rows = await rowsOf(['model.numLayers=32,64', 'model.numAttentionHeads=32,28']);
    expect(rows.map(({ status }) => status)).toEqual(['fits', 'illegal', 'fits', 'illegal']);
    expect(rows[1]?.reason).toMatch(/numKeyValueHeads 8 does not divide numAttentionHeads 28/);
  });
});

test('the sweep of any grid says what --set says, point by point', async () => {
  const axes = fc.subarray(
    [
      'tensorParallel=1,2',
      'cluster=dgx-a100,dgx-h100',
      'cluster.accelerator.memoryBytesPerSecond=1e12,4e12',
      'cluster.networkEfficiency=0.5,0.9',
      'cluster.accelerator.memoryBytes=20e9,80e9',
      'cluster.hostMemoryBytes=64e9,2e12',
      'cluster.wattsPerAccelerator=500,1000',
      'offload=none,optimizer-cpu',
      'model.numLayers=16,32',
      'sequenceLength=2048,8192',
      'framework=megatron,fsdp',
      'recompute=none,full',
      'globalBatchSize=64,256',
      'training.tokens=1B,2B',
    ],
    { minLength: 1, maxLength: 5 },
  );
  await fc.assert(
    fc.asyncProperty(axes, fc.nat(1000), async (vary, nth) => {
      const rows = await rowsOf(vary);
      const row = rows[nth % rows.length] ?? {};
      const names = vary.map((text) => text.split('=')[0] ?? '');
      const overrides = names.map((name) => {
        const top = /^(cluster|model|sequenceLength|framework|training)/.test(name);
        return parseOverride(`${top ? name : `strategy.${name}`}=${row[name]}`);
      });
      // The sweep sets a cluster before what lies below it, whatever the order of the flags.
      overrides.sort((a, b) => a.path.length - b.path.length);
      const text = JSON.stringify(run);
      try {
        const { scenario } = await loadRun({ text, file: '-' }, overrides);
        const { memory, step, training } = estimate(scenario, { advice: false, evaluation: evaluate(scenario) });
        expect(row).toMatchObject({
          'step.seconds': step.seconds,
          'memory.peakBytes': memory.peakBytes,
          'memory.capacityBytes': memory.capacityBytes,
          'memory.fits': memory.fits,
          'training.energyKwh': training.energyKwh,
        });
      } catch (error) {
        if (row.status !== 'illegal') throw error;
        expect(String(error)).toContain(String(row.reason).split(': ').at(-1));
      }
    }),
    { numRuns: 60 },
  );
});

test('with a search, a row is the best plan of its point; what nothing fits is a row with the nearest miss', async () => {
  const open = { ...run, accelerators: 16, strategy: { globalBatchSize: 32 } };
  const vary = ['cluster.accelerator.memoryBytes=80 GiB,1 GiB', 'tensorParallel=1,2'];
  const rows = await rowsOf(vary, { run: open, method: 'plan' });
  const { scenario } = await loadRun(
    { text: JSON.stringify({ ...open, strategy: { globalBatchSize: 32, tensorParallel: 2 } }), file: '-' },
    [parseOverride('cluster.accelerator.memoryBytes=80 GiB')],
  );
  const search = planSearch({ scenario, top: 1 });
  let step = await search.next();
  while (step.done !== true) step = await search.next();
  expect(rows[1]?.['step.seconds']).toBe(step.value.plans[0]?.evaluation.stepSeconds);
  expect(rows[1]?.plan).toMatch(/^tp2 /);
  expect(rows[2]).toMatchObject({
    status: 'no-plan',
    plan: null,
    reason: expect.stringMatching(/^needs .* more than/),
  });
});

describe('the iterator', () => {
  test('goes over the grid with the last axis fastest; shards take every n-th point', async () => {
    const all = await rowsOf(['tensorParallel=1,2,4', 'microBatchSize=1,2']);
    expect(all.map((row) => [row.tensorParallel, row.microBatchSize])).toEqual([
      [1, 1],
      [1, 2],
      [2, 1],
      [2, 2],
      [4, 1],
      [4, 2],
    ]);
    const second: SweepRow[] = [];
    const input = { run, vary: ['tensorParallel=1,2,4', 'microBatchSize=1,2'], method: 'closed-form' as const };
    for await (const row of sweep(input, { shard: { index: 2, count: 4 } })) second.push(row);
    expect(second).toEqual([all[1], all[5]]);
  });

  test('ends where the signal says', async () => {
    const controller = new AbortController();
    const seen: SweepRow[] = [];
    const input = { run, vary: ['globalBatchSize=128..12800+128'], method: 'closed-form' as const };
    for await (const row of sweep(input, { signal: controller.signal })) {
      seen.push(row);
      if (seen.length === 3) controller.abort();
    }
    expect(seen).toHaveLength(3);
  });

  test('ids name the question: the same in any grid that holds the point, whatever the order of the axes', async () => {
    const one = await rowsOf(['tensorParallel=1,2', 'microBatchSize=1,2']);
    const other = await rowsOf(['microBatchSize=2,4', 'tensorParallel=2']);
    expect(other[0]?.id).toBe(one[3]?.id);
    expect(new Set(one.map(({ id }) => id)).size).toBe(4);
    const [changed] = await rowsOf(['microBatchSize=2', 'tensorParallel=2'], { run: { ...run, accelerators: 128 } });
    expect(changed?.id).not.toBe(one[3]?.id);
  });
});
