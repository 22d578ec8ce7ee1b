/**
 * Full closed-form estimates per second on one core: Llama 3 405B on 16,384 H100, over the layouts that a search would
 * visit. Every call gets a scenario object of its own, so that no answer can come from a cache of earlier ones.
 */
import type { Strategy } from '../src/parallelism/strategy.js';
import { resolveScenario } from '../src/scenario/resolveScenario.js';
import type { Scenario } from '../src/scenario/scenario.js';
import { evaluate } from '../src/simulation/closedForm.js';

const rounds = 7;
const secondsPerRound = 1;
const target = 20_000;

const base = resolveScenario({
  model: 'llama3-405b',
  cluster: 'dgx-h100',
  accelerators: 16_384,
  sequenceLength: 8192,
  framework: 'megatron',
  strategy: { tensorParallel: 8, pipelineParallel: 16, microBatchSize: 1, globalBatchSize: 2048 },
});
const layouts = layoutsAround(base);
// The best round: what the code can do; the median: what this machine did meanwhile.
const rates = Array.from({ length: rounds }, () => evaluationsPerSecond()).sort((a, b) => a - b);
const median = rates[Math.floor(rounds / 2)] ?? 0;

console.log(`closed form, Llama 3 405B on 16,384 H100, ${layouts.length} layouts, one core`);
console.log(`  ${Math.round(median).toLocaleString('en')} full estimates/s (median of ${rounds} rounds)`);
console.log(
  `  ${Math.round(rates.at(-1) ?? 0).toLocaleString('en')} in the best round; ${(1e6 / median).toFixed(1)} us each`,
);
if (median < target) {
  console.log(`  below the target of ${target.toLocaleString('en')}`);
  process.exitCode = 1;
}

function evaluationsPerSecond(): number {
  const started = performance.now();
  let count = 0;
  let checksum = 0;
  while (performance.now() - started < secondsPerRound * 1000) {
    for (const strategy of layouts) checksum += evaluate({ ...base, strategy: { ...strategy } }).stepSeconds;
    count += layouts.length;
  }
  if (!(checksum > 0)) throw new Error('the closed form answered nothing');
  return (1000 * count) / (performance.now() - started);
}

function layoutsAround({ strategy, accelerators }: Scenario): Strategy[] {
  const layouts: Strategy[] = [];
  for (const tensorParallel of [4, 8]) {
    for (const pipelineParallel of [4, 8, 16, 32]) {
      for (const microBatchSize of [1, 2, 4]) {
        for (const recompute of ['none', 'selective', 'full'] as const) {
          for (const dataSharding of ['zero-1', 'zero-3'] as const) {
            const dataParallel = accelerators / (tensorParallel * pipelineParallel);
            if (strategy.globalBatchSize % (dataParallel * microBatchSize) !== 0) continue;
            layouts.push({
              ...strategy,
              ...{ tensorParallel, pipelineParallel, microBatchSize, recompute, dataSharding },
            });
          }
        }
      }
    }
  }
  return layouts.filter((layout) => evaluate({ ...base, strategy: layout }).feasible);
}
