import { describe, expect, test } from 'vitest';
import { SlipwayError } from '../../src/errors.js';
import { type ArchitectureInput, resolveArchitecture } from '../../src/model/architectureSchema.js';
import { checkDegrees, type DegreeContext, degreesOf, deriveDegrees } from '../../src/parallelism/degrees.js';
import type { Strategy } from '../../src/parallelism/strategy.js';
import { resolveScenario } from '../../src/scenario/resolveScenario.js';

const dense: ArchitectureInput = {
  name: 'llama',
  numLayers: 32,
  hiddenSize: 4096,
  numAttentionHeads: 32,
  numKeyValueHeads: 8,
  intermediateSize: 14336,
  gatedMlp: true,
};
const experts: ArchitectureInput = { ...dense, name: 'mixture', moe: { numExperts: 8, expertsPerToken: 2 } };
const { strategy: off } = resolveScenario({
  model: dense,
  cluster: 'dgx-h100',
  accelerators: 1,
  framework: 'megatron',
});

function context(accelerators: number, strategy: Partial<Strategy>, more: Partial<DegreeContext> = {}): DegreeContext {
  const degrees = { tensorParallel: 1, pipelineParallel: 1, contextParallel: 1, ...strategy };
  const dataParallel = accelerators / (degrees.tensorParallel * degrees.pipelineParallel * degrees.contextParallel);
  const globalBatchSize = Number.isInteger(dataParallel) ? 16 * dataParallel : 16;
  return {
    model: resolveArchitecture(dense),
    accelerators,
    strategy: { ...off, globalBatchSize, ...strategy },
    sequenceLength: 4096,
    ...more,
  };
}

function mistake(
  accelerators: number,
  strategy: Partial<Strategy>,
  more: Partial<DegreeContext> = {},
): string | undefined {
  return checkDegrees(context(accelerators, strategy, more))[0]?.message;
}

const mixture = { model: resolveArchitecture(experts) };

describe('what follows from the degrees', () => {
  test('Llama 3 405B on 16,384: 8 x 16 x 1 leaves 128 replicas', () => {
    const d = deriveDegrees(
      resolveScenario({
        model: 'llama3-405b',
        cluster: 'meta-24k',
        accelerators: 16384,
        sequenceLength: 8192,
        strategy: {
          tensorParallel: 8,
          pipelineParallel: 16,
          virtualStages: 8,
          microBatchSize: 1,
          globalBatchSize: 2048,
        },
      }),
    );
    expect(d).toMatchObject({
      dataParallel: 128,
      gradientGroup: 128,
      shardGroup: 128,
      microBatches: 16,
      virtualStages: 8,
    });
  });

  test('context-parallel ranks share gradients and shards with the data-parallel ones', () => {
    expect(degreesOf(context(64, { tensorParallel: 4, contextParallel: 2 }))).toMatchObject({
      dataParallel: 8,
      gradientGroup: 16,
      shardGroup: 16,
    });
    expect(degreesOf(context(64, { contextParallel: 2, shardGroupSize: 8 }))).toMatchObject({
      gradientGroup: 64,
      shardGroup: 8,
    });
  });

  test('experts fold over tensor, context and data parallelism', () => {
    const d = degreesOf(
      context(64, { tensorParallel: 4, contextParallel: 2, expertParallel: 8, expertTensorParallel: 2 }, mixture),
    );
    // 64 ranks hold 8 x 2 different shards of experts.
    expect(d.expertDataParallel).toBe(4);
  });

  test('ZB-V has two chunks on every stage, whatever virtualStages says', () => {
    expect(degreesOf(context(8, { pipelineParallel: 4, pipelineSchedule: 'zb-v' })).virtualStages).toBe(2);
    expect(degreesOf(context(8, { pipelineParallel: 1, pipelineSchedule: 'zb-v' })).virtualStages).toBe(1);
  });
});

