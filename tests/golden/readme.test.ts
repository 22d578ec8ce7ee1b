import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { estimate } from '../../src/planner/estimate.js';
import { loadRun } from '../../src/scenario/loadScenario.js';
import { listPresets, type PresetKind } from '../../src/scenario/presetFiles.js';
import { refreshed } from '../../tools/readmeBlocks.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const readme = readFileSync(`${root}README.md`, 'utf8');
const fromSources = [process.execPath, 'node_modules/tsx/dist/cli.mjs', 'src/cli/main.ts'];

test('the README shows what the commands print today (npm run freeze writes it)', () => {
  // jq is not on every machine that runs the tests.
  expect(refreshed(readme, root, fromSources, (command) => command.includes('jq'))).toBe(readme);
});

test('the README counts the presets right', () => {
  const count = (kind: PresetKind) => listPresets(kind).length;
  expect(readme).toContain(
    `${count('models')} models, ${count('accelerators')} accelerators and ${count('clusters')} clusters`,
  );
});

test('the run file that the README explains is one', async () => {
  const [, yaml = ''] = /## The run file\n[\s\S]*?```yaml\n([\s\S]*?)```/.exec(readme) ?? [];
  const { scenario } = await loadRun({ text: yaml, file: '-' });
  expect(estimate(scenario, { advice: false }).memory.fits).toBe(true);
});

test('the README links to files that exist', () => {
  const links = [...readme.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, link]) => link ?? '');
  expect(links.length).toBeGreaterThan(3);
  expect(links.filter((link) => !existsSync(`${root}${link}`))).toEqual([]);
});
