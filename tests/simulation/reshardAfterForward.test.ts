import { expect, test } from 'vitest';
import { layerRankParameters } from '../../src/parallelism/rankParameters.js';
import { resolveScenario } from '../../src/scenario/resolveScenario.js';
import { evaluateStep } from '../../src/simulation/evaluateStep.js';
import { prepare } from '../../src/simulation/prepare.js';

/** Llama 3 8B under FSDP on a slow network with short sequences: traffic that nothing hides. */
function fsdp(reshardAfterForward: boolean | undefined) {
  return resolveScenario({
    model: 'llama3-8b',
    cluster: { accelerator: 'h100-sxm-80', acceleratorsPerNode: 8, nodeNetworkGbitPerSecond: 100 },
    accelerators: 64,
    sequenceLength: 1024,
    framework: 'fsdp',
    strategy: {
      dataSharding: 'zero-3',
      globalBatchSize: 64,
      ...(reshardAfterForward === undefined ? {} : { reshardAfterForward }),
    },
  });
}

test('weights that stay gathered travel once instead of twice: fewer seconds on the network, every layer in memory', () => {
  const [again, once] = [evaluateStep(fsdp(true)), evaluateStep(fsdp(false))];
  // In fp32, gradients count two gathers of 16 bits: 4 units of traffic become 3.
  const ratio = once.breakdown.dataParallelSeconds / again.breakdown.dataParallelSeconds;
  expect(ratio).toBeGreaterThan(0.7);
  expect(ratio).toBeLessThan(0.8);
  const p = prepare(fsdp(true));
  const layer = layerRankParameters(p.model, 'dense', p.degrees).dense;
  // 32 layers stay in 16 bits where two were there before: the one that runs and the one that is fetched.
  const buffers = (stages: typeof once.stages) => stages[0]?.buffersBytes ?? Number.NaN;
  expect(buffers(once.stages) - buffers(again.stages)).toBeCloseTo((32 - 2) * layer * 2, 0);
});

test('resharding is the default', () => {
  expect(evaluateStep(fsdp(undefined))).toEqual(evaluateStep(fsdp(true)));
});
