import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { acceleratorInputSchema } from '../../src/hardware/acceleratorSchema.js';
import { clusterInputSchema } from '../../src/hardware/clusterSchema.js';
import { deriveDegrees } from '../../src/parallelism/degrees.js';
import { loadCluster } from '../../src/scenario/loadHardware.js';
import { loadRun } from '../../src/scenario/loadScenario.js';
import { checkRunFile } from '../../src/scenario/parseRunFile.js';
import { listPresets } from '../../src/scenario/presetFiles.js';
import { resolveScenario } from '../../src/scenario/resolveScenario.js';
import type { RunFileInput } from '../../src/scenario/runFileSchema.js';
import { parseOverride, setPaths } from '../../src/scenario/setPath.js';
import { writeOutPreset } from '../../src/scenario/writeOutPreset.js';

const run: RunFileInput = {
  model: { numLayers: 32, hiddenSize: 4096, gatedMlp: true },
  cluster: { accelerator: 'h100-sxm-80', acceleratorsPerNode: 8 },
  accelerators: 16,
};

function strategyOf(changes: Partial<RunFileInput>) {
  return resolveScenario({ ...run, ...changes }).strategy;
}

test('recipes of NVIDIA overlap tensor-parallel collectives, but not in nvfp4 and not beside experts', () => {
  const recipe = { frameworkVersion: 'NeMo container 26.02' };
  const overlap = (changes: Partial<RunFileInput>) => strategyOf({ ...recipe, ...changes }).tensorOverlap;
  expect(overlap({ strategy: { tensorParallel: 4 } })).toBe(true);
  const b200 = { accelerator: 'b200-sxm-180', acceleratorsPerNode: 8 };
  expect(overlap({ cluster: b200, strategy: { tensorParallel: 4, precision: 'nvfp4' } })).toBe(false);
  expect(overlap({ strategy: { tensorParallel: 4, tensorOverlap: false } })).toBe(false);
  const moe = { numExperts: 8, expertsPerToken: 2, expertIntermediateSize: 2048 };
  expect(overlap({ model: { numLayers: 32, hiddenSize: 4096, moe }, strategy: { tensorParallel: 4 } })).toBe(false);
  expect(strategyOf({ strategy: { tensorParallel: 4 } }).tensorOverlap).toBe(false);
});

test('a recipe of NVIDIA gives each layer a chunk where nothing is said of the pipeline and the layers divide', () => {
  const recipe = { frameworkVersion: 'NeMo container 24.11' };
  const stages = (changes: Partial<RunFileInput>) => strategyOf({ ...recipe, ...changes });
  expect(stages({ strategy: { pipelineParallel: 4 } })).toMatchObject({
    virtualStages: 8,
    pipelineSchedule: 'interleaved-1f1b',
  });
  expect(stages({ strategy: { pipelineParallel: 4, pipelineSchedule: '1f1b' } }).virtualStages).toBe(1);
  expect(stages({ model: { numLayers: 29, hiddenSize: 4096 }, strategy: { pipelineParallel: 4 } }).virtualStages).toBe(
    1,
  );
  expect(strategyOf({ strategy: { pipelineParallel: 4 } }).virtualStages).toBe(1);
});

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

describe('what no estimate could be right for', () => {
  const run = { model: 'llama3-8b', cluster: 'dgx-h100' };
  const cluster = { accelerator: 'h100-sxm-80', acceleratorsPerNode: 8 };

  test.each<[string, object, string]>([
    [
      'a format that the hardware lacks',
      { cluster: 'dgx-a100', strategy: { precision: 'fp8' } },
      'has no fp8 figure; use fp32, tf32, fp16, bf16',
    ],
    ['block-scaled fp8 on Hopper', { strategy: { precision: 'mxfp8' } }, 'H100 SXM5 80GB has no mxfp8 figure; use fp8'],
    ['no network', { cluster: { ...cluster, nodeNetworkGbitPerSecond: 0 }, accelerators: 16 }, 'which has none; use 8'],
    ['an efficiency of 0', { cluster: { ...cluster, networkEfficiency: 0 } }, 'must be more than 0, found 0'],
    ['an efficiency above 1', { cluster: { ...cluster, networkEfficiency: 5 } }, 'must be at most 1, found 5'],
    [
      'more facility power than there is',
      { cluster: { ...cluster, powerUsageEffectiveness: 0.5 } },
      'at least 1, found 0.5',
    ],
    ['an interleaved pipeline of one stage', { strategy: { virtualStages: 4 } }, 'needs pipelineParallel above 1'],
    [
      'a layout of other layers',
      { strategy: { pipelineLayout: 'Et*3L' } },
      'holds 3 layers (t), but Llama 3 8B has 32',
    ],
    [
      'a layout of other stages',
      { strategy: { pipelineLayout: 'Et*16|t*16L' } },
      'has 2 chunks, for pipelineParallel 1; give 1',
    ],
  ])('%s', (_, changes, message) => {
    expect(() => deriveDegrees(resolveScenario({ ...run, ...changes }))).toThrow(message);
  });
});

test('--set changes a part of a preset, which then is no longer that preset', async () => {
  const set = ['model.numLayers=16', 'cluster.accelerator.memoryBytes=160 GiB'].map(parseOverride);
  const base = ['model=llama3-8b', 'cluster=dgx-h100'].map(parseOverride);
  const { scenario } = await loadRun(undefined, [...base, ...set]);
  expect(scenario.model).toMatchObject({ name: 'Llama 3 8B (changed)', numLayers: 16, hiddenSize: 4096 });
  expect(scenario.cluster.accelerator).toMatchObject({ id: 'h100-sxm-80-changed', memoryBytes: 160 * 2 ** 30 });
  expect(scenario.cluster.accelerator.usableMemoryBytes).toBeGreaterThan(150 * 2 ** 30);
});

test.each(listPresets('clusters'))('%s written out is the same cluster', (name) => {
  const rename = (fields: object) => ({ ...fields, id: '', name: '' });
  const written = clusterInputSchema.parse(writeOutPreset(['cluster'], name));
  const accelerator = acceleratorInputSchema.parse(
    writeOutPreset(['cluster', 'accelerator'], String(written.accelerator)),
  );
  const inline = loadCluster({ ...written, accelerator });
  const preset = loadCluster(name);
  expect(rename({ ...inline, accelerator: rename(inline.accelerator) })).toEqual(
    rename({ ...preset, accelerator: rename(preset.accelerator) }),
  );
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
