/** One estimate from a run file: `npx tsx examples/estimate.ts [run.yaml]`. */
import { fileURLToPath } from 'node:url';
import { estimate, loadScenario } from '../src/index.js';

const example = fileURLToPath(new URL('llama3-405b.yaml', import.meta.url));
const scenario = await loadScenario(process.argv[2] ?? example);
const { memory, step, throughput, training } = estimate(scenario);

console.log(`${memory.fits ? 'fits' : 'does not fit'}: ${(memory.deviceBytes / 2 ** 30).toFixed(1)} GiB`);
console.log(`step ${step.seconds.toFixed(2)} s, MFU ${(throughput.mfu * 100).toFixed(1)} %`);
if (training.days !== null) console.log(`training ${training.days.toFixed(1)} days`);
