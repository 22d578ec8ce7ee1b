import { describe, expect, test } from 'vitest';
import { countParameters } from '../../src/model/parameters.js';
import { resolveScenario } from '../../src/scenario/resolveScenario.js';
import type { RunFileInput } from '../../src/scenario/runFileSchema.js';
import { evaluate } from '../../src/simulation/closedForm.js';
import type { StageMemory } from '../../src/simulation/evaluation.js';

type Strategy = NonNullable<RunFileInput['strategy']>;

const llama = {
  name: 'llama',
  numLayers: 32,
  hiddenSize: 4096,
  numAttentionHeads: 32,
  numKeyValueHeads: 8,
  intermediateSize: 14336,
  vocabSize: 128256,
  gatedMlp: true,
};

function run(strategy: Strategy, more: Partial<RunFileInput> = {}) {
  return evaluate(
    resolveScenario({ model: llama, cluster: 'dgx-h100', accelerators: 8, sequenceLength: 4096, strategy, ...more }),
  );
}

function stage(strategy: Strategy, index = 0, more: Partial<RunFileInput> = {}): StageMemory {
  const found = run(strategy, more).stages.at(index);
  if (found === undefined) throw new Error(`no stage ${index}`);
  return found;
}

test('one accelerator holds the whole model', () => {
  const { total } = countParameters(resolveScenario({ model: llama, cluster: 'dgx-h100' }).model);
  const memory = stage({ dataSharding: 'ddp', globalBatchSize: 1 }, 0, { accelerators: 1 });
  expect(memory).toMatchObject({ weightsBytes: 2 * total, gradientsBytes: 4 * total, optimizerBytes: 12 * total });
});

describe('pipelines', () => {
  const pipeline: Strategy = { pipelineParallel: 8, globalBatchSize: 32 };

  test('the first stage keeps most micro-batches, the last one fewest', () => {
    const stages = run(pipeline).stages;
    expect(stages.map(({ inFlightMicroBatches }) => inFlightMicroBatches)).toEqual([8, 7, 6, 5, 4, 3, 2, 1]);
    const perMicroBatch = stages.map(
      ({ activationsBytes, inFlightMicroBatches }) => activationsBytes / inFlightMicroBatches,
    );
    expect(new Set(perMicroBatch).size).toBe(1);
  });

  test('embedding and head lie on the ends; a tied head is a second copy there', () => {
    const table = 128256 * 4096 * 2;
    const inner = stage(pipeline, 1).weightsBytes;
    expect(stage(pipeline, 0).weightsBytes - inner).toBe(table);
    expect(stage(pipeline, -1).weightsBytes - inner).toBe(table + 2 * 4096);
    const tied = { model: { ...llama, tiedEmbeddings: true } };
    expect(stage(pipeline, -1, tied).weightsBytes - inner).toBe(table + 2 * 4096);
    const alone = { dataSharding: 'ddp', globalBatchSize: 8 } as const;
    expect(stage(alone).weightsBytes - stage(alone, 0, tied).weightsBytes).toBe(table);
  });

  test('the last stage holds logits while it takes the loss', () => {
    const tokens = 4096 * 4;
    const wide: Strategy = { ...pipeline, microBatchSize: 4, recompute: 'full' };
    // Logits and their gradient in place of each other: 2 + 2 bytes each where the loss is fused, 2 + 4 + 2 otherwise.
    expect(stage({ ...wide, fusedCrossEntropy: true }, -1).buffersBytes).toBe(4 * tokens * 128256);
    expect(stage({ ...wide, fusedCrossEntropy: false }, -1).buffersBytes).toBe(8 * tokens * 128256);
    expect(stage({ ...wide, fusedCrossEntropy: false, tensorParallel: 1 }, 0).buffersBytes).toBeLessThan(
      8 * tokens * 128256,
    );
  });

  test('tensor parallelism divides the logits of a vocabulary padded to 128 x 8', () => {
    const wide = { fusedCrossEntropy: false, microBatchSize: 4, globalBatchSize: 32, recompute: 'full' } as const;
    expect(stage(wide).buffersBytes).toBe(8 * 4 * 4096 * 128256);
    expect(stage({ ...wide, tensorParallel: 8 }).buffersBytes).toBe((8 * 4 * 4096 * 126 * 1024) / 8);
  });
});

