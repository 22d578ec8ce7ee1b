import { describe, expect, test } from 'vitest';
import { SlipwayError } from '../../src/errors.js';
import { architectureFromHuggingFace } from '../../src/interop/huggingFace.js';
import { families } from '../../src/interop/huggingFaceFamilies.js';
import { resolveArchitecture } from '../../src/model/architectureSchema.js';
import { countParameters } from '../../src/model/parameters.js';
import { architectureOf } from '../published/modelPresets.js';
import { configs, others } from './huggingFaceConfigs.js';

describe.each(configs)('$config.model_type, as $preset', ({ preset, config }) => {
  test('gives the architecture of the preset', () => {
    const architecture = resolveArchitecture(architectureFromHuggingFace(config));
    expect({ ...architecture, name: '' }).toEqual({ ...architectureOf(preset), name: '' });
  });
});

test.each(others)('$repository has the published number of parameters', ({ config, parameters }) => {
  expect(countParameters(resolveArchitecture(architectureFromHuggingFace(config))).total).toBe(parameters);
});

test('layer_types say which layers see everything', () => {
  const types = ['sliding_attention', 'sliding_attention', 'full_attention', 'sliding_attention'];
  const gemma = { ...configOf('gemma2-2b'), layer_types: types };
  expect(architectureFromHuggingFace(gemma).slidingWindow).toEqual({ size: 4096, fullAttentionEvery: 3 });
  const local = { ...gemma, layer_types: ['sliding_attention'] };
  expect(architectureFromHuggingFace(local).slidingWindow).toEqual({ size: 4096, fullAttentionEvery: 0 });
});

test('the name is where the file came from, or the kind of model', () => {
  const llama = configOf('llama2-7b');
  expect(architectureFromHuggingFace({ ...llama, _name_or_path: 'my-org/my-model' }).name).toBe('my-model');
  expect(architectureFromHuggingFace(llama).name).toBe('llama');
});

describe('rejects', () => {
  const llama = configOf('llama2-7b');

  test.each([
    [
      'a near miss',
      { ...llama, model_type: 'lama' },
      'model_type lama is not supported; the nearest supported is llama',
    ],
    [
      'an encoder',
      { model_type: 'whisper-large' },
      /^model_type whisper-large is not supported; supported are bloom, /,
    ],
    ['no model_type', { hidden_size: 8 }, /^config.json has no model_type/],
    ['a missing field', { ...llama, hidden_size: undefined }, 'config.json has no hidden_size'],
    ['text for a number', { ...llama, hidden_size: '8' }, 'hidden_size of config.json is not a number: "8"'],
    ['another activation', { ...llama, hidden_act: 'tanh' }, /^activation tanh is not known/],
    ['heads that do not divide', { ...llama, num_key_value_heads: 3 }, /numKeyValueHeads 3 does not divide/],
    ['a list', [], /expected the object/],
    ['nothing', null, /expected the object/],
  ])('%s', (_, config, message) => {
    expect(() => architectureFromHuggingFace(config)).toThrow(SlipwayError);
    expect(() => architectureFromHuggingFace(config)).toThrow(message);
  });
});

test('every family is read by one of these tests, or shares its reader with one that is', () => {
  const read = new Set([...configs, ...others].map(({ config }) => families.get(config.model_type.toLowerCase())));
  const unread = [...families].filter(([, family]) => !read.has(family)).map(([name]) => name);
  expect(unread).toEqual([]);
});

function configOf(preset: string): object {
  const found = configs.find((entry) => entry.preset === preset);
  if (found === undefined) throw new Error(`no configuration of ${preset}`);
  return found.config;
}
