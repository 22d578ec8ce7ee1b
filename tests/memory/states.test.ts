import { describe, expect, test } from 'vitest';
import { lowPrecisionWeightBytes, stateBytes } from '../../src/memory/states.js';
import { resolveScenario } from '../../src/scenario/resolveScenario.js';
import type { RunFileInput } from '../../src/scenario/runFileSchema.js';
import { prepare } from '../../src/simulation/prepare.js';

type Strategy = NonNullable<RunFileInput['strategy']>;

/** States of a rank that holds `dense` and `expert` parameters of Mixtral on 32 H100. */
function states(
  strategy: Strategy,
  parameters = { dense: 1000, expert: 0 },
  framework: 'megatron' | 'deepspeed' = 'megatron',
) {
  const p = prepare(
    resolveScenario({ model: 'mixtral-8x7b', cluster: 'dgx-h100', accelerators: 32, framework, strategy }),
  );
  return stateBytes(parameters, parameters.dense, p.degrees, p.strategy, p.framework);
}

describe('sharding divides what its level says', () => {
  const whole = { weights: 2000, gradients: 2000, optimizer: 12_000, offloaded: 0 };
  test.each([
    { dataSharding: 'ddp', expected: whole },
    { dataSharding: 'zero-1', expected: { ...whole, optimizer: 12_000 / 32 } },
    { dataSharding: 'zero-2', expected: { ...whole, gradients: 2000 / 32, optimizer: 12_000 / 32 } },
    {
      dataSharding: 'zero-3',
      expected: { weights: 2000 / 32, gradients: 2000 / 32, optimizer: 12_000 / 32, offloaded: 0 },
    },
  ] as const)('$dataSharding', ({ dataSharding, expected }) => {
    expect(states({ dataSharding }, undefined, 'deepspeed')).toEqual(expected);
  });
});

test('context-parallel ranks hold the same weights, so they share the states too', () => {
  const contextual = states({ dataSharding: 'zero-1', contextParallel: 4, contextMethod: 'ring' });
  expect(contextual.optimizer).toBe(12_000 / 32);
  expect(states({ dataSharding: 'zero-1', tensorParallel: 4 }).optimizer).toBe(12_000 / 8);
});

test('HSDP shards inside its groups only', () => {
  expect(states({ dataSharding: 'zero-3', shardGroupSize: 8 }).optimizer).toBe(12_000 / 8);
});

test('experts are divided over the copies of an expert: 8-way expert parallelism leaves 4 of 32', () => {
  const { optimizer } = states({ dataSharding: 'zero-1', expertParallel: 8 }, { dense: 1000, expert: 1000 });
  expect(optimizer).toBe(12_000 / 32 + 12_000 / 4);
});

describe('offload moves states off the device', () => {
  test('the optimizer, whole or in part', () => {
    const all = states({ dataSharding: 'zero-1', offload: 'optimizer-cpu' });
    expect(all).toMatchObject({ weights: 2000, gradients: 4000, optimizer: 0, offloaded: 12_000 / 32 });
    const half = states({ dataSharding: 'zero-1', offload: 'optimizer-cpu', optimizerOffloadFraction: 0.5 });
    expect(half).toMatchObject({ optimizer: 6000 / 32, offloaded: 6000 / 32 });
  });

  test('weights go with the optimizer where both are named', () => {
    const moved = states({ dataSharding: 'zero-3', offload: 'parameters-cpu', optimizerOffloadFraction: 1 });
    expect(moved).toMatchObject({ weights: 0, optimizer: 0, offloaded: 14_000 / 32 });
  });
});

describe('gradients that are not one tensor of gradientDtype', () => {
  const gradients = (precision: Strategy['precision'], frameworkVersion: string): number => {
    const p = prepare(
      resolveScenario({
        model: 'gpt3-13b',
        cluster: 'dgx-a100',
        accelerators: 32,
        framework: 'megatron',
        frameworkVersion,
        strategy: { precision, dataSharding: 'zero-1', tensorParallel: 8 },
      }),
    );
    return stateBytes({ dense: 1000, expert: 0 }, 1000, p.degrees, p.strategy, p.framework).gradients;
  };

  test('Megatron-DeepSpeed: fp16, or bf16 beside an fp32 sum', () => {
    expect(gradients('fp16', 'Megatron-DeepSpeed')).toBe(2 * 1000);
    expect(gradients('bf16', 'Megatron-DeepSpeed')).toBe((2 + 4) * 1000);
  });

  test("Megatron: the fp32 buffer alone, as autograd's are placeholders", () => {
    expect(gradients('bf16', 'Megatron-Core')).toBe(4 * 1000);
  });
});

describe('copies of matrices in low precision', () => {
  const copies = (precision: Strategy['precision'], frameworkVersion?: string): number => {
    const version = frameworkVersion === undefined ? {} : { frameworkVersion };
    const { strategy, framework } = resolveScenario({
      model: 'llama3-8b',
      cluster: 'dgx-b200',
      framework: 'megatron',
      ...version,
      strategy: { precision },
    });
    return lowPrecisionWeightBytes(strategy, framework);
  };

  test('fp8 in two layouts, unless the weights themselves are kept in fp8', () => {
    expect(copies('bf16')).toBe(0);
    expect(copies('fp8')).toBe(2);
    expect(copies('fp8', 'NeMo 2.1')).toBe(0);
  });

  test('nvfp4 in two layouts with a scale for every 16 elements', () => {
    expect(copies('nvfp4')).toBe(2 * (0.5 + 1 / 16));
  });
});
