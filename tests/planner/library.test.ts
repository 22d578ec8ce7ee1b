import { describe, expect, test } from 'vitest';
import {
  type PlanProgress,
  planSearch,
  resolveScenario,
  type SweepRow,
  smallestCluster,
  sweep,
} from '../../src/index.js';

/** What a program that uses the package sees: searches and sweeps as async iterators, ended by an AbortSignal. */
const scenario = resolveScenario({
  model: 'llama3-8b',
  cluster: 'dgx-h100',
  accelerators: 16,
  strategy: { globalBatchSize: 32, precision: 'bf16' },
  training: { tokens: 1e9, dollarsPerAcceleratorHour: 2 },
});

describe('planSearch', () => {
  test('reports progress that only grows, and returns the plans', async () => {
    const search = planSearch({ scenario, accelerators: [8, 16, 32], top: 30 });
    const seen: PlanProgress[] = [];
    let step = await search.next();
    while (step.done !== true) {
      seen.push(step.value);
      step = await search.next();
    }
    expect(seen.length).toBeGreaterThan(1);
    for (const [i, progress] of seen.entries()) {
      expect(progress.evaluated).toBeGreaterThanOrEqual(seen[i - 1]?.evaluated ?? 0);
      expect(progress.fractionDone).toBeGreaterThanOrEqual(0);
      expect(progress.fractionDone).toBeLessThanOrEqual(1);
    }
    expect(step.value.complete).toBe(true);
    expect(step.value.plans).toHaveLength(30);
  });

  test('ends where the signal says, and says that better plans may be left', async () => {
    const stop = new AbortController();
    const search = planSearch({ scenario, objective: 'headroom', signal: stop.signal });
    await search.next();
    stop.abort();
    let step = await search.next();
    while (step.done !== true) step = await search.next();
    expect(step.value.complete).toBe(false);
    expect(step.value.nearestMiss).toBeNull();
  });

  test('for await leaves a search that nobody wants to the end', async () => {
    let reports = 0;
    for await (const _ of planSearch({ scenario, objective: 'headroom' })) if (++reports === 2) break;
    expect(reports).toBe(2);
  });

  test('smallestCluster is the same kind of iterator', async () => {
    const stop = new AbortController();
    stop.abort();
    const search = smallestCluster({ scenario, deadlineSeconds: 86_400, signal: stop.signal });
    let step = await search.next();
    while (step.done !== true) step = await search.next();
    expect(step.value).toMatchObject({ complete: false, plans: [] });
  });
});

describe('sweep', () => {
  const run = { model: 'llama3-8b', cluster: 'dgx-h100', strategy: { globalBatchSize: 32 } };

  test('gives rows one by one and stops at the signal, also between searches', async () => {
    const stop = new AbortController();
    const rows: SweepRow[] = [];
    const input = { run, vary: ['accelerators=8,16,32'], method: 'plan' as const };
    for await (const row of sweep(input, { signal: stop.signal })) {
      rows.push(row);
      stop.abort();
    }
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({ accelerators: 8, status: 'fits' });
  });

  test('goes on after the points that are done', async () => {
    const all: SweepRow[] = [];
    const rest: SweepRow[] = [];
    const input = { run, vary: ['accelerators=8,16,32', 'microBatchSize=1,2'], method: 'closed-form' as const };
    for await (const row of sweep(input)) all.push(row);
    for await (const row of sweep(input, { skip: 4 })) rest.push(row);
    expect(rest).toEqual(all.slice(4));
  });
});
