/** What recomputation buys and costs, without any file: `npx tsx examples/compare-recompute.ts`. */
import { estimate, type RunFileInput, resolveScenario } from '../src/index.js';

const run: RunFileInput = {
  model: { name: 'GPT 22B', numLayers: 48, hiddenSize: 6144, numAttentionHeads: 64, vocabSize: 51200 },
  cluster: 'dgx-a100',
  accelerators: 8,
  sequenceLength: 2048,
  framework: 'megatron',
  strategy: { tensorParallel: 8, microBatchSize: 4, globalBatchSize: 4, flashAttention: false },
};

for (const recompute of ['none', 'selective', 'full'] as const) {
  const scenario = resolveScenario({ ...run, strategy: { ...run.strategy, recompute } });
  const { memory, step } = estimate(scenario, { advice: false });
  const gib = (memory.peakBytes / 2 ** 30).toFixed(1).padStart(6);
  console.log(`${recompute.padEnd(10)} ${gib} GiB  ${(step.seconds * 1000).toFixed(0).padStart(5)} ms`);
}
