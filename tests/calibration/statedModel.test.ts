import { describe, expect, it } from 'vitest';
import { withNamedModel } from '../../src/calibration/statedModel.js';

const widths = { numExperts: 256, expertsPerToken: 8, expertIntermediateSize: 2048 };

describe('withNamedModel', () => {
  it('gives a DeepSeek-V3 that is described by its widths alone its latent attention and shared expert', () => {
    const model = withNamedModel({ name: 'DeepSeek-V3 671B', numLayers: 61, moe: widths });
    expect(model).toMatchObject({
      mla: { keyValueLoraRank: 512, queryKeyRopeHeadDim: 64 },
      moe: { ...widths, sharedExperts: 1, numDenseLayers: 3 },
    });
  });

  it('keeps one dense layer of a model cut down to four', () => {
    const model = withNamedModel({ name: 'deepseekv2 truncated to 4 layers', numLayers: 4, moe: widths });
    expect(model).toMatchObject({ moe: { sharedExperts: 2, numDenseLayers: 1 } });
  });

  it('leaves what a row says, and other models, alone', () => {
    const stated = { name: 'DeepSeek-V3', numLayers: 61, mla: { keyValueLoraRank: 256 }, moe: widths };
    expect(withNamedModel(stated)).toBe(stated);
    const qwen = { name: 'Qwen3-30B', numLayers: 48, moe: widths };
    expect(withNamedModel(qwen)).toBe(qwen);
    expect(withNamedModel('deepseek-v3')).toBe('deepseek-v3');
  });

  it('gives gpt-oss its sinks and biases', () => {
    expect(withNamedModel({ name: 'GPT-OSS-120B', moe: widths })).toMatchObject({
      attentionSinks: true,
      moe: { ...widths, expertBias: true },
    });
  });
});
