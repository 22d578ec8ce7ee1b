/**
 * `npm run bench`: speed of the closed form and start-up of the command. Each benchmark is bundled first: tsx decorates
 * every function, which the hot loop would pay for and a user would not.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const outdir = join(root, 'node_modules/.cache/slipway-bench');
const benchmarks = ['closedForm', 'simulation', 'simulationMemory', 'plan', 'startUp', 'tui', 'whatif'];

await build({
  absWorkingDir: root,
  entryPoints: benchmarks.map((name) => `bench/${name}.ts`),
  outdir,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  packages: 'external',
});
for (const name of benchmarks) {
  const { status } = spawnSync(process.execPath, ['--expose-gc', join(outdir, `${name}.mjs`)], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status !== 0) process.exitCode = 1;
}
