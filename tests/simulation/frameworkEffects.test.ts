import { describe, expect, test } from 'vitest';
import { streamSeconds } from '../../src/hardware/kernels/elementwise.js';
import { gemmSeconds } from '../../src/hardware/kernels/gemm.js';
import type { Framework } from '../../src/parallelism/framework.js';
import { resolveScenario } from '../../src/scenario/resolveScenario.js';
import type { Scenario } from '../../src/scenario/scenario.js';
import { messageSeconds } from '../../src/simulation/chunkCost.js';
import { evaluate } from '../../src/simulation/closedForm.js';
import { prepare } from '../../src/simulation/prepare.js';
import { layerTable } from '../../src/simulation/stageCost.js';

function run(
  accelerators: number,
  strategy: Parameters<typeof resolveScenario>[0]['strategy'],
  change: Partial<Framework> = {},
): Scenario {
  const scenario = resolveScenario({
    model: 'gpt3-6.7b',
    cluster: 'dgx-a100',
    accelerators,
    sequenceLength: 2048,
    framework: 'megatron',
    strategy: { microBatchSize: 1, dataSharding: 'ddp', overlapGradientReduce: false, ...strategy },
  });
  return { ...scenario, framework: { ...scenario.framework, ...change } };
}

describe('what one figure of a framework does to a step', () => {
  test('a share of the network divides traffic across nodes, and leaves that inside a node alone', () => {
    const reduce = (accelerators: number, share: number): number =>
      evaluate(run(accelerators, { tensorParallel: 8 }, { networkShare: share })).breakdown.dataParallelSeconds;
    expect(reduce(64, 0.5) / reduce(64, 1)).toBeCloseTo(2, 2);
    const inside = (share: number): number =>
      evaluate(run(8, {}, { networkShare: share })).breakdown.dataParallelSeconds;
    expect(inside(0.5)).toBe(inside(1));
  });

  test('a share of the network slows messages between stages on different nodes as well', () => {
    const message = (share: number): number =>
      messageSeconds(prepare(run(16, { pipelineParallel: 2, tensorParallel: 8 }, { networkShare: share })));
    expect(message(0.25) / message(1)).toBeGreaterThan(3);
    expect(message(0.25) / message(1)).toBeLessThanOrEqual(4);
  });

  test('recomputation that stops early leaves out the last product and the sum after it, unless a dropout mask follows', () => {
    const layer = (recomputeStopsEarly: boolean, dropout: number) => {
      const scenario = run(8, { tensorParallel: 8, recompute: 'full' }, { recomputeStopsEarly });
      return layerTable(prepare({ ...scenario, model: { ...scenario.model, dropout } })).dense;
    };
    const whole = layer(false, 0);
    const { timers, share } = prepare(run(8, { tensorParallel: 8 }));
    const down = gemmSeconds(timers.gemm, share.tokens, 4096, 16384 / 8, 2);
    const saved = whole.cost.recomputeSeconds - layer(true, 0).cost.recomputeSeconds;
    expect(whole.cost.recomputeSeconds).toBe(whole.cost.forwardSeconds);
    expect(saved).toBeGreaterThan(down);
    expect(saved).toBeLessThan(1.3 * down);
    expect(layer(true, 0.1).cost.recomputeSeconds).toBe(layer(false, 0.1).cost.recomputeSeconds);
  });

  test('gradients that are added in a kernel of their own cost its traffic: 2 + 4 + 4 bytes a weight', () => {
    const prepared = (fused: boolean) => prepare(run(8, { tensorParallel: 8 }, { fusedGradientAccumulation: fused }));
    const layer = (fused: boolean): number => layerTable(prepared(fused)).dense.cost.weightGradientSeconds;
    const { stream } = prepared(false).timers;
    const separate = streamSeconds(stream, ((12 * 4096 ** 2) / 8) * 10, 4);
    // Inside the GEMM the sum was no more than traffic beside the product.
    expect(layer(false) - layer(true)).toBeGreaterThan(0.98 * separate);
    expect(layer(false) - layer(true)).toBeLessThan(1.001 * separate);
  });

  test('where receiving blocks, a message holds a stage up twice, unless messages overlap', () => {
    const message = (blockingReceive: boolean, overlapPipelineSend: boolean): number =>
      messageSeconds(prepare(run(16, { pipelineParallel: 4, overlapPipelineSend }, { blockingReceive })));
    expect(message(true, false)).toBe(2 * message(false, false));
    expect(message(true, true)).toBe(message(false, true));
  });

  test('what the device waits for in every micro-batch adds to each of them', () => {
    const step = (microBatchOverheadSeconds: number): number =>
      evaluate(run(1, { globalBatchSize: 32, recompute: 'full' }, { microBatchOverheadSeconds, jitter: 0 }))
        .stepSeconds;
    expect(step(0.003) - step(0)).toBeCloseTo(32 * 0.003, 9);
  });
});
