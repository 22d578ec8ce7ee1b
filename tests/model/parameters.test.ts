import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Architecture } from '../../src/model/architecture.js';
import { type ArchitectureInput, resolveArchitecture } from '../../src/model/architectureSchema.js';
import { countParameters, layerKinds, layerParameters, moeLayerIndices } from '../../src/model/parameters.js';

const tinyLlama: ArchitectureInput = {
  numLayers: 2,
  hiddenSize: 8,
  numAttentionHeads: 4,
  numKeyValueHeads: 2,
  intermediateSize: 16,
  vocabSize: 100,
  gatedMlp: true,
};

describe('a layer, by hand', () => {
  test('LLaMA shape: four projections, three matrices, two norms', () => {
    const layer = layerParameters(resolveArchitecture(tinyLlama), 'dense');
    expect(layer.attention).toBe(8 * 8 + 8 * 4 + 8 * 4 + 8 * 8);
    expect(layer.mlp).toBe(3 * 8 * 16);
    expect(layer.norms).toBe(2 * 8);
    expect(layer.total).toBe(192 + 384 + 16);
  });

  test('GPT shape: 12 h^2 + 13 h', () => {
    const h = 256;
    const layer = layerParameters(resolveArchitecture({ numLayers: 1, hiddenSize: h }), 'dense');
    expect(layer.total).toBe(12 * h * h + 13 * h);
  });

  test('tensor parallelism leaves norms and the biases of row-parallel matrices whole', () => {
    const h = 256;
    const layer = layerParameters(resolveArchitecture({ numLayers: 1, hiddenSize: h }), 'dense');
    expect(layer.replicated).toBe(4 * h + 2 * h);
    expect(layer.tensorParallel).toBe(12 * h * h + 3 * h + 4 * h);
  });

  test('experts are counted apart; a token passes through the ones it visits', () => {
    const moe = { numExperts: 8, expertsPerToken: 2, expertIntermediateSize: 16 };
    const layer = layerParameters(resolveArchitecture({ ...tinyLlama, moe }), 'moe');
    expect(layer.experts).toBe(8 * 3 * 8 * 16);
    expect(layer.router).toBe(8 * 8);
    expect(layer.total - layer.active).toBe(6 * 3 * 8 * 16);
  });

  test('latent attention keeps its down-projections whole', () => {
    const mla = {
      queryLoraRank: 6,
      keyValueLoraRank: 5,
      queryKeyNopeHeadDim: 4,
      queryKeyRopeHeadDim: 2,
      valueHeadDim: 3,
    };
    const layer = layerParameters(resolveArchitecture({ ...tinyLlama, numKeyValueHeads: 4, mla }), 'dense');
    const down = 8 * 6 + 6 + 8 * (5 + 2) + 5;
    const up = 6 * 4 * (4 + 2) + 5 * 4 * (4 + 3) + 4 * 3 * 8;
    expect(layer.attention).toBe(down + up);
    expect(layer.replicated).toBe(down + 2 * 8);
  });
});

describe('which layers have experts', () => {
  const withExperts = (numLayers: number, numDenseLayers: number, every: number): Architecture =>
    resolveArchitecture({ ...tinyLlama, numLayers, moe: { numExperts: 4, expertsPerToken: 1, numDenseLayers, every } });

  test.each([
    ['all of them', 4, 0, 1, [0, 1, 2, 3]],
    ['all but the first three (DeepSeek-V3)', 6, 3, 1, [3, 4, 5]],
    ['every other one (Llama 4 Maverick)', 6, 0, 2, [1, 3, 5]],
    ['every other one after a dense one', 6, 1, 2, [2, 4]],
    ['none', 3, 3, 1, []],
  ])('%s', (_, numLayers, numDenseLayers, every, expected) => {
    const architecture = withExperts(numLayers, numDenseLayers, every);
    expect(moeLayerIndices(architecture)).toEqual(expected);
    expect(countParameters(architecture).moeLayers).toBe(expected.length);
  });
});

