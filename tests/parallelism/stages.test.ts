import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type ArchitectureInput, resolveArchitecture } from '../../src/model/architectureSchema.js';
import { degreesOf } from '../../src/parallelism/degrees.js';
import { layersPerChunk, splitStages, stageOfChunk } from '../../src/parallelism/stages.js';
import type { Strategy } from '../../src/parallelism/strategy.js';
import { resolveScenario } from '../../src/scenario/resolveScenario.js';

function stages(model: ArchitectureInput, strategy: Partial<Strategy>) {
  const { strategy: off } = resolveScenario({ model, cluster: 'dgx-h100', accelerators: 1, framework: 'megatron' });
  const chosen = { ...off, ...strategy };
  const architecture = resolveArchitecture(model);
  const accelerators = chosen.pipelineParallel;
  return splitStages(
    architecture,
    chosen,
    degreesOf({ model: architecture, accelerators, strategy: chosen, sequenceLength: 4096 }),
  );
}

const layersOf = (model: ArchitectureInput, strategy: Partial<Strategy>): number[] =>
  stages(model, strategy).map(({ denseLayers, moeLayers }) => denseLayers + moeLayers);

test('layers that divide go in equal parts', () => {
  expect(layersPerChunk(32, 4, [])).toEqual([8, 8, 8, 8]);
  expect(layersPerChunk(3, 1, [])).toEqual([3]);
});

test('embedding and head each take the place of a layer where that evens it out', () => {
  expect(layersPerChunk(126, 16, [])).toEqual([7, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 7]);
  expect(layersPerChunk(62, 8, [])).toEqual([7, 8, 8, 8, 8, 8, 8, 7]);
});

test('Llama 3: 126 layers on 16 stages of 8 chunks, one layer a chunk but for the first and last', () => {
  const chunks = layersPerChunk(126, 128, []);
  expect(chunks[0]).toBe(0);
  expect(chunks[127]).toBe(0);
  expect(chunks.slice(1, 127).every((layers) => layers === 1)).toBe(true);
  const model = { numLayers: 126, hiddenSize: 16384, gatedMlp: true };
  const layers = layersOf(model, { pipelineParallel: 16, virtualStages: 8, pipelineSchedule: 'interleaved-1f1b' });
  expect(layers).toEqual([7, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 7]);
});

test('an odd layer goes to the stage with less else to do', () => {
  // DeepSeek V3's 61 layers: the last stage has the head, the first the embedding, which costs less.
  expect(layersPerChunk(61, 2, [])).toEqual([30, 31]);
  expect(layersPerChunk(10, 4, [])).toEqual([2, 3, 3, 2]);
  expect(layersPerChunk(9, 4, [])).toEqual([2, 3, 2, 2]);
});

test('layers that are given are taken', () => {
  const model = { numLayers: 61, hiddenSize: 7168, gatedMlp: true };
  expect(layersOf(model, { pipelineParallel: 4, stageLayers: [14, 16, 16, 15] })).toEqual([14, 16, 16, 15]);
  const interleaved = {
    pipelineParallel: 2,
    virtualStages: 2,
    pipelineSchedule: 'interleaved-1f1b',
    stageLayers: [10, 20, 20, 11],
  } as const;
  expect(layersOf(model, interleaved)).toEqual([30, 31]);
});

test('chunks go round robin, or there and back', () => {
  const chunks = [0, 1, 2, 3, 4, 5, 6, 7];
  expect(chunks.map((chunk) => stageOfChunk(chunk, 4, false))).toEqual([0, 1, 2, 3, 0, 1, 2, 3]);
  expect(chunks.map((chunk) => stageOfChunk(chunk, 4, true))).toEqual([0, 1, 2, 3, 3, 2, 1, 0]);
});

test('a V brings embedding and head together on the first stage', () => {
  const model = { numLayers: 30, hiddenSize: 4096 };
  const v = stages(model, { pipelineParallel: 4, virtualStages: 2, pipelineSchedule: 'zb-v' });
  // Chunks of 3, 4, ..., 4, 3 layers: the two short ones meet.
  expect(v.map(({ denseLayers }) => denseLayers)).toEqual([6, 8, 8, 8]);
  expect(v.map(({ hasEmbedding, hasHead }) => [hasEmbedding, hasHead])).toEqual([
    [true, true],
    [false, false],
    [false, false],
    [false, false],
  ]);
  const straight = stages(model, { pipelineParallel: 4 });
  expect(straight.map(({ hasEmbedding, hasHead }) => [hasEmbedding, hasHead])).toEqual([
    [true, false],
    [false, false],
    [false, false],
    [false, true],
  ]);
});

test('dense layers come first, then those with experts', () => {
  const model = {
    numLayers: 61,
    hiddenSize: 7168,
    gatedMlp: true,
    moe: { numExperts: 256, expertsPerToken: 8, numDenseLayers: 3 },
  };
  const split = stages(model, { pipelineParallel: 4, stageLayers: [16, 15, 15, 15] });
  expect(split.map(({ denseLayers, moeLayers }) => [denseLayers, moeLayers])).toEqual([
    [3, 13],
    [0, 15],
    [0, 15],
    [0, 15],
  ]);
});

test('every other layer with experts, interleaved over two stages', () => {
  const model = {
    numLayers: 8,
    hiddenSize: 1024,
    gatedMlp: true,
    moe: { numExperts: 8, expertsPerToken: 1, every: 2 },
  };
  const split = stages(model, { pipelineParallel: 2, virtualStages: 4, pipelineSchedule: 'interleaved-1f1b' });
  // Layers 0, 2, 4, 6 are dense and all fall on the first stage.
  expect(split.map(({ denseLayers, moeLayers }) => [denseLayers, moeLayers])).toEqual([
    [4, 0],
    [0, 4],
  ]);
});

test('no layer is lost, and no two inner chunks differ by more than one', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 128 }), (numLayers, chunks) => {
      if (chunks > numLayers + 2) return;
      const layers = layersPerChunk(numLayers, chunks, []);
      expect(layers).toHaveLength(chunks);
      expect(layers.reduce((sum, n) => sum + n, 0)).toBe(numLayers);
      expect(Math.max(...layers) - Math.min(...layers)).toBeLessThanOrEqual(1);
    }),
  );
});
