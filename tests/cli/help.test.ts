import { describe, expect, test } from 'vitest';
import { slipway } from './slipway.js';

describe('--help', () => {
  test.each([
    [[]],
    [['estimate']],
    [['plan']],
    [['validate']],
    [['presets']],
    [['presets', 'list']],
    [['presets', 'show']],
    [['schema']],
  ])('of %s begins with two examples and keeps to 80 columns', (command: string[]) => {
    const { status, stdout, stderr } = slipway([...command, '--help']);
    expect(status).toBe(0);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^Examples:\n {2}\$ slipway .*\n {2}\$ slipway .*\n\nUsage: slipway/);
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
  });
});

test('--version is the package version', () => {
  expect(slipway(['--version'])).toMatchObject({ status: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
});

test('the schema is one JSON document that knows every strategy field', () => {
  const { stdout } = slipway(['schema']);
  const schema = JSON.parse(stdout) as { properties: { strategy: { properties: Record<string, unknown> } } };
  expect(schema.properties.strategy.properties).toHaveProperty('tensorParallel');
});

test('presets are listed and shown, as text and as JSON', () => {
  expect(slipway(['presets', 'list', 'clusters']).stdout).toContain('dgx-h100');
  expect(JSON.parse(slipway(['presets', 'list', '--json']).stdout)).toHaveProperty('accelerators');
  expect(slipway(['presets', 'show', 'h100-sxm-80']).stdout).toMatch(
    /peakFlopsPerSecond\.bf16 +990 TFLOP\/s +datasheet \[/,
  );
  expect(JSON.parse(slipway(['presets', 'show', 'dgx-h100', '--json']).stdout)).toMatchObject({
    kind: 'clusters',
    id: 'dgx-h100',
  });
});
