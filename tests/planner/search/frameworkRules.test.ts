import { describe, expect, test } from 'vitest';
import { type FrameworkRules, rulesOf, type SplitDegrees } from '../../../src/planner/search/frameworkRules.js';
import { OpenKeys } from '../../../src/planner/search/openKeys.js';
import { Space } from '../../../src/planner/search/space.js';
import { resolveScenario } from '../../../src/scenario/resolveScenario.js';
import type { RunFileInput } from '../../../src/scenario/runFileSchema.js';

function rules(framework: NonNullable<RunFileInput['framework']>, frameworkVersion?: string): FrameworkRules {
  const version = frameworkVersion === undefined ? {} : { frameworkVersion };
  return rulesOf(resolveScenario({ model: 'llama3-8b', cluster: 'dgx-h100', framework, ...version }).framework);
}

const off: SplitDegrees = {
  precision: 'bf16',
  tensorParallel: 1,
  sequenceParallel: false,
  tensorOverlap: false,
  contextParallel: 1,
  expertParallel: 1,
  expertTensorParallel: 1,
  pipelineParallel: 1,
  dataParallel: 8,
};

describe('Megatron-Core', () => {
  const megatron = rules('megatron');
  const split = (degrees: Partial<SplitDegrees>, experts = false): unknown =>
    megatron.refusesDegrees({ ...off, ...degrees }, experts);
  const interleaved = (pipelineParallel: number, microBatches: number, overlapPipelineSend = true): unknown =>
    megatron.refusesSchedule(
      { pipelineParallel, pipelineSchedule: 'interleaved-1f1b', virtualStages: 2, overlapPipelineSend },
      microBatches,
    );

  test('experts with tensor parallelism need sequence parallelism, and so does overlap with matrix products', () => {
    expect(split({ tensorParallel: 2 }, true)).toBe('sequenceParallel');
    expect(split({ tensorParallel: 2, sequenceParallel: true }, true)).toBeUndefined();
    expect(split({ tensorParallel: 2, tensorOverlap: true })).toBe('sequenceParallel');
    expect(split({ tensorParallel: 2, tensorOverlap: true, sequenceParallel: true })).toBeUndefined();
    expect(split({ tensorParallel: 2 })).toBeUndefined();
  });

  test('expert parallelism does not train in fp16', () => {
    expect(split({ expertParallel: 2, precision: 'fp16' }, true)).toBe('expertParallel');
    expect(split({ expertParallel: 2 }, true)).toBeUndefined();
    expect(split({ precision: 'fp16' }, true)).toBeUndefined();
  });

  test('interleaving takes whole groups, and more than two ranks where messages do not overlap', () => {
    expect(interleaved(4, 8)).toBeUndefined();
    expect(interleaved(4, 6)).toBe('virtualStages');
    expect(interleaved(2, 8)).toBeUndefined();
    expect(interleaved(2, 8, false)).toBe('virtualStages');
    expect(interleaved(4, 8, false)).toBeUndefined();
  });

  test('optimizer states alone are sharded in a pipeline, and offloaded with that only', () => {
    const { strategy } = resolveScenario({ model: 'llama3-8b', cluster: 'dgx-h100' });
    const states = (change: Partial<typeof strategy>): unknown => megatron.refusesStates({ ...strategy, ...change });
    expect(states({ pipelineParallel: 2, dataSharding: 'zero-1' })).toBeUndefined();
    expect(states({ pipelineParallel: 2, dataSharding: 'zero-2' })).toBe('dataSharding');
    expect(states({ dataSharding: 'zero-3' })).toBeUndefined();
    expect(states({ dataSharding: 'zero-1', offload: 'optimizer-cpu' })).toBeUndefined();
    expect(states({ dataSharding: 'ddp', offload: 'optimizer-cpu' })).toBe('offload');
  });
});

