import { expect, test } from 'vitest';
import { bytesPerParameter, stateBytes } from '../../src/memory/states.js';
import { resolveScenario } from '../../src/scenario/resolveScenario.js';
import type { RunFileInput } from '../../src/scenario/runFileSchema.js';
import { prepare } from '../../src/simulation/prepare.js';

type Framework = NonNullable<RunFileInput['framework']>;
type Strategy = NonNullable<RunFileInput['strategy']>;

/** Bytes of weights, gradients and optimizer states that one of `d` data-parallel ranks holds of `parameters`. */
function states(framework: Framework, d: number, strategy: Strategy, parameters = 1): number {
  const p = preparedOn(framework, d, strategy);
  const { weights, gradients, optimizer } = stateBytes(
    { dense: parameters, expert: 0 },
    0,
    p.degrees,
    p.strategy,
    p.framework,
  );
  return weights + gradients + optimizer;
}

function preparedOn(framework: Framework, accelerators: number, strategy: Strategy) {
  return prepare(resolveScenario({ model: 'megatron-7.5b', cluster: 'dgx-a100', accelerators, framework, strategy }));
}

test('Megatron: 2 weight + 4 gradient + 12 optimizer = 18 bytes per parameter', () => {
  const { strategy, framework } = preparedOn('megatron', 1, {});
  expect(bytesPerParameter(strategy, framework)).toEqual({ weight: 2, gradient: 4, optimizer: 12 });
  expect(states('megatron', 1, { dataSharding: 'ddp' })).toBe(18);
  expect(states('megatron', 64, { dataSharding: 'ddp' })).toBe(18);
});

test.each([2, 8, 64, 1024])('Megatron with the distributed optimizer over %i ranks: 6 + 12 / d', (d) => {
  expect(states('megatron', d, { dataSharding: 'zero-1' })).toBe(6 + 12 / d);
});

test.each([1, 8, 64, 1024])('DeepSpeed over %i ranks: 16, ZeRO-1 4 + 12 / d, ZeRO-2 2 + 14 / d, ZeRO-3 16 / d', (d) => {
  expect(states('deepspeed', d, { dataSharding: 'ddp' })).toBe(16);
  expect(states('deepspeed', d, { dataSharding: 'zero-1' })).toBe(4 + 12 / d);
  expect(states('deepspeed', d, { dataSharding: 'zero-2' })).toBe(2 + 14 / d);
  expect(states('deepspeed', d, { dataSharding: 'zero-3' })).toBe(16 / d);
});

test('FSDP keeps fp32 weights and no second copy: 4 + 4 + 8 = 16, divided by the ranks', () => {
  expect(states('fsdp', 1, {})).toBe(16);
  expect(states('fsdp', 64, {})).toBe(16 / 64);
  // HSDP: 64 ranks, copies in groups of 8.
  expect(states('fsdp', 64, { shardGroupSize: 8 })).toBe(16 / 8);
});

/** Rajbhandari et al. 2020, figure 1 and section 5: 7.5 billion parameters on 64 accelerators. */
test.each([
  { dataSharding: 'ddp', gigabytes: 120 },
  { dataSharding: 'zero-1', gigabytes: 31.4 },
  { dataSharding: 'zero-2', gigabytes: 16.6 },
  { dataSharding: 'zero-3', gigabytes: 1.9 },
] as const)('ZeRO paper, 7.5B on 64: $dataSharding takes $gigabytes GB', ({ dataSharding, gigabytes }) => {
  expect(states('deepspeed', 64, { dataSharding }, 7.5e9) / 1e9).toBeCloseTo(gigabytes, 1);
});

/** Table 1 of the same paper, further columns: GB by stage at 1, 4, 16, 64, 256 and 1024 ranks. */
test.each([
  { billions: 7.5, d: 4, gigabytes: [52.5, 41.3, 30] },
  { billions: 7.5, d: 1024, gigabytes: [30.1, 15.1, 0.12] },
  { billions: 128, d: 16, gigabytes: [608, 368, 128] },
  { billions: 128, d: 256, gigabytes: [518, 263, 8] },
  { billions: 1000, d: 1024, gigabytes: [4011, 2013, 15.6] },
])('ZeRO paper, table 1: $billions B over $d ranks', ({ billions, d, gigabytes }) => {
  const stages = ['zero-1', 'zero-2', 'zero-3'] as const;
  stages.forEach((dataSharding, i) => {
    const printed = gigabytes[i] ?? Number.NaN;
    expect(Math.abs(states('deepspeed', d, { dataSharding }, billions * 1e9) / 1e9 / printed - 1)).toBeLessThan(0.025);
  });
});

test('other optimizers and formats', () => {
  const of = (strategy: Strategy): number => states('deepspeed', 1, { dataSharding: 'ddp', ...strategy });
  expect(of({ precision: 'fp32' })).toBe(4 + 4 + 8);
  expect(of({ optimizer: 'sgd' })).toBe(2 + 2 + 4 + 4);
  expect(of({ optimizer: 'adam8bit' })).toBe(2 + 2 + 4 + 2);
  expect(of({ optimizer: 'lion' })).toBe(2 + 2 + 4 + 4);
  expect(of({ gradientDtype: 'fp32' })).toBe(2 + 4 + 12);
});

test('expert parameters are divided over the replicas of an expert, not over all data-parallel ranks', () => {
  const p = prepare(
    resolveScenario({
      model: 'mixtral-8x7b',
      cluster: 'dgx-a100',
      accelerators: 64,
      framework: 'deepspeed',
      strategy: { expertParallel: 8, dataSharding: 'zero-1' },
    }),
  );
  const { optimizer } = stateBytes({ dense: 0, expert: 1 }, 0, p.degrees, p.strategy, p.framework);
  expect(p.degrees.expertDataParallel).toBe(8);
  expect(optimizer).toBe(12 / 8);
});
