import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { slipway, temporaryFile } from './slipway.js';

const folder = mkdtempSync(join(tmpdir(), 'slipway-'));
const env = { XDG_CONFIG_HOME: folder };
const nccl = 'examples/calibrate/all_reduce_perf.txt';
const gemm = 'examples/calibrate/gemm.csv';
const steps = 'examples/calibrate/run.yaml=examples/calibrate/megatron.log';

describe('slipway calibrate', () => {
  test('fits what was measured, says by how much, and keeps a cluster that commands know', () => {
    const args = ['calibrate', '--cluster', 'dgx-h100', '--gemm', gemm, '--nccl', nccl, '--steps', steps];
    const ran = slipway([...args, '--name', 'ours', '--json'], { env });
    expect(ran.stderr).toBe('');
    expect(ran.status).toBe(0);
    const result = JSON.parse(ran.stdout);
    expect(Object.keys(result)[0]).toBe('schemaVersion');
    expect(result).toMatchObject({ base: 'dgx-h100', profile: 'ours', problems: [] });
    expect(result.measurements).toHaveLength(3);
    for (const { errorAfter } of result.measurements) expect(errorAfter).toBeLessThan(0.02);
    const keys = result.constants.map(({ key }: { key: string }) => key);
    expect(keys).toContain('accelerator.gemm.bf16.maxEfficiency');
    expect(keys).toContain('accelerator.collectives.allReduce.8.busBytesPerSecond');
    expect(keys).toContain('jitter');

    const run = ['estimate', 'examples/calibrate/run.yaml', '--json', '--no-advice'];
    const own = JSON.parse(slipway([...run, '--cluster', 'ours'], { env }).stdout);
    // The log says 14.9 s.
    expect(Math.abs(own.step.seconds / 14.9 - 1)).toBeLessThan(0.01);
    expect(slipway(['presets', 'show', 'ours'], { env }).status).toBe(0);
  });

  test('writes a file that --cluster takes by its path', () => {
    const file = join(folder, 'saved.yaml');
    expect(slipway(['calibrate', '--cluster', 'dgx-h100', '--nccl', nccl, '--save', file], { env }).status).toBe(0);
    expect(readFileSync(file, 'utf8')).toContain('Made by slipway calibrate from dgx-h100');
    expect(slipway(['estimate', '--model', 'llama3-8b', '--cluster', file, '--json'], { env }).stderr).toBe('');
  });

  test('names measurements that contradict each other, and goes on', () => {
    const log = temporaryFile('steps.csv', 'step,seconds\n1,14\n2,14.1\n2,28\n3,oops\n4,14.2\n5,14.1\n');
    const ran = slipway(['calibrate', '--steps', `examples/calibrate/run.yaml=${log}`, '--json'], { env });
    const problems = JSON.parse(ran.stdout).problems;
    expect(problems).toEqual([
      { file: log, line: 4, why: 'step 2 takes 28.0 s here and 14.1 s on line 3; the first counts' },
      { file: log, line: 5, why: "'oops' is no number of seconds" },
    ]);
  });

  test('names a log that cannot be of its run file', () => {
    const log = temporaryFile('steps.csv', 'step,seconds\n1,90\n2,90\n3,90\n4,90\n');
    const ran = slipway(['calibrate', '--steps', `examples/calibrate/run.yaml=${log}`], { env });
    expect(ran.stdout.replaceAll(/\s+/g, ' ')).toContain(
      'it contradicts the other measurements, or the run file is not its',
    );
  });

  test.each([
    [[], 'no measurements; give --steps, --nccl or --gemm'],
    [['--nccl', nccl], '--cluster: which cluster was measured?'],
    [['--cluster', 'dgx-h1000', '--nccl', nccl], 'did you mean dgx-h100?'],
    [['--cluster', 'dgx-h100', '--nccl', 'nowhere.txt'], 'nowhere.txt: no such file'],
    [['--cluster', 'dgx-h100', '--nccl', gemm], `${gemm}: lists fewer than 2 ranks`],
    [['--cluster', 'dgx-h100', '--gemm', nccl], `${nccl}:1: lacks the column`],
    [['--steps', 'run.yaml'], "--steps: 'run.yaml' is not a run file and its log"],
    [['--cluster', 'dgx-h100', '--nccl', nccl, '--name', 'dgx-h200'], "--name: 'dgx-h200' is a preset"],
    [['--cluster', 'dgx-h100', '--nccl', nccl, '--name', '../x'], "--name: '../x' is no name"],
  ])('%j is refused in one line', (args, message) => {
    const ran = slipway(['calibrate', ...args], { env });
    expect(ran.status).toBe(2);
    expect(ran.stdout).toBe('');
    expect(ran.stderr).toContain(message);
    expect(ran.stderr.trim().split('\n')).toHaveLength(1);
  });
});