describe('DeepSpeed', () => {
  const deepspeed = rules('deepspeed');
  const { strategy } = resolveScenario({ model: 'llama3-8b', cluster: 'dgx-h100', framework: 'deepspeed' });
  const states = (change: Partial<typeof strategy>): unknown =>
    deepspeed.refusesStates({ ...strategy, offload: 'none', ...change });

  test('a pipeline refuses zero-2 and zero-3, expert layers refuse zero-3', () => {
    expect(states({ pipelineParallel: 2, dataSharding: 'zero-1' })).toBeUndefined();
    expect(states({ pipelineParallel: 2, dataSharding: 'zero-2' })).toBe('dataSharding');
    expect(states({ pipelineParallel: 2, dataSharding: 'zero-3' })).toBe('dataSharding');
    expect(states({ expertParallel: 2, dataSharding: 'zero-2' })).toBeUndefined();
    expect(states({ expertParallel: 2, dataSharding: 'zero-3' })).toBe('dataSharding');
  });

  test('parameters go to the host, and anything to NVMe, with zero-3 only', () => {
    expect(states({ dataSharding: 'zero-2', offload: 'optimizer-cpu' })).toBeUndefined();
    expect(states({ dataSharding: 'zero-2', offload: 'optimizer-nvme' })).toBe('offload');
    expect(states({ dataSharding: 'zero-2', offload: 'parameters-cpu' })).toBe('offload');
    expect(states({ dataSharding: 'zero-3', offload: 'parameters-nvme' })).toBeUndefined();
    expect(states({ dataSharding: 'ddp', offload: 'optimizer-cpu' })).toBe('offload');
  });

  test('Ulysses goes without tensor and pipeline parallelism', () => {
    expect(deepspeed.contextMethods).toEqual(['ulysses']);
    expect(deepspeed.refusesDegrees({ ...off, contextParallel: 2 }, false)).toBeUndefined();
    expect(deepspeed.refusesDegrees({ ...off, contextParallel: 2, tensorParallel: 2 }, false)).toBe('contextParallel');
    expect(deepspeed.refusesDegrees({ ...off, contextParallel: 2, pipelineParallel: 2 }, false)).toBe(
      'contextParallel',
    );
  });
});

describe('torchtitan', () => {
  const torchtitan = rules('fsdp', 'torchtitan');
  const split = (degrees: Partial<SplitDegrees>): unknown => torchtitan.refusesDegrees({ ...off, ...degrees }, true);

  test('without expert tensor parallelism, experts take all context- and tensor-parallel ranks', () => {
    expect(split({ expertParallel: 8 })).toBeUndefined();
    expect(split({ expertParallel: 16 })).toBe('expertParallel');
    expect(split({ expertParallel: 2, tensorParallel: 4 })).toBe('expertParallel');
    expect(split({ expertParallel: 4, tensorParallel: 4 })).toBeUndefined();
    expect(split({ expertParallel: 32, tensorParallel: 4 })).toBeUndefined();
    expect(split({ expertParallel: 2, contextParallel: 4 })).toBe('expertParallel');
    expect(split({ expertParallel: 4, contextParallel: 4 })).toBeUndefined();
  });

  test('experts are split as everything else or not at all', () => {
    expect(split({ expertParallel: 4, tensorParallel: 4, expertTensorParallel: 2 })).toBe('expertTensorParallel');
    expect(split({ expertParallel: 8, tensorParallel: 4, expertTensorParallel: 4 })).toBeUndefined();
    expect(split({ expertParallel: 16, tensorParallel: 4, expertTensorParallel: 4 })).toBe('expertParallel');
  });

  test('plain FSDP has none of that', () => {
    const fsdp = rules('fsdp');
    expect([fsdp.tensorParallel, fsdp.pipelineParallel, fsdp.contextParallel, fsdp.expertParallel]).toEqual(
      new Array(4).fill(false),
    );
  });
});

describe('what the search offers', () => {
  const offered = (run: Partial<RunFileInput>): ReturnType<Space['strategies']> =>
    new Space(
      new OpenKeys(
        resolveScenario({
          model: { name: 'd', numLayers: 4, hiddenSize: 2048, numAttentionHeads: 16 },
          cluster: 'dgx-h100',
          accelerators: 4,
          sequenceLength: 1024,
          ...run,
        }),
        {},
      ),
    ).strategies();

  test('keeps to two pieces of the sequence for a context-parallel rank', () => {
    const degrees = (sequenceLength: number): number[] => [
      ...new Set([...offered({ sequenceLength, strategy: { globalBatchSize: 4 } })].map((s) => s.contextParallel)),
    ];
    expect(degrees(1024)).toEqual([1, 2, 4]);
    // 12 = 2 x 2 x 3: four ranks would need eight pieces.
    expect(degrees(12)).toEqual([1, 2]);
  });

  test('captured graphs go without full recomputation in Megatron', () => {
    const policies = (cudaGraphs: 'none' | 'full'): string[] => [
      ...new Set([...offered({ strategy: { globalBatchSize: 4, cudaGraphs } })].map((s) => s.recompute)),
    ];
    expect(policies('none')).toEqual(['none', 'selective', 'full']);
    expect(policies('full')).toEqual(['none', 'selective']);
  });
});
