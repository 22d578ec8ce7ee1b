import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { checkRunFile } from '../../src/scenario/parseRunFile.js';
import { resolveScenario } from '../../src/scenario/resolveScenario.js';
import type { RunFileInput } from '../../src/scenario/runFileSchema.js';
import { parseOverride, setPaths } from '../../src/scenario/setPath.js';

const run: RunFileInput = {
  model: { numLayers: 32, hiddenSize: 4096, gatedMlp: true },
  cluster: { accelerator: 'h100-sxm-80', acceleratorsPerNode: 8 },
  accelerators: 16,
};

function strategyOf(changes: Partial<RunFileInput>) {
  return resolveScenario({ ...run, ...changes }).strategy;
}

test('what the run file leaves out is filled in and noted with who says so', () => {
  const scenario = resolveScenario({ ...run, strategy: { tensorParallel: 2 } });
  expect(scenario.framework.id).toBe('megatron');
  expect(scenario.strategy).toMatchObject({
    sequenceParallel: true,
    dataSharding: 'zero-1',
    pipelineSchedule: '1f1b',
    microBatchSize: 1,
    globalBatchSize: 8,
    gradientDtype: 'fp32',
    attentionKernel: 'cudnn',
  });
  const filled = new Map(scenario.defaultsFilledIn.map(({ key, from }) => [key, from]));
  expect(filled.get('sequenceLength')).toBe('slipway');
  expect(filled.get('strategy.dataSharding')).toBe('megatron');
  expect(filled.has('strategy.tensorParallel')).toBe(false);
});

test('the framework and the accelerator decide the attention kernel', () => {
  expect(strategyOf({ framework: 'deepspeed' }).attentionKernel).toBe('flash-3');
  expect(strategyOf({ strategy: { flashAttention: false } }).attentionKernel).toBe('fused-softmax');
  expect(strategyOf({ framework: 'fsdp', strategy: { flashAttention: false } }).attentionKernel).toBe('unfused');
  const a100 = { accelerator: 'a100-sxm-80', acceleratorsPerNode: 8 };
  expect(strategyOf({ cluster: a100 }).attentionKernel).toBe('flash-2');
  expect(strategyOf({ cluster: a100, strategy: { attentionKernel: 'flash-1' } }).attentionKernel).toBe('flash-1');
});

test('frameworks differ, and so do their versions', () => {
  expect(strategyOf({ framework: 'fsdp' }).dataSharding).toBe('zero-3');
  expect(strategyOf({ framework: 'deepspeed' }).gradientDtype).toBe('bf16');
  expect(strategyOf({ frameworkVersion: 'Megatron-LM 2021' })).toMatchObject({
    dataSharding: 'ddp',
    precision: 'fp16',
  });
});

test('interleaving follows from virtual stages, and a layout says how many there are', () => {
  const strategy = strategyOf({ strategy: { pipelineParallel: 4, virtualStages: 2 } });
  expect(strategy).toMatchObject({ pipelineSchedule: 'interleaved-1f1b', overlapPipelineSend: true });
  const layout = strategyOf({ strategy: { pipelineParallel: 2, pipelineLayout: 'Et*8|(t*8|)*2t*8L' } });
  expect(layout).toMatchObject({ virtualStages: 2, stageLayers: [8, 8, 8, 8] });
});

test('a scenario is plain data', () => {
  const scenario = resolveScenario(run);
  expect(JSON.parse(JSON.stringify(scenario))).toEqual(scenario);
});

test('every published run parses', () => {
  const folder = new URL('../../validation/', import.meta.url);
  const mistakes: string[] = [];
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.jsonl'))) {
    for (const line of readFileSync(new URL(file, folder), 'utf8').split('\n').filter(Boolean)) {
      const row = JSON.parse(line) as { id: string; run: unknown };
      try {
        checkRunFile(row.run);
      } catch (error) {
        mistakes.push(`${row.id}: ${String(error)}`);
      }
    }
  }
  expect(mistakes).toEqual([]);
});

test('--set reaches every field and leaves the original alone', () => {
  const original = { strategy: { tensorParallel: 8, precision: 'bf16' } };
  const set = ['strategy.tensorParallel=4', 'model.moe.numExperts=8', 'training.tokens=1.5T', 'strategy.compile=true'];
  expect(setPaths(original, set.map(parseOverride))).toEqual({
    strategy: { tensorParallel: 4, precision: 'bf16', compile: true },
    model: { moe: { numExperts: 8 } },
    training: { tokens: '1.5T' },
  });
  expect(original.strategy.tensorParallel).toBe(8);
  expect(() => parseOverride('tensorParallel')).toThrow('is not path=value');
});
