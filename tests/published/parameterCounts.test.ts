import { afterAll, describe, expect, test } from 'vitest';
import type { PublishedCounts } from '../../src/model/modelPresetSchema.js';
import { countParameters, type ParameterCounts } from '../../src/model/parameters.js';
import { architectureOf, modelPresets } from './modelPresets.js';

const TOLERANCE = 0.005;

/** Presets whose published figure is too coarse for the tolerance: they only match within that figure's own rounding. */
const byRounding: string[] = [];
afterAll(() => console.log(`${byRounding.length} figures match only within their rounding: ${byRounding.join(', ')}`));

const counted = modelPresets.map(({ id, preset, architecture }) => ({
  id,
  published: preset.published,
  counts: countParameters(architecture),
}));

test.each(counted)('$id has the published number of parameters', ({ id, published, counts }) => {
  expectClose(totalAsPublished(counts, published), published.parameters, published.rounding, `${id} total`);
});

const withActive = counted.filter(({ published }) => published.activeParameters !== undefined);
test.each(withActive)('$id has the published number of active parameters', ({ id, published, counts }) => {
  const { activeParameters = 0, activeRounding } = published;
  expectClose(activeAsPublished(counts, published), activeParameters, activeRounding, `${id} active`);
});

const withModules = counted.filter(({ published }) => published.checkpointParameters !== undefined);
test.each(withModules)('$id and its prediction module fill the released files', ({ published, counts }) => {
  const copies = counts.embedding + counts.head;
  expect(counts.total + counts.multiTokenPrediction + copies).toBe(published.checkpointParameters);
});

/** Of the released weights, from Hugging Face's safetensors index or the model card. */
test.each([
  ['gpt2-xl', 1_557_611_200],
  ['bloom-176b', 176_247_271_424],
  ['gpt-neox-20b', 20_554_567_680],
  ['falcon-180b', 179_522_565_120 - 65_024 * 14_848],
  ['llama2-7b', 6_738_415_616],
  ['llama3-8b', 8_030_261_248],
  ['llama3-70b', 70_553_706_496],
  ['llama3-405b', 405_853_388_800],
  ['mistral-7b', 7_241_732_096],
  ['mixtral-8x7b', 46_702_792_704],
  ['mixtral-8x22b', 140_620_634_112],
  ['deepseek-v2', 235_741_434_880],
  ['kimi-k2', 1_026_408_232_448],
  ['gpt-oss-120b', 116_829_156_672],
  ['qwen2.5-72b', 72_706_203_648],
  ['qwen3-235b-a22b', 235_093_634_560],
  ['gemma2-27b', 27_227_128_320],
  ['phi4-14b', 14_659_507_200],
  ['olmo2-13b', 13_716_198_400],
  ['grok-1', 315_684_820_992],
])('%s has exactly %d parameters', (id, parameters) => {
  expect(countParameters(architectureOf(id)).total).toBe(parameters);
});

test('Megatron GPTs follow equation 2 of Narayanan et al. 2021', () => {
  const { numLayers: l, hiddenSize: h, vocabSize: v, maxPositions: s } = architectureOf('megatron-145b');
  const equation = 12 * l * h ** 2 * (1 + 13 / (12 * h) + (v + s) / (12 * l * h));
  // The equation leaves out the final norm.
  expect(countParameters(architectureOf('megatron-145b')).total).toBeCloseTo(equation + 2 * h, -1);
});

describe('the presets', () => {
  test('give no name twice', () => {
    const names = modelPresets.flatMap(({ id, preset }) => [id, ...(preset.aliases ?? [])]);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });

  test('give a source for active parameters and checkpoints', () => {
    const silent = modelPresets.filter(
      ({ preset: { published } }) =>
        (published.activeParameters && !published.activeSource) ||
        (published.checkpointParameters && !published.checkpointSource),
    );
    expect(silent.map(({ id }) => id)).toEqual([]);
  });
});

function totalAsPublished(counts: ParameterCounts, { parametersInclude = 'all' }: PublishedCounts): number {
  if (parametersInclude === 'all') return counts.total;
  return counts.total + counts.multiTokenPrediction - counts.embedding - counts.head;
}

function activeAsPublished(counts: ParameterCounts, { activeIncludes = 'all' }: PublishedCounts): number {
  if (activeIncludes === 'all') return counts.active;
  return counts.active - counts.embedding - (activeIncludes === 'layers' ? counts.head : 0);
}

function expectClose(actual: number, published: number, rounding: number | undefined, what: string): void {
  const difference = Math.abs(actual - published);
  if (difference <= TOLERANCE * published) return;
  byRounding.push(what);
  expect(difference, `${what}: ${actual} counted, ${published} published`).toBeLessThanOrEqual(rounding ?? 0);
}
