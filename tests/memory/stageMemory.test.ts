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

const layer = countParameters(resolveScenario({ model: llama, cluster: 'dgx-h100' }).model);

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
    expect(new Set(perMicroBatch.slice(0, -1)).size).toBe(1);
    // The last stage also keeps the inputs of the final norm and of the head, and fp32 probabilities.
    const head = (perMicroBatch.at(-1) ?? 0) - (perMicroBatch[0] ?? 0);
    expect(head).toBe(4096 * (2 * 2 * 4096 + 4 * 128256));
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
    const wide: Strategy = { ...pipeline, microBatchSize: 4, globalBatchSize: 32, recompute: 'full' };
    const inputs = 2 * 2 * 4096 * tokens;
    const { activationsBytes, buffersBytes } = stage(wide, -1);
    const layers = 4 * 2 * 4096 * tokens;
    const placeholders = 2 * (layer.denseLayer?.total ?? 0);
    // fp32 probabilities stay, the 16-bit logits and later their gradient come on top.
    expect(activationsBytes).toBe(layers + inputs + 4 * tokens * 128256);
    expect(buffersBytes).toBe(placeholders + 2 * tokens * 128256);
  });

  test('tensor parallelism divides the logits of a vocabulary padded to 128 x 8', () => {
    const wide: Strategy = {
      ...pipeline,
      microBatchSize: 16,
      globalBatchSize: 128,
      recompute: 'full',
      tensorParallel: 4,
    };
    const tokens = 4096 * 16;
    const row = 2 * 4096 * tokens;
    const { activationsBytes, buffersBytes } = stage(wide, -1, { accelerators: 32 });
    const vocabulary = 251 * 512;
    expect(activationsBytes).toBe((4 * row + 2 * row + 4 * tokens * vocabulary) / 4);
    // The head's input is gathered again: sequence parallelism stores a quarter of it.
    const placeholders = 2 * ((layer.denseLayer?.total ?? 0) / 4 + 1.5 * 4096);
    expect(buffersBytes).toBe(placeholders + (2 * tokens * vocabulary) / 4 + row);
  });

  test('a gradient of the size of the embedding exists beside the buffer it is added to, where that is the most', () => {
    const short = { ...pipeline, recompute: 'full', globalBatchSize: 8 } as const;
    const run = { sequenceLength: 128 };
    const first = stage(short, 0, run);
    const table = 2 * 128256 * 4096;
    const perMicroBatch = 4 * 2 * 4096 * 128;
    expect(first.activationsBytes + first.buffersBytes).toBe(
      2 * (layer.denseLayer?.total ?? 0) + 7 * perMicroBatch + table,
    );
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
    const head = 4096 * (2 * 2 * 4096 + 4 * 128256);
    const here = stage({}).activationsBytes - head;
    const quarter = run({ activationOffloadLayers: 8 });
    expect(quarter.stages[0]?.activationsBytes).toBe(0.75 * here + head);
    // Of all eight accelerators of the node.
    expect(quarter.hostBytes).toBe(8 * 0.25 * here);
    expect(run({ activationOffloadLayers: 32 }).stages[0]?.activationsBytes).toBe(head);
  });

  test('optimizer states are counted on the host', () => {
    const here = run({ dataSharding: 'zero-1' });
    const moved = run({ dataSharding: 'zero-1', offload: 'optimizer-cpu' });
    expect(moved.stages[0]?.optimizerBytes).toBe(0);
    expect(moved.hostBytes).toBe(8 * (here.stages[0]?.optimizerBytes ?? 0));
    expect(here.hostBytes).toBe(0);
  });
});

test('fully sharded weights gather two layers, a gradient in both formats, and the ends', () => {
  const short = { ...llama, vocabSize: 1024 };
  const fsdp = { framework: 'fsdp', model: short } as const;
  const sharded = stage({ dataSharding: 'zero-3', recompute: 'full' }, 0, fsdp);
  const replicated = stage({ dataSharding: 'zero-2', recompute: 'full' }, 0, fsdp);
  const { denseLayer, embedding, head, finalNorm } = countParameters(
    resolveScenario({ model: short, cluster: 'dgx-h100' }).model,
  );
  const ends = embedding + head + finalNorm;
  const gathered = (2 * 2 + 2 + 4) * (denseLayer?.total ?? 0) + (2 + 2) * ends;
  // The loss over a vocabulary this short needs less than a layer.
  expect(total(sharded) - total(replicated)).toBe(gathered);
});

/** Beside the states. */
function total({ activationsBytes, buffersBytes }: StageMemory): number {
  return activationsBytes + buffersBytes;
}

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