describe('every broken rule says what is wrong, the numbers and the way out', () => {
  test('degrees are counts', () => {
    expect(mistake(8, { tensorParallel: 0 })).toBe('tensorParallel 0 is not a whole number of at least 1');
    expect(mistake(8, { pipelineParallel: 1.5 })).toBe('pipelineParallel 1.5 is not a whole number of at least 1');
    expect(mistake(8, { microBatchSize: -1 })).toBe('microBatchSize -1 is not a whole number of at least 1');
    expect(mistake(8, { globalBatchSize: Number.NaN })).toBe('globalBatchSize NaN is not a whole number of at least 1');
    expect(mistake(8, {}, { accelerators: 0 })).toBe('accelerators 0 is not a whole number of at least 1');
    expect(mistake(8, {}, { sequenceLength: 0 })).toBe('sequenceLength 0 is not a whole number of at least 1');
  });

  test('the product divides the accelerators', () => {
    expect(mistake(100, { tensorParallel: 8, pipelineParallel: 4 })).toBe(
      'tensorParallel 8 x pipelineParallel 4 x contextParallel 1 = 32 does not divide 100 accelerators; use 96 or 128',
    );
    expect(mistake(4, { tensorParallel: 8 })).toBe(
      'tensorParallel 8 x pipelineParallel 1 x contextParallel 1 = 8 does not divide 4 accelerators; use at least 8',
    );
  });

  test('tensor parallelism divides heads, key-value heads and the feed-forward layer', () => {
    expect(mistake(12, { tensorParallel: 12 })).toBe(
      'tensorParallel 12 does not divide the 32 attention heads of llama; use 8 or 16',
    );
    const model = resolveArchitecture({ ...dense, numAttentionHeads: 24, hiddenSize: 3072, numKeyValueHeads: 6 });
    expect(mistake(4, { tensorParallel: 4 }, { model })).toBe(
      'tensorParallel 4 neither divides nor is a multiple of the 6 key-value heads of llama; use 3 or 6',
    );
    const odd = resolveArchitecture({ ...dense, intermediateSize: 11000 });
    expect(mistake(16, { tensorParallel: 16 }, { model: odd })).toBe(
      'tensorParallel 16 does not divide intermediateSize 11000 of llama; use 11 or 20',
    );
  });

  test('fewer key-value heads than ranks are copied, which is allowed', () => {
    expect(mistake(16, { tensorParallel: 16 })).toBeUndefined();
  });

  test('micro-batches fill the batch', () => {
    expect(mistake(8, { globalBatchSize: 100 })).toBe(
      'microBatchSize 1 x dataParallel 8 = 8 does not divide globalBatchSize 100; use 96 or 104',
    );
    expect(mistake(8, { globalBatchSize: 4 })).toBe(
      'microBatchSize 1 x dataParallel 8 = 8 does not divide globalBatchSize 4; use at least 8',
    );
  });

  test('the sequence divides over its ranks', () => {
    expect(mistake(8, { contextParallel: 8 }, { sequenceLength: 1001 })).toBe(
      'contextParallel 8 = 8 does not divide sequenceLength 1001; use 7 or 11',
    );
    expect(mistake(8, { tensorParallel: 8, sequenceParallel: true }, { sequenceLength: 1001 })).toBe(
      'contextParallel 1 x tensorParallel 8 (sequence parallel) = 8 does not divide sequenceLength 1001; use 7 or 11',
    );
  });

  test('Ulysses divides the heads of a rank', () => {
    const ulysses = { contextMethod: 'ulysses', tensorParallel: 8 } as const;
    expect(mistake(64, { ...ulysses, contextParallel: 8 })).toBe(
      'contextParallel 8 with ulysses does not divide the 4 heads per tensor-parallel rank; use 4',
    );
    expect(mistake(64, { ...ulysses, contextMethod: 'ring', contextParallel: 8 })).toBeUndefined();
  });

  test('layers fill the stages; embedding and head may take a place each', () => {
    const interleaved = { virtualStages: 5, pipelineSchedule: 'interleaved-1f1b' } as const;
    expect(mistake(8, { pipelineParallel: 8, ...interleaved })).toBe(
      'pipelineParallel 8 x virtualStages 5 = 40 stages for 32 layers of llama; use at most 32',
    );
    expect(mistake(34, { pipelineParallel: 34 })).toBeUndefined();
  });

  test('given layers fit', () => {
    expect(mistake(4, { pipelineParallel: 4, stageLayers: [8, 8, 16] })).toBe(
      'stageLayers has 3 entries for pipelineParallel 4 x virtualStages 1 = 4 stages; give 4',
    );
    expect(mistake(4, { pipelineParallel: 4, stageLayers: [7, 8, 8, 8] })).toBe(
      'stageLayers adds up to 31, but llama has 32 layers',
    );
    expect(mistake(4, { pipelineParallel: 4, stageLayers: [7, 9, 9, 7] })).toBeUndefined();
  });

  test('virtual stages go with a pipeline and a schedule that interleaves', () => {
    expect(mistake(4, { virtualStages: 2 })).toBe(
      'virtualStages 2 needs pipelineParallel above 1; use virtualStages 1',
    );
    expect(mistake(4, { pipelineParallel: 4, virtualStages: 2, pipelineSchedule: 'zb-h1' })).toBe(
      'virtualStages 2 does not go with pipelineSchedule zb-h1; use interleaved-1f1b',
    );
    expect(mistake(3, { pipelineParallel: 3, pipelineSchedule: 'dualpipe' })).toBe(
      'pipelineSchedule dualpipe needs an even pipelineParallel, not 3',
    );
  });

  test('experts divide over ranks', () => {
    expect(mistake(8, { expertParallel: 2 })).toBe('expertParallel 2 for llama, which has no experts; use 1');
    expect(mistake(12, { expertParallel: 3 }, mixture)).toBe(
      'expertParallel 3 does not divide the 8 experts of mixture; use 2 or 4',
    );
    expect(mistake(6, { expertParallel: 4 }, mixture)).toBe(
      'expertParallel 4 x expertTensorParallel 1 = 4 does not divide the 6 accelerators of a pipeline stage; use 3 or 6',
    );
  });

  test('shard groups divide the data-parallel ranks', () => {
    expect(mistake(12, { shardGroupSize: 8 })).toBe(
      'shardGroupSize 8 does not divide the 12 data-parallel ranks; use 6 or 12',
    );
  });
});

test('a search gets all reasons as values, a caller the first as an error that names the key', () => {
  const broken = context(8, {
    tensorParallel: 8,
    expertParallel: 2,
    globalBatchSize: 3,
    shardGroupSize: 5,
    microBatchSize: 2,
  });
  expect(checkDegrees(broken).map(({ code }) => code)).toEqual(['globalBatchSize', 'expertParallel', 'shardGroupSize']);
  expect(checkDegrees(context(100, { tensorParallel: 8, expertParallel: 2 }))).toHaveLength(1);
  const thrown = (): unknown => deriveDegrees(broken);
  expect(thrown).toThrow(SlipwayError);
  try {
    thrown();
  } catch (error) {
    expect(error).toMatchObject({ code: 'invalid-degrees', place: { key: 'strategy.globalBatchSize' } });
  }
});

test('reasons carry their numbers', () => {
  expect(checkDegrees(context(100, { tensorParallel: 8, pipelineParallel: 4 }))[0]?.numbers).toEqual({
    product: 32,
    accelerators: 100,
  });
});
