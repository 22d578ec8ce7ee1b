import { describe, expect, test } from 'vitest';
import { countParameters } from '../../../src/model/parameters.js';
import { explainGap } from '../../../src/planner/compare/explainGap.js';
import { throughput } from '../../../src/planner/throughput.js';
import { resolveScenario } from '../../../src/scenario/resolveScenario.js';
import { evaluateStep } from '../../../src/simulation/evaluateStep.js';

const scenario = resolveScenario({
  model: 'llama3-8b',
  cluster: 'dgx-h100',
  accelerators: 64,
  strategy: { tensorParallel: 2, pipelineParallel: 2, globalBatchSize: 128 },
});
const now = evaluateStep(scenario).stepSeconds;

describe('a gap', () => {
  test('that recomputation makes is explained by it', () => {
    const recomputing = { ...scenario, strategy: { ...scenario.strategy, recompute: 'full' as const } };
    const { stepSeconds } = evaluateStep(recomputing);
    const { causes, gapDelta } = explainGap(scenario, { kind: 'seconds', value: stepSeconds });
    expect(gapDelta).toBeCloseTo(stepSeconds / now - 1, 12);
    expect(causes[0]).toMatchObject({ name: 'recompute full', stepSeconds, about: 'run' });
    expect(causes[0]?.explains).toBeCloseTo(1, 9);
  });

  test('a slow network is found with its rate', () => {
    const cluster = {
      ...scenario.cluster,
      nodeNetworkBytesPerSecond: scenario.cluster.nodeNetworkBytesPerSecond * 0.3,
    };
    const { stepSeconds } = evaluateStep({ ...scenario, cluster });
    const { causes } = explainGap(scenario, { kind: 'seconds', value: stepSeconds });
    const network = causes.find(({ name }) => name.startsWith('slow network'));
    expect(network?.setting).toBe('at 30 % of its rate');
    expect(network?.stepSeconds).toBeCloseTo(stepSeconds, 6);
  });

  test('a utilisation of the sparse peak is half of the dense one', () => {
    const { mfu } = throughput(scenario, evaluateStep(scenario), 'megatron', countParameters(scenario.model).active);
    const { causes, measuredSeconds } = explainGap(scenario, { kind: 'mfu', value: mfu / 2 });
    expect(measuredSeconds).toBeCloseTo(2 * now, 9);
    expect(causes.find(({ name }) => name.includes('sparse peak'))).toMatchObject({ about: 'convention', explains: 1 });
  });

  test('in the other direction: faster than estimated', () => {
    const { causes, gapDelta } = explainGap(scenario, { kind: 'seconds', value: now * 0.9 });
    expect(gapDelta).toBeCloseTo(-0.1, 9);
    expect(causes.find(({ name }) => name === 'kernels faster')?.explains).toBeCloseTo(1, 4);
    expect(causes.every(({ stepSeconds }) => stepSeconds < now)).toBe(true);
  });

  test('tokens per second and TFLOP/s are the same measurement as the time', () => {
    const tokens = (128 * 4096) / (1.2 * now);
    expect(explainGap(scenario, { kind: 'tokensPerSecond', value: tokens }).measuredSeconds).toBeCloseTo(1.2 * now, 9);
    const { modelTflopsPerAccelerator } = throughput(scenario, evaluateStep(scenario), 'megatron', 0);
    const report = explainGap(scenario, { kind: 'teraflops', value: modelTflopsPerAccelerator / 1.2 });
    expect(report.measuredSeconds).toBeCloseTo(1.2 * now, 9);
  });
});
