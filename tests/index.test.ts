import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { estimate, listPresets, loadPresets, resolveScenario } from '../src/index.js';

test('the index holds re-exports and nothing else', () => {
  const text = readFileSync(new URL('../src/index.ts', import.meta.url), 'utf8');
  const code = text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/export (type )?\{[^}]*\} from '[^']+';/g, '');
  expect(code.trim()).toBe('');
});

test('presets are named and loaded, and an estimate needs no file', () => {
  expect(loadPresets('clusters').map(({ id }) => id)).toEqual(listPresets('clusters'));
  const { memory, step } = estimate(
    resolveScenario({ model: 'llama3-8b', cluster: 'dgx-h100', strategy: { tensorParallel: 8 } }),
  );
  expect(memory.fits).toBe(true);
  expect(step.seconds).toBeGreaterThan(0);
});
