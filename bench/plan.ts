/** Exact searches of the size that people ask for: the ten best plans of a known model on a known cluster, batch as it was trained. */
import { planSearch } from '../src/planner/search/search.js';
import { resolveScenario } from '../src/scenario/resolveScenario.js';
import type { RunFileInput } from '../src/scenario/runFileSchema.js';

interface Problem {
  readonly title: string;
  readonly limitSeconds: number;
  readonly run: RunFileInput;
}

const problems: readonly Problem[] = [
  {
    title: 'Llama 3 405B on 16,384 H100',
    limitSeconds: 2,
    run: {
      model: 'llama3-405b',
      cluster: 'dgx-h100',
      accelerators: 16_384,
      sequenceLength: 8192,
      strategy: { globalBatchSize: 2048, precision: 'bf16' },
    },
  },
  {
    title: 'DeepSeek V3 on 2,048 H800',
    limitSeconds: 2,
    run: {
      model: 'deepseek-v3',
      cluster: 'deepseek-h800',
      accelerators: 2048,
      sequenceLength: 4096,
      strategy: { globalBatchSize: 15_360, precision: 'fp8' },
    },
  },
  {
    title: 'GPT-3 175B on 1,024 A100',
    limitSeconds: 1,
    run: {
      model: 'gpt3-175b',
      cluster: 'dgx-a100',
      accelerators: 1024,
      sequenceLength: 2048,
      strategy: { globalBatchSize: 1536 },
    },
  },
];

console.log('exact search, ten best plans; first search of the process, one thread');
for (const { title, limitSeconds, run } of problems) {
  const scenario = resolveScenario(run);
  const started = performance.now();
  const cpu = process.cpuUsage();
  const search = planSearch({ scenario, top: 10 });
  let next = await search.next();
  while (next.done !== true) next = await search.next();
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const { searched, evaluated, simulated, plans } = next.value;
  console.log(
    `  ${title}: ${seconds.toFixed(2)} s, ${((user + system) / 1e6).toFixed(2)} s of processor time (limit ${limitSeconds})`,
  );
  console.log(
    `    ${searched.toLocaleString('en')} candidates, ${evaluated.toLocaleString('en')} worked out, ${simulated} simulated; best ${plans[0]?.score.toFixed(3)} s`,
  );
  if (seconds > limitSeconds) process.exitCode = 1;
}
