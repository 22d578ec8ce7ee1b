import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { estimate } from '../../src/planner/estimate.js';
import { estimateTable } from '../../src/report/estimateTable.js';
import { toJson } from '../../src/report/json.js';
import { loadScenario } from '../../src/scenario/loadScenario.js';

/**
 * Outputs that only change on purpose: `<example>.txt` and `<example>.json` beside this file, one for each run file of
 * examples/. `UPDATE_GOLDEN=1 npx vitest run tests/golden` writes them; a missing one is not checked.
 */
const golden = fileURLToPath(new URL('.', import.meta.url));
const examples = fileURLToPath(new URL('../../examples/', import.meta.url));
const update = process.env.UPDATE_GOLDEN === '1';

for (const file of readdirSync(examples).filter((name) => name.endsWith('.yaml'))) {
  for (const form of ['txt', 'json'] as const) {
    const expected = `${golden}${file.replace(/\.yaml$/, '')}.${form}`;
    test.skipIf(!update && !existsSync(expected))(`${file} as ${form}`, async () => {
      const result = estimate(await loadScenario(examples + file));
      const output = form === 'json' ? rounded(toJson(result)) : estimateTable(result, { columns: 80, color: false });
      if (update) writeFileSync(expected, output);
      expect(output).toBe(readFileSync(expected, 'utf8'));
    });
  }
}

/** The last digits of a double differ between machines (Math.exp and friends), and mean nothing. */
function rounded(json: string): string {
  return json.replaceAll(/-?\d+\.\d+(e[+-]?\d+)?/g, (number) => String(Number(Number(number).toPrecision(9))));
}
