import { describe, expect, test } from 'vitest';
import { resolveArchitecture } from '../../src/model/architectureSchema.js';
import { modelFlops, tokenFlops } from '../../src/model/flops.js';
import { countParameters } from '../../src/model/parameters.js';
import { estimate } from '../../src/planner/estimate.js';
import { loadModel } from '../../src/scenario/loadModel.js';
import { resolveScenario } from '../../src/scenario/resolveScenario.js';
import { evaluate } from '../../src/simulation/closedForm.js';

const s = 2048;
const V = 51200;
const A100 = 312e12;

/** Narayanan et al. 2021, table 1: l layers, h hidden size, B sequences a step on n A100, TFLOP/s of one, percent of its peak. */
const table1 = [
  { model: 'megatron-1.7b', l: 24, h: 2304, n: 32, B: 512, tflops: 137, percent: 44 },
  { model: 'megatron-3.6b', l: 30, h: 3072, n: 64, B: 512, tflops: 138, percent: 44 },
  { model: 'megatron-7.5b', l: 36, h: 4096, n: 128, B: 512, tflops: 142, percent: 46 },
  { model: 'megatron-18b', l: 40, h: 6144, n: 256, B: 1024, tflops: 135, percent: 43 },
  { model: 'megatron-39b', l: 48, h: 8192, n: 512, B: 1536, tflops: 138, percent: 44 },
  { model: 'megatron-76b', l: 60, h: 10240, n: 1024, B: 1792, tflops: 140, percent: 45 },
  { model: 'megatron-145b', l: 80, h: 12288, n: 1536, B: 2304, tflops: 148, percent: 47 },
  { model: 'megatron-310b', l: 96, h: 16384, n: 1920, B: 2160, tflops: 155, percent: 50 },
  { model: 'megatron-530b', l: 105, h: 20480, n: 2520, B: 2520, tflops: 163, percent: 52 },
  { model: 'megatron-1t', l: 128, h: 25600, n: 3072, B: 3072, tflops: 163, percent: 52 },
];

function architecture(model: string) {
  return resolveArchitecture(loadModel(model), { sequenceLength: s });
}

/** FLOPs of one step as Slipway reports them under a choice of recomputation. */
function stepFlops(model: string, B: number, recompute: 'none' | 'selective' | 'full') {
  const strategy = { globalBatchSize: B, recompute };
  const run = {
    model,
    cluster: 'dgx-a100',
    accelerators: 1,
    frameworkVersion: 'Megatron-LM 2022',
    sequenceLength: s,
    strategy,
  };
  return evaluate(resolveScenario(run));
}

describe.each(table1)('$model', ({ model, l, h, B, n, tflops, percent }) => {
  const work = B * s * l * h * h;

  test('megatron: 72 B s l h^2 (1 + s/6h + V/12lh)', () => {
    const published = 72 * work * (1 + s / (6 * h) + V / (12 * l * h));
    expect(modelFlops(architecture(model), s, B, 'megatron', 0) / published).toBeCloseTo(1, 12);
    expect(stepFlops(model, B, 'none').modelFlops / published).toBeCloseTo(1, 12);
    expect(stepFlops(model, B, 'none').hardwareFlops / published).toBeCloseTo(1, 12);
  });

  test('full recomputation: 96 B s l h^2 (1 + s/6h + V/16lh); the logits are not computed again', () => {
    const { hardwareFlops, modelFlops: model_ } = stepFlops(model, B, 'full');
    expect(hardwareFlops / (96 * work * (1 + s / (6 * h) + V / (16 * l * h)))).toBeCloseTo(1, 12);
    expect(model_).toBe(stepFlops(model, B, 'none').modelFlops);
  });

  test('selective recomputation: 72 B s l h^2 (1 + s/3h + V/12lh)', () => {
    const { hardwareFlops } = stepFlops(model, B, 'selective');
    expect(hardwareFlops / (72 * work * (1 + s / (3 * h) + V / (12 * l * h)))).toBeCloseTo(1, 12);
  });

  test('table 1: its percent of peak is the TFLOP/s of hardware FLOPs, recomputation included', () => {
    const stepSeconds = stepFlops(model, B, 'full').hardwareFlops / (n * tflops * 1e12);
    expect(Math.round((100 * tflops * 1e12) / A100)).toBe(percent);
    // So the MFU of the same run is about three quarters of it.
    const mfu = stepFlops(model, B, 'full').modelFlops / stepSeconds / n / A100;
    expect(mfu / (percent / 100)).toBeGreaterThan(0.74);
    expect(mfu / (percent / 100)).toBeLessThan(0.78);
  });
});

