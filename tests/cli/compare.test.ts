import { describe, expect, test } from 'vitest';
import { slipway, temporaryFile } from './slipway.js';

const run = (tensorParallel: number): string => `model: llama3-8b
cluster: dgx-h100
accelerators: 64
strategy: { tensorParallel: ${tensorParallel}, pipelineParallel: 2, globalBatchSize: 128 }
`;

describe('slipway compare', () => {
  const a = temporaryFile('a.yaml', run(2));
  const b = temporaryFile('b.yaml', run(4));

  test('side by side in 80 columns, differences marked, and why; a saved estimate stands for its run file', () => {
    const { status, stdout, stderr } = slipway(['compare', a, b]);
    expect([status, stderr]).toEqual([0, '']);
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(stdout).toMatch(/^\* tensorParallel +2 +4$/m);
    expect(stdout).toMatch(/^ {2}fits +yes +yes$/m);
    expect(stdout).toMatch(/^Step, from a to b$/m);
    expect(stdout).toMatch(/^ {2}tensor parallel +\+\d/m);
    const saved = temporaryFile('b.json', slipway(['estimate', b, '--json', '--no-advice']).stdout);
    expect(slipway(['compare', a, saved]).stdout).toBe(stdout);
    const json = JSON.parse(slipway(['compare', a, b, '--json']).stdout) as {
      schemaVersion: number;
      names: string[];
      waterfalls: { step: { delta: number; terms: { delta: number }[] } }[];
    };
    expect(Object.keys(json)[0]).toBe('schemaVersion');
    expect(json.names).toEqual(['a', 'b']);
    const step = json.waterfalls[0]?.step;
    expect(step?.terms.reduce((sum, { delta }) => sum + delta, 0)).toBe(step?.delta);
  });

  test('--measured: likely causes, likeliest first', () => {
    const { status, stdout } = slipway(['compare', a, '--measured', '20 %']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^Llama 3 8B: measured .* slower\s+than\s+estimated;\s/m);
    expect(stdout).toMatch(/^ +\d+ % {2}/m);
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  test.each<[readonly string[], RegExp]>([
    [['compare', a], /two files are compared; or give --measured/],
    [['compare', a, b, '--measured', '8s'], /--measured: a measurement is of one run/],
    [['compare', a, '--measured', 'fast'], /--measured: 'fast' is not a time such as 8\.3s/],
    [['compare', a, '--measured', '0 s'], /--measured: must be more than 0/],
    [['compare', a, '/nonexistent.yaml'], /\/nonexistent\.yaml: no such file/],
    [['compare', a, temporaryFile('c.json', '{"schemaVersion":1}')], /c\.json: is no run file, and no document of/],
  ])('%j is one line, exit 2', (words, expected) => {
    const { status, stdout, stderr } = slipway(words);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^slipway: [^\n]+\n$/);
    expect(stderr).toMatch(expected);
  });
});
