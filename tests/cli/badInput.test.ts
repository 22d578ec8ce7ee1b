import { tmpdir } from 'node:os';
import { describe, expect, test } from 'vitest';
import { slipway, temporaryFile } from './slipway.js';

const run = `model: llama3-8b
cluster: dgx-h100
accelerators: 64
strategy:
  tensorParallel: 2
  microBatchSize: 1
  globalBatchSize: 128
sequenceLength: 4096
`;

/** Runs a file with a mistake in it: exit 2, nothing on stdout, one line on stderr, and no stack trace. */
function complaint(content: string | Buffer, flags: readonly string[] = []): string {
  return complaintOf(['estimate', temporaryFile('run.yaml', content), ...flags]);
}

function complaintOf(args: readonly string[]): string {
  const { status, stdout, stderr } = slipway(args);
  expect(stdout).toBe('');
  expect(status).toBe(2);
  expect(stderr).toMatch(/^slipway: [^\n]+\n$/);
  return stderr.trim().replace(/\/\S*slipway-\w+\//, '');
}

describe('one line with file, key and the nearest valid value', () => {
  test.each<[string, string, RegExp]>([
    ['model: llama3-8b', 'model: lama3-8b', /^slipway: run\.yaml:1: model: .*'lama3-8b'.*did you mean llama3-8b\?$/],
    ['cluster: dgx-h100', 'cluster: dgx-h10', /^slipway: run\.yaml:2: cluster: .*'dgx-h10'.*did you mean dgx-/],
    [
      'tensorParallel',
      'tensorParalel',
      /^slipway: run\.yaml:5: strategy\.tensorParalel: unknown key, did you mean tensorParallel\?$/,
    ],
    ['model: llama3-8b', 'model: [llama', /^slipway: run\.yaml:\d+: not valid YAML: /],
    [
      'tensorParallel: 2',
      'tensorParallel: -2',
      /^slipway: run\.yaml:5: strategy\.tensorParallel: must be at least 1, found -2$/,
    ],
    [
      'tensorParallel: 2',
      'tensorParallel: 1.5',
      /^slipway: run\.yaml:5: strategy\.tensorParallel: expected a whole number, found 1\.5$/,
    ],
    ['tensorParallel: 2', 'tensorParallel: 64', /^slipway: run\.yaml:.*64.*heads/],
    ['globalBatchSize: 128', 'globalBatchSize: 100', /^slipway: run\.yaml:.*100/],
    [
      'sequenceLength: 4096',
      'sequenceLength: 0',
      /^slipway: run\.yaml:8: sequenceLength: must be at least 1, found 0$/,
    ],
  ])('%s as %s', (from, to, expected) => {
    expect(complaint(run.replace(from, to))).toMatch(expected);
  });

  test('degrees that do not divide the accelerators show the product and the way out', () => {
    expect(complaint(run, ['--tp', '8', '--accelerators', '100'])).toMatch(/tensorParallel 8 .*100 .*use 96 or 104/);
  });

  test('units that make no sense', () => {
    const cluster = 'cluster: { accelerator: h100-sxm-80, acceleratorsPerNode: 8, hostMemoryBytes: 80 GHz }';
    expect(complaint(run.replace('cluster: dgx-h100', cluster))).toBe(
      "slipway: run.yaml:2: cluster.hostMemoryBytes: '80 GHz' is not bytes, such as 80 GB or 80 GiB; did you mean 80 GB?",
    );
  });

  test('files that are no run files', () => {
    expect(complaint(Buffer.alloc(10_000_000, 0xa5))).toBe(
      'slipway: run.yaml: too large for a run file (at most 1 MB)',
    );
    expect(complaint(Buffer.from([1, 2, 0, 3]))).toBe(
      'slipway: run.yaml: a binary file, not a run file in YAML or JSON',
    );
    expect(complaint('')).toBe('slipway: run.yaml: the file is empty; it needs at least model and cluster');
    expect(complaintOf(['estimate', '/dev/zero'])).toBe('slipway: /dev/zero: too large for a run file (at most 1 MB)');
    expect(complaintOf(['estimate', 'two\nlines.yaml'])).toBe('slipway: two lines.yaml: no such file');
    expect(complaintOf(['estimate', tmpdir()])).toMatch(/: a folder, not a run file$/);
    expect(complaintOf(['estimate', 'missing.yaml'])).toBe('slipway: missing.yaml: no such file');
    expect(complaintOf(['estimate'])).toMatch(/^slipway: no run file; give one/);
  });

  test('flags and commands', () => {
    expect(complaint(run, ['--tenosr-parallel', '8'])).toBe(
      "slipway: unknown option '--tenosr-parallel', did you mean --tensor-parallel?",
    );
    expect(complaint(run, ['--tensor-parallel', '-1'])).toBe(
      'slipway: strategy.tensorParallel: must be at least 1, found -1',
    );
    expect(complaint(run, ['--set', 'nonsense'])).toMatch(/^slipway: --set: 'nonsense' is not path=value/);
    expect(complaintOf(['estimat'])).toBe("slipway: unknown command 'estimat', did you mean estimate?");
    expect(complaintOf(['help', 'estimat'])).toBe("slipway: unknown command 'estimat', did you mean estimate?");
    expect(complaintOf(['validate', '--worst', 'many'])).toMatch(/expected a whole number, such as 10$/);
    expect(complaintOf(['presets', 'show', 'dgx-h10'])).toMatch(/did you mean dgx-/);
  });
});