/** Narayanan et al. 2021, section 5.1: GPT-3 with 300 billion tokens takes 34 days, one trillion parameters with 450 billion 84. */
test.each([
  { model: 'gpt3-175b', tokens: 300e9, n: 1024, B: 1536, tflops: 140, days: 34 },
  { model: 'megatron-1t', tokens: 450e9, n: 3072, B: 3072, tflops: 163, days: 84 },
])('$model: $days days on $n A100', ({ model, tokens, n, B, tflops, days }) => {
  const steps = tokens / (B * s);
  const seconds = (steps * stepFlops(model, B, 'full').hardwareFlops) / (n * tflops * 1e12);
  expect(Math.abs(seconds / 86_400 / days - 1)).toBeLessThan(0.03);
});

/** Smith et al. 2022 (MT-NLG), section 4: 1,920 sequences a step on 280, 350 and 420 nodes of 8 A100. */
test.each([
  { nodes: 280, stepSeconds: 60.1, tflops: 126 },
  { nodes: 350, stepSeconds: 50.2, tflops: 121 },
  { nodes: 420, stepSeconds: 44.4, tflops: 113 },
])('MT-NLG on $nodes nodes: $stepSeconds s a step is $tflops TFLOP/s', ({ nodes, stepSeconds, tflops }) => {
  const achieved = stepFlops('mt-nlg-530b', 1920, 'full').hardwareFlops / stepSeconds / (8 * nodes);
  expect(Math.abs(achieved / 1e12 - tflops)).toBeLessThan(0.8);
});

/** Korthikanti et al. 2022, table 5: utilisation from the step time, batch and number of A100. */
test.each([
  { model: 'megatron-22b', n: 8, B: 4, stepSeconds: 1.1, mfu: 41.5, hfu: 43.7 },
  { model: 'megatron-175b', n: 64, B: 64, stepSeconds: 13.75, mfu: 51.4, hfu: 52.8 },
  { model: 'megatron-530b', n: 280, B: 280, stepSeconds: 37.83, mfu: 56.0, hfu: 57.0 },
  { model: 'megatron-1t', n: 512, B: 512, stepSeconds: 71.49, mfu: 56.3, hfu: 57.0 },
])('Korthikanti table 5, $model: MFU $mfu %, HFU $hfu %', ({ model, n, B, stepSeconds, mfu, hfu }) => {
  const flops = stepFlops(model, B, 'selective');
  expect(Math.abs((100 * flops.modelFlops) / stepSeconds / n / A100 - mfu)).toBeLessThan(0.3);
  expect(Math.abs((100 * flops.hardwareFlops) / stepSeconds / n / A100 - hfu)).toBeLessThan(0.3);
});

describe('palm: 6 N + 12 l a d s per token (Chowdhery et al. 2022, appendix B)', () => {
  test.each(['palm-8b', 'palm-62b', 'palm-540b', 'llama2-7b', 'megatron-175b'])('%s', (model) => {
    const a = architecture(model);
    const { active } = countParameters(a);
    const perToken = 6 * active + 12 * a.numLayers * a.numAttentionHeads * a.headDim * s;
    expect(modelFlops(a, s, 1, 'palm', active) / s / perToken).toBeCloseTo(1, 12);
  });

  /** The paper's table 3. */
  test.each([
    { model: 'palm-540b', tokensPerSecond: 238.3e3, accelerators: 6144, peak: 275e12, mfu: 0.462 },
    { model: 'mt-nlg-530b', tokensPerSecond: 65.43e3, accelerators: 2240, peak: 312e12, mfu: 0.302 },
  ])('$model: $tokensPerSecond tokens/s is an MFU of $mfu', ({ model, tokensPerSecond, accelerators, peak, mfu }) => {
    const a = architecture(model);
    const { active } = countParameters(a);
    const flopsPerToken = modelFlops(a, s, 1, 'palm', active) / s;
    expect((tokensPerSecond * flopsPerToken) / accelerators / peak).toBeCloseTo(mfu, 3);
  });
});

test('causal leaves half of attention out and nothing else', () => {
  const a = architecture('megatron-22b');
  const megatron = modelFlops(a, s, 1, 'megatron', 0);
  const causal = modelFlops(a, s, 1, 'causal', 0);
  const { attentionCore } = tokenFlops(a, s);
  expect(megatron - causal).toBe((3 * s * attentionCore) / 2);
});

test('an estimate reports utilisation in the convention asked for, and both from one step time', () => {
  const scenario = resolveScenario({
    model: 'megatron-22b',
    cluster: 'dgx-a100',
    sequenceLength: s,
    strategy: { tensorParallel: 8, globalBatchSize: 4 },
  });
  const { throughput, step } = estimate(scenario, { flopsConvention: 'megatron', advice: false });
  const published = 72 * 4 * s * 48 * 6144 ** 2 * (1 + s / (6 * 6144) + V / (12 * 48 * 6144));
  expect(throughput.mfu).toBeCloseTo(published / step.seconds / 8 / A100, 10);
});
