import { expect, test } from 'vitest';
import { resolveScenario } from '../../src/scenario/resolveScenario.js';
import { criticalPath } from '../../src/simulation/criticalPath.js';
import { simulateStep } from '../../src/simulation/simulate.js';

const scenario = (globalBatchSize: number) =>
  resolveScenario({
    model: 'llama3-8b',
    cluster: 'dgx-h100',
    accelerators: 8,
    sequenceLength: 8192,
    framework: 'megatron',
    strategy: { pipelineParallel: 4, dataSharding: 'zero-1', microBatchSize: 1, globalBatchSize },
  });

test('a checkpoint is copied on the host stream of every rank, and slows what it runs beside', () => {
  const plain = simulateStep(scenario(64));
  const saving = simulateStep(scenario(64), { checkpoint: true });
  const copies = saving.tasks.filter(({ kind }) => kind === 'checkpoint');
  expect(copies.map(({ rank }) => rank)).toEqual([0, 1, 2, 3]);
  const longest = Math.max(
    ...Array.from(saving.graph.seconds).filter(
      (_, task) => saving.tasks[saving.graph.labels[task] ?? 0]?.kind === 'checkpoint',
    ),
  );
  // 14 bytes of a quarter of the parameters, shared by two replicas, over the host link.
  const { parameters } = saving.chunks[0] ?? { parameters: { dense: Number.NaN } };
  const link = saving.prepared.accelerator.hostBytesPerSecond;
  expect(longest).toBeGreaterThanOrEqual((parameters.dense * 14) / 2 / link);
  const added = saving.stepSeconds - plain.stepSeconds;
  expect(added).toBeGreaterThan(0);
  expect(added).toBeLessThanOrEqual((plain.prepared.contention - 1) * longest * 4);
});

test('a step shorter than the copy waits for it before the update', () => {
  const slow = scenario(8);
  const accelerator = { ...slow.cluster.accelerator, hostBytesPerSecond: 1e9 };
  const saving = simulateStep({ ...slow, cluster: { ...slow.cluster, accelerator } }, { checkpoint: true });
  expect(criticalPath(saving).seconds.offloadSeconds).toBeGreaterThan(1);
});
