import { describe, expect, test } from 'vitest';
import { baselineSample, fitBaseline } from '../../src/calibration/baseline.js';
import type { Architecture } from '../../src/model/architecture.js';
import { scenario, tinyModel } from './fixtures.js';

/** Per token: 6 x 2 layers x (4 x 4 x 4 attention + 2 x 4 x 16 feed-forward) + 12 x 2 x 4 x 8 scores; head 6 x 4 x 10. */
const layers = 6 * 2 * (64 + 128) + 12 * 2 * 4 * 8;
const head = 240;

describe('the one-line baseline', () => {
  test('counts 6 FLOPs per weight and token, and attention by the full square', () => {
    expect(baselineSample(scenario())).toEqual({ idealSeconds: 8 * (layers + head), group: 'tiny bf16' });
  });

  test('full recompute adds a third to the layers and nothing to the head', () => {
    expect(baselineSample(scenario({ recompute: 'full' })).idealSeconds).toBeCloseTo(8 * ((layers * 4) / 3 + head));
  });

  test('the bubble of 4 stages, 8 micro-batches and 3 chunks is an eighth', () => {
    const flat = baselineSample(scenario({ globalBatchSize: 8 }, tinyModel, 4));
    const split = { pipelineParallel: 4, virtualStages: 3, globalBatchSize: 8 };
    const piped = baselineSample(scenario(split, tinyModel, 4));
    expect(piped.idealSeconds / flat.idealSeconds).toBeCloseTo(1 + 3 / 24);
  });

  test('fp8 runs at its own peak; a format that the hardware lacks runs at the 16-bit one', () => {
    const seconds = (precision: 'bf16' | 'fp8' | 'nvfp4') => baselineSample(scenario({ precision })).idealSeconds;
    expect(seconds('fp8')).toBe(seconds('bf16') / 2);
    expect(seconds('nvfp4')).toBe(seconds('bf16'));
  });

  test('a token meets only its experts', () => {
    const moe = { numExperts: 8, expertsPerToken: 1, expertIntermediateSize: 16, sharedExpertIntermediateSize: 0 };
    const sparse = { ...tinyModel, moe: { ...moe, numDenseLayers: 1, every: 1 } } as Architecture;
    expect(baselineSample(scenario({}, sparse)).idealSeconds).toBe(baselineSample(scenario()).idealSeconds);
  });

  test('each accelerator and precision gets the median efficiency of its rows', () => {
    const constants = fitBaseline([
      { idealSeconds: 1, measuredSeconds: 2, group: 'a' },
      { idealSeconds: 1, measuredSeconds: 4, group: 'a' },
      { idealSeconds: 1, measuredSeconds: 5, group: 'a' },
      { idealSeconds: 3, measuredSeconds: 4, group: 'b' },
    ]);
    expect([...constants]).toEqual([
      ['a', 0.25],
      ['b', 0.75],
    ]);
  });
});
