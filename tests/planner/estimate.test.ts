import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SlipwayError } from '../../src/errors.js';
import {
  attentionKernels,
  contextMethods,
  dataShardings,
  optimizers,
  pipelineSchedules,
  precisions,
  recomputes,
} from '../../src/parallelism/strategy.js';
import { estimate } from '../../src/planner/estimate.js';
import { estimateTable } from '../../src/report/estimateTable.js';
import { toJson } from '../../src/report/json.js';
import { resolveScenario } from '../../src/scenario/resolveScenario.js';
import type { RunFileInput } from '../../src/scenario/runFileSchema.js';

const small: RunFileInput = {
  model: { name: 'small', numLayers: 24, hiddenSize: 2048, numAttentionHeads: 16, gatedMlp: true },
  cluster: { accelerator: 'a100-sxm-80', acceleratorsPerNode: 8 },
  accelerators: 16,
  sequenceLength: 2048,
  strategy: { globalBatchSize: 64 },
  training: { tokens: 20e9, dollarsPerAcceleratorHour: 2 },
};

const power = (most: number) => fc.integer({ min: 0, max: most }).map((exponent) => 2 ** exponent);
const runs: fc.Arbitrary<RunFileInput> = fc
  .record({
    framework: fc.constantFrom('megatron', 'deepspeed', 'fsdp', 'xla'),
    accelerators: power(10),
    sequenceLength: power(14),
    experts: fc.constantFrom(0, 8),
    strategy: fc.record(
      {
        tensorParallel: power(3),
        contextParallel: power(1),
        contextMethod: fc.constantFrom(...contextMethods),
        pipelineParallel: power(3),
        virtualStages: fc.constantFrom(1, 1, 2, 3),
        pipelineSchedule: fc.constantFrom(...pipelineSchedules),
        expertParallel: power(2),
        dataSharding: fc.constantFrom(...dataShardings),
        microBatchSize: power(3),
        globalBatchSize: power(10),
        recompute: fc.constantFrom(...recomputes),
        precision: fc.constantFrom(...precisions),
        optimizer: fc.constantFrom(...optimizers),
        attentionKernel: fc.constantFrom(...attentionKernels),
        compile: fc.boolean(),
      },
      { requiredKeys: ['globalBatchSize'] },
    ),
  })
  .map(({ experts, ...run }) => ({
    ...small,
    ...run,
    model: {
      numLayers: 24,
      hiddenSize: 2048,
      numAttentionHeads: 16,
      ...(experts > 0 ? { moe: { numExperts: experts, expertsPerToken: 2 } } : {}),
    },
  }));

test('no accepted run gives NaN, Infinity or a negative number, and the exposed times add up to the step', () => {
  let answered = 0;
  fc.assert(
    fc.property(runs, (run) => {
      try {
        const result = estimate(resolveScenario(run), { advice: false });
        answered += 1;
        toJson(result);
        const sum = Object.values(result.step.breakdown).reduce((total, part) => total + part, 0);
        expect(sum).toBeCloseTo(result.step.seconds, 6);
        for (const stage of result.memory.stages) {
          const states = stage.weightsBytes + stage.gradientsBytes + stage.optimizerBytes;
          expect((states + stage.activationsBytes + stage.buffersBytes) / stage.peakBytes).toBeCloseTo(1, 6);
        }
        expect(estimateTable(result, { columns: 80, color: false })).not.toMatch(/NaN|Infinity|undefined/);
      } catch (error) {
        if (!(error instanceof SlipwayError)) throw error;
        expect(error.message).not.toMatch(/NaN|Infinity|undefined|\n/);
      }
    }),
    { numRuns: 800 },
  );
  expect(answered).toBeGreaterThan(40);
});

test('advice fits, is faster, and says by how much', () => {
  const slow = { ...small, strategy: { globalBatchSize: 64, recompute: 'full' as const } };
  const { advice, step, memory } = estimate(resolveScenario(slow));
  expect(memory.fits).toBe(true);
  expect(advice.length).toBeGreaterThan(0);
  for (const { change, stepSecondsDelta } of advice) {
    const next = estimate(resolveScenario({ ...slow, strategy: { ...slow.strategy, ...change } as object }), {
      advice: false,
    });
    expect(next.memory.fits).toBe(true);
    expect(stepSecondsDelta).toBeLessThan(0);
    expect(next.step.seconds - step.seconds).toBeCloseTo(stepSecondsDelta, 6);
  }
});

