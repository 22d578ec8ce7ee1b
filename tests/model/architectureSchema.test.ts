import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { architectureInputSchema, resolveArchitecture } from '../../src/model/architectureSchema.js';
import { modelPresets } from '../published/modelPresets.js';

const small = { numLayers: 2, hiddenSize: 256 };

/** Messages of what the schema rejects, with the key each is about. */
function mistakes(input: unknown): string[] {
  const result = architectureInputSchema.safeParse(input);
  return result.success ? [] : result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

describe('defaults', () => {
  test('a model without a gated feed-forward layer is a GPT', () => {
    expect(resolveArchitecture(small, { sequenceLength: 1024 })).toMatchObject({
      numAttentionHeads: 2,
      headDim: 128,
      intermediateSize: 1024,
      vocabSize: 50257,
      positionEmbedding: 'learned',
      maxPositions: 1024,
      tiedEmbeddings: true,
      norm: 'layer',
      normBias: true,
      activation: 'gelu',
      biases: { queryKeyValue: true, attentionOutput: true, mlp: true, head: false },
      dropout: 0.1,
    });
  });

  test('one with it is a LLaMA', () => {
    expect(resolveArchitecture({ ...small, hiddenSize: 4096, gatedMlp: true })).toMatchObject({
      numAttentionHeads: 32,
      intermediateSize: 11008,
      positionEmbedding: 'rotary',
      maxPositions: 0,
      tiedEmbeddings: false,
      norm: 'rms',
      normBias: false,
      activation: 'silu',
      biases: { queryKeyValue: false, attentionOutput: false, mlp: false, head: false },
      dropout: 0,
    });
  });

  test('heads that are not given divide the hidden size', () => {
    expect(resolveArchitecture({ ...small, hiddenSize: 14400 })).toMatchObject({
      numAttentionHeads: 120,
      headDim: 120,
    });
  });

  test('a resolved architecture is valid input and resolves to itself', () => {
    for (const { architecture } of modelPresets) {
      expect(resolveArchitecture(architectureInputSchema.parse(architecture))).toEqual(architecture);
    }
  });
});

describe('short forms', () => {
  test.each([
    [4096, { size: 4096, fullAttentionEvery: 0 }],
    ['4096', { size: 4096, fullAttentionEvery: 0 }],
    ['128 on alternate layers', { size: 128, fullAttentionEvery: 2 }],
    [
      { size: 1024, fullAttentionEvery: 6 },
      { size: 1024, fullAttentionEvery: 6 },
    ],
    [null, null],
  ])('slidingWindow %j', (slidingWindow, resolved) => {
    const input = architectureInputSchema.parse({ ...small, slidingWindow });
    expect(resolveArchitecture(input).slidingWindow).toEqual(resolved);
  });

  test.each([
    [true, 1],
    [false, 0],
    [2, 2],
  ])('multiTokenPredictionLayers %j', (multiTokenPredictionLayers, resolved) => {
    expect(resolveArchitecture({ ...small, multiTokenPredictionLayers })).toMatchObject({
      multiTokenPredictionLayers: resolved,
    });
  });

  test('learnedPositions', () => {
    expect(resolveArchitecture({ ...small, learnedPositions: false })).toMatchObject({ positionEmbedding: 'rotary' });
    expect(resolveArchitecture({ ...small, gatedMlp: true, learnedPositions: true })).toMatchObject({
      positionEmbedding: 'learned',
    });
  });
});

describe('rejects', () => {
  test.each([
    [{ ...small, numAttentionHeads: 8, numKeyValueHeads: 3 }, 'numKeyValueHeads 3 does not divide numAttentionHeads 8'],
    [{ ...small, numAttentionHeads: 7 }, 'hiddenSize 256 is not a multiple of 7 heads; give headDim'],
    [{ ...small, moe: { numExperts: 4, expertsPerToken: 5 } }, 'expertsPerToken 5 exceeds numExperts 4'],
    [
      { ...small, moe: { numExperts: 4, expertsPerToken: 1, numDenseLayers: 3 } },
      'numDenseLayers 3 exceeds numLayers 2',
    ],
    [{ ...small, learnedPositions: true, positionEmbedding: 'alibi' }, 'contradicts positionEmbedding alibi'],
  ])('%j', (input, message) => {
    expect(mistakes(input).join('\n')).toContain(message);
  });

  test.each([
    [{ ...small, hiddenSize: 0 }],
    [{ ...small, hiddenSize: 1.5 }],
    [{ ...small, hiddenSize: Number.NaN }],
    [{ ...small, vocabSize: Number.POSITIVE_INFINITY }],
    [{ ...small, numLayers: '2' }],
    [{ ...small, slidingWindow: 'wide' }],
    [{ ...small, hidenSize: 256 }],
    [{ numLayers: 2 }],
  ])('%j', (input) => {
    expect(mistakes(input)).toHaveLength(1);
  });
});

test('every field says what it is in the JSON Schema', () => {
  const { properties = {} } = z.toJSONSchema(architectureInputSchema);
  const silent = Object.entries(properties).filter(([, field]) => typeof field === 'boolean' || !field.description);
  expect(silent.map(([name]) => name)).toEqual([]);
});