test('a padded vocabulary grows both tables', () => {
  const gpt = resolveArchitecture({ ...tinyLlama, vocabSize: 50257 });
  const padded = countParameters(gpt, { vocabularyPadding: 128 * 8 });
  expect(padded.embedding).toBe(51200 * 8);
  expect(padded.total - countParameters(gpt).total).toBe(2 * (51200 - 50257) * 8);
});

describe('for any model', () => {
  const architectures = anyArchitecture();

  test('layers and ends add up to the total', () => {
    fc.assert(
      fc.property(architectures, (architecture) => {
        const counts = countParameters(architecture);
        const layers = layerKinds(architecture).map((kind) => layerParameters(architecture, kind).total);
        const ends = counts.embedding + counts.head + counts.positions + counts.embeddingNorm + counts.finalNorm;
        expect(layers.reduce((sum, layer) => sum + layer, ends)).toBe(counts.total);
      }),
    );
  });

  test('both ways of dividing a layer add up to it, in whole numbers', () => {
    fc.assert(
      fc.property(architectures, fc.constantFrom('dense' as const, 'moe' as const), (architecture, kind) => {
        const layer = layerParameters(architecture, kind);
        const { attention, mlp, router, routedExperts, sharedExperts, norms } = layer;
        expect(attention + mlp + router + routedExperts + sharedExperts + norms).toBe(layer.total);
        expect(layer.tensorParallel + layer.replicated + layer.experts).toBe(layer.total);
        expect(Number.isSafeInteger(layer.active)).toBe(true);
      }),
    );
  });

  test('more experts never mean fewer parameters, and the same ones active but for the router', () => {
    fc.assert(
      fc.property(architectures, (architecture) => {
        const { moe } = architecture;
        if (moe === null) return;
        const before = countParameters(architecture);
        const after = countParameters({ ...architecture, moe: { ...moe, numExperts: moe.numExperts + 1 } });
        expect(after.total).toBeGreaterThanOrEqual(before.total);
        const oneMoreRow = architecture.hiddenSize + (moe.routerBias ? 1 : 0);
        expect(after.active - before.active).toBe(before.moeLayers * oneMoreRow);
      }),
    );
  });

  test('active parameters are at most all of them, and all of them where every expert is visited', () => {
    fc.assert(
      fc.property(architectures, (architecture) => {
        const { active, total } = countParameters(architecture);
        expect(active).toBeLessThanOrEqual(total);
        const { moe } = architecture;
        if (moe === null || moe.expertsPerToken === moe.numExperts) expect(active).toBe(total);
      }),
    );
  });
});

function anyArchitecture(): fc.Arbitrary<Architecture> {
  const heads = fc.record({ keyValue: fc.integer({ min: 1, max: 8 }), group: fc.integer({ min: 1, max: 8 }) });
  const moe = fc.record({
    numExperts: fc.integer({ min: 4, max: 64 }),
    expertsPerToken: fc.integer({ min: 1, max: 4 }),
    expertIntermediateSize: fc.integer({ min: 1, max: 512 }),
    sharedExperts: fc.integer({ min: 0, max: 2 }),
    numDenseLayers: fc.integer({ min: 0, max: 2 }),
    every: fc.integer({ min: 1, max: 4 }),
    routerBias: fc.boolean(),
    expertBias: fc.boolean(),
    sharedExpertGate: fc.boolean(),
  });
  const shape = fc.record({
    numLayers: fc.integer({ min: 2, max: 64 }),
    hiddenSize: fc.integer({ min: 1, max: 1024 }),
    headDim: fc.integer({ min: 1, max: 128 }),
    vocabSize: fc.integer({ min: 1, max: 100_000 }),
    gatedMlp: fc.boolean(),
    tiedEmbeddings: fc.boolean(),
    queryKeyNorm: fc.constantFrom('none' as const, 'head' as const, 'full' as const),
    attentionSinks: fc.boolean(),
    moe: fc.option(moe),
  });
  return fc
    .tuple(shape, heads)
    .map(([fields, { keyValue, group }]) =>
      resolveArchitecture({ ...fields, numAttentionHeads: keyValue * group, numKeyValueHeads: keyValue }),
    );
}