test('advice for a pipeline rests on the simulation, like the estimate itself', () => {
  const run = {
    model: 'llama3-8b',
    cluster: 'dgx-h100',
    accelerators: 32,
    strategy: { globalBatchSize: 64, tensorParallel: 2, pipelineParallel: 4, recompute: 'full' as const },
  };
  const { advice, step, memory } = estimate(resolveScenario(run));
  expect(step.method).toBe('simulation');
  expect(advice.length).toBeGreaterThan(1);
  for (const { change, stepSecondsDelta, peakBytesDelta } of advice) {
    const changed = resolveScenario({ ...run, strategy: { ...run.strategy, ...change } as object });
    const next = estimate(changed, { advice: false });
    expect(next.step.method).toBe('simulation');
    expect(next.step.seconds).toBeCloseTo(step.seconds + stepSecondsDelta, 12);
    expect(next.memory.peakBytes).toBe(memory.peakBytes + peakBytesDelta);
  }
});

test('advice for what does not fit makes it fit', () => {
  const large = { ...small, strategy: { globalBatchSize: 512, microBatchSize: 32, dataSharding: 'ddp' as const } };
  const { advice, memory, warnings } = estimate(resolveScenario(large));
  expect(memory.fits).toBe(false);
  expect(warnings.map(({ code }) => code)).toContain('does-not-fit');
  expect(advice[0]?.message).toContain('fits');
});

test('what fits with less than a twentieth of the memory free is said to be tight', () => {
  const strategy = { globalBatchSize: 64, microBatchSize: 4, dataSharding: 'ddp' as const };
  const tight = Array.from({ length: 120 }, (_, index) => 1024 + 64 * index).flatMap((sequenceLength) => {
    const { memory, warnings } = estimate(resolveScenario({ ...small, sequenceLength, strategy }), { advice: false });
    const found = warnings.filter(({ code }) => code === 'tight-fit');
    expect(found.length > 0).toBe(memory.fits && memory.deviceBytes > 0.95 * memory.capacityBytes);
    return found;
  });
  expect(tight.length).toBeGreaterThan(0);
  expect(tight[0]?.message).toMatch(/^only [\d.]+ GiB of [\d.]+ GiB stay free/);
});

test('conventions of MFU differ and are named', () => {
  const scenario = resolveScenario(small);
  const mfu = (flopsConvention: 'megatron' | 'palm' | 'causal') =>
    estimate(scenario, { flopsConvention, advice: false }).throughput;
  expect(mfu('causal').mfu).toBeLessThan(mfu('megatron').mfu);
  expect(mfu('palm').flopsConvention).toBe('palm');
  expect(mfu('megatron').mfu).toBe(mfu('megatron').hfu);
});

test('without tokens the run is unknown, not free', () => {
  const { training } = estimate(resolveScenario({ ...small, training: {} }), { advice: false });
  expect(training).toMatchObject({ tokens: null, days: null, costUsd: null });
  expect(training.goodput).toBeGreaterThan(0.9);
});

describe('outside the runs that were checked', () => {
  const messages = (changes: Partial<RunFileInput>) =>
    estimate(resolveScenario({ model: 'llama3-8b', cluster: 'dgx-a100', accelerators: 64, ...changes }))
      .warnings.filter(({ code }) => code === 'outside-validated-range')
      .map(({ message }) => message);

  test('nothing is said of what they cover', () => {
    expect(messages({})).toEqual([]);
  });

  test('what they do not cover is named: chip, kind of model, precision, framework, scale', () => {
    expect(messages({ cluster: 'workstation-4090', accelerators: 8 })[0]).toMatch(/^no published runs on .*4090/);
    expect(messages({ cluster: 'frontier' })[0]).toMatch(/^(no|only \d+) published runs on MI250X/);
    expect(messages({ model: 'mixtral-8x7b' })).toEqual([
      expect.stringMatching(/^no mixture-of-experts published runs on A100 .* to check against$/),
    ]);
    expect(messages({ framework: 'xla' })).toEqual([expect.stringMatching(/^no xla published runs on A100/)]);
    expect(messages({ accelerators: 4096 })).toEqual([
      expect.stringMatching(/^4,096 accelerators; the largest of the/),
    ]);
  });
});
