/** Memory of the event simulation, as an estimate asks for it: linear in ranks, and not growing with micro-batches once the pipeline repeats. */
import { resolveScenario } from '../src/scenario/resolveScenario.js';
import { simulateSeconds } from '../src/simulation/steadyState.js';

const rows: { stages: number; microBatches: number; megabytes: number }[] = [];
for (const stages of [8, 16, 32, 64]) {
  for (const microBatches of [256, 512, 1024, 2048])
    rows.push({ stages, microBatches, megabytes: used(stages, microBatches) });
}

/** Megabytes that one simulation allocates at most at once: the heap's high-water mark over the state before, garbage collected in between. */
function used(pipelineParallel: number, microBatches: number): number {
  const scenario = resolveScenario({
    model: 'megatron-1t',
    cluster: 'dgx-a100',
    accelerators: 8 * pipelineParallel,
    sequenceLength: 2048,
    framework: 'megatron',
    strategy: {
      tensorParallel: 8,
      pipelineParallel,
      microBatchSize: 1,
      globalBatchSize: microBatches,
      recompute: 'full',
    },
  });
  simulateSeconds(scenario);
  globalThis.gc?.();
  const before = process.memoryUsage();
  simulateSeconds(scenario);
  const after = process.memoryUsage();
  return (after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers) / 1e6;
}

console.log('memory of the event simulation in MB, what one estimate allocates in all (run with --expose-gc)');
for (const stages of [8, 16, 32, 64]) {
  const own = rows.filter((row) => row.stages === stages);
  console.log(
    `  PP ${stages}: ${own.map(({ microBatches, megabytes }) => `m=${microBatches} ${megabytes.toFixed(1)}`).join('  ')}`,
  );
  const [first, last] = [own[0]?.megabytes ?? 0, own[own.length - 1]?.megabytes ?? 0];
  if (last > 1.5 * first + 1) process.exitCode = 1;
}