describe('recomputation', () => {
  test('block recomputation keeps part of the layers whole', () => {
    const bytes = (recomputeLayers: number): number => stage({ recompute: 'full', recomputeLayers }).activationsBytes;
    const none = stage({ recompute: 'none' }).activationsBytes;
    expect(bytes(16)).toBeCloseTo((bytes(32) + none) / 2, -3);
    expect(bytes(0)).toBe(bytes(32));
  });

  test('a recomputed layer needs what it did not keep while it runs backward', () => {
    // An inner stage of four layers and no logits.
    const inner = (recompute: 'none' | 'full'): StageMemory =>
      stage({ pipelineParallel: 8, globalBatchSize: 32, recompute }, 1);
    const none = inner('none');
    const full = inner('full');
    const layer = (memory: StageMemory): number => memory.activationsBytes / memory.inFlightMicroBatches / 4;
    expect(layer(full)).toBe(2 * 4096 * 4096);
    expect(full.buffersBytes - none.buffersBytes).toBe(layer(none) - layer(full));
  });
});

describe('offload', () => {
  test('activations of some layers go to the host', () => {
    const here = stage({}).activationsBytes;
    const quarter = run({ activationOffloadLayers: 8 });
    expect(quarter.stages[0]?.activationsBytes).toBe(0.75 * here);
    // Of all eight accelerators of the node.
    expect(quarter.hostBytes).toBe(8 * 0.25 * here);
    expect(run({ activationOffloadLayers: 32 }).stages[0]?.activationsBytes).toBe(0);
  });

  test('optimizer states are counted on the host', () => {
    const here = run({ dataSharding: 'zero-1' });
    const moved = run({ dataSharding: 'zero-1', offload: 'optimizer-cpu' });
    expect(moved.stages[0]?.optimizerBytes).toBe(0);
    expect(moved.hostBytes).toBe(8 * (here.stages[0]?.optimizerBytes ?? 0));
    expect(here.hostBytes).toBe(0);
  });
});

test('fully sharded weights gather two layers and their gradients, and the ends', () => {
  const sharded = stage({ dataSharding: 'zero-3', recompute: 'full' });
  const replicated = stage({ dataSharding: 'zero-2', recompute: 'full' });
  const { denseLayer, embedding, head, finalNorm } = countParameters(
    resolveScenario({ model: llama, cluster: 'dgx-h100' }).model,
  );
  const layer = denseLayer?.total ?? 0;
  const ends = embedding + head + finalNorm;
  expect(sharded.buffersBytes - replicated.buffersBytes).toBe((2 * 2 + 4) * layer + (2 + 4) * ends);
});

test('three totals: allocated, reserved with fragmentation, seen by nvidia-smi with the context', () => {
  const scenario = resolveScenario({ model: llama, cluster: 'dgx-h100' });
  const { allocatedBytes, reservedBytes, deviceBytes, capacityBytes } = evaluate(scenario);
  const { fragmentation, contextBytes, communicatorBytes } = scenario.framework.memory;
  expect(reservedBytes).toBe(allocatedBytes * (1 + fragmentation));
  expect(deviceBytes).toBe(reservedBytes + contextBytes + communicatorBytes);
  expect(capacityBytes).toBe(scenario.cluster.accelerator.usableMemoryBytes);
});

/** Korthikanti et al. 2022, appendix B and figure 9: 530B on 35 stages, about 13 GB of activations on the first rank, 1.5 GB on the last. */
test('530B on 35 stages, selective recomputation with sequence parallelism', () => {
  const { stages } = evaluate(
    resolveScenario({
      model: 'megatron-530b',
      cluster: 'dgx-a100',
      accelerators: 280,
      sequenceLength: 2048,
      framework: 'megatron',
      frameworkVersion: 'Megatron-LM 2022',
      strategy: { tensorParallel: 8, pipelineParallel: 35, recompute: 'selective', globalBatchSize: 280 },
    }),
  );
  const gigabytes = stages.map(({ activationsBytes }) => activationsBytes / 1e9);
  // Ours frees outputs that have been sent: 35 micro-batches of three layers of 34 sbh / t.
  expect(gigabytes[1]).toBeCloseTo((34 * 3 * (34 / 8) * 2048 * 20480) / 1e9, 6);
  expect(gigabytes.at(-1)).toBeLessThan(1.5);
});
