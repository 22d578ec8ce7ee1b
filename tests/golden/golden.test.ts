import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { estimate } from '../../src/planner/estimate.js';
import { estimateTable } from '../../src/report/estimateTable.js';
import { toJson } from '../../src/report/json.js';
import { estimatedFigures } from '../../src/scenario/estimatedFigures.js';
import { loadRun, readRunFile } from '../../src/scenario/loadScenario.js';
import { slipway } from '../cli/slipway.js';
import { rounded } from './rounded.js';

/** Outputs that only change on purpose, one pair for each run file of examples/. `npm run freeze` writes them anew. */
const examples = fileURLToPath(new URL('../../examples/', import.meta.url));

for (const file of readdirSync(examples).filter((name) => name.endsWith('.yaml'))) {
  test(`${file} as text and as JSON`, async () => {
    const { run, scenario } = await loadRun(readRunFile(examples + file));
    const result = estimate(scenario, {
      written: { model: run.model, cluster: run.cluster },
      estimatedFigures: estimatedFigures(run.cluster),
    });
    const name = file.replace(/\.yaml$/, '');
    await expect(estimateTable(result, { columns: 80, color: false })).toMatchFileSnapshot(`${name}.txt`);
    await expect(rounded(toJson(result))).toMatchFileSnapshot(`${name}.json`);
  });
}

test.each([
  ['help', ['--help']],
  ['estimate-help', ['estimate', '--help']],
  ['presets-show', ['presets', 'show', 'dgx-h100']],
])('%s', async (name, args) => {
  await expect(slipway(args).stdout).toMatchFileSnapshot(`${name}.txt`);
});
