/** Speed of the event simulation: whole steps of known size, and events a second inside the engine. */
import { resolveScenario } from '../src/scenario/resolveScenario.js';
import { runGraph } from '../src/simulation/engine/engine.js';
import { simulatedStepSeconds, simulateStep } from '../src/simulation/simulate.js';
import { simulateSeconds } from '../src/simulation/steadyState.js';

const llama = resolveScenario({
  model: 'llama3-405b',
  cluster: 'dgx-h100',
  accelerators: 16_384,
  sequenceLength: 8192,
  framework: 'megatron',
  strategy: {
    tensorParallel: 8,
    pipelineParallel: 16,
    virtualStages: 8,
    microBatchSize: 1,
    globalBatchSize: 2048,
    dataSharding: 'zero-2',
  },
});
const gpt = resolveScenario({
  model: 'megatron-1t',
  cluster: 'dgx-a100',
  accelerators: 3072,
  sequenceLength: 2048,
  framework: 'megatron',
  strategy: { tensorParallel: 8, pipelineParallel: 64, microBatchSize: 1, globalBatchSize: 3072, recompute: 'full' },
});

function median(of: () => void, rounds: number): number {
  of();
  const times = Array.from({ length: rounds }, () => {
    const started = performance.now();
    of();
    return performance.now() - started;
  }).sort((a, b) => a - b);
  return times[Math.floor(rounds / 2)] ?? 0;
}

const first = simulateStep(llama);
console.log('event simulation, one core');
report(
  'Llama 3 405B, PP16, 8 chunks, 16 micro-batches, in full',
  median(() => simulateStep(llama), 9),
  50,
);
report(
  'the same, its time alone, as estimate asks',
  median(() => simulatedStepSeconds(llama), 9),
  50,
);
report(
  'GPT-1T, PP64, 512 micro-batches, in full',
  median(() => simulateStep(gpt, { microBatches: 512 }), 5),
  200,
);
report(
  'the same, its time alone',
  median(() => simulatedStepSeconds(gpt, { microBatches: 512 }), 5),
  200,
);
report(
  'GPT-1T, PP64, 384 micro-batches, steady state',
  median(() => simulateSeconds(gpt), 5),
  200,
);
const big = simulateStep(gpt, { microBatches: 512 });
const milliseconds = median(() => runGraph(big.graph, 1.13), 7);
const rate = (1000 * big.timeline.events) / milliseconds;
console.log(`  engine alone: ${(rate / 1e6).toFixed(2)} million events/s (${big.timeline.events} events; aim 2)`);
console.log(`  ${first.timeline.events} events in the Llama step`);

function report(what: string, milliseconds: number, limit: number): void {
  console.log(`  ${what}: ${milliseconds.toFixed(1)} ms (limit ${limit})`);
  if (milliseconds > limit) process.exitCode = 1;
}
