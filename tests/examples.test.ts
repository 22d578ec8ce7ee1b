import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { estimate } from '../src/planner/estimate.js';
import { loadScenario } from '../src/scenario/loadScenario.js';

const folder = fileURLToPath(new URL('../examples/', import.meta.url));
const tsx = fileURLToPath(new URL('../node_modules/tsx/dist/cli.mjs', import.meta.url));
const files = readdirSync(folder);

test.each(files.filter((name) => name.endsWith('.ts')))('%s runs', (name) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [tsx, folder + name], { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  expect(stdout).not.toMatch(/NaN|undefined/);
});

test.each(files.filter((name) => name.endsWith('.yaml')))('%s is accepted and fits', async (name) => {
  const { memory, step } = estimate(await loadScenario(folder + name), { advice: false });
  expect(memory.fits).toBe(true);
  expect(step.seconds).toBeGreaterThan(0);
});
