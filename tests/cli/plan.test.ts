import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { slipway, temporaryFile } from './slipway.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Eight accelerators, dense, 8 sequences: a second of search. */
const small = ['--model', 'llama3-8b', '--cluster', 'dgx-h100', '--gbs', '8', '--precision', 'bf16'];

/** Runs the command until it reports progress, then sends SIGINT as a terminal would. */
function interrupted(words: readonly string[]): Promise<{ status: number | null; stdout: string }> {
  return new Promise((resolve) => {
    // No loader process in between: the signal has to reach the one that searches.
    const child = spawn(process.execPath, ['--import', 'tsx', 'src/cli/main.ts', ...words], { cwd: root });
    let stdout = '';
    let sent = false;
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    child.stderr.on('data', () => {
      if (!sent) sent = child.kill('SIGINT');
    });
    child.on('close', (status) => resolve({ status, stdout }));
  });
}

describe('slipway plan', () => {
  test('prints the plans, what limits the best one and how much was searched', () => {
    const { status, stdout, stderr } = slipway(['plan', ...small, '--top', '3']);
    expect(status).toBe(0);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^Llama 3 8B on 8 accelerators of dgx-h100, batch 8 x 4,096 tokens, megatron\n/);
    expect(stdout).toMatch(/\n1\*? +[\d.]+ m?s +[\d.]+\.\.[\d.]+ m?s +[\d.]+ % +[\d.]+ GiB +<?\d+ %\n {4}\S/);
    expect(stdout).toContain('What limits the best plan');
    expect(stdout).toMatch(/legal\s+candidates/);
    expect(stdout).toContain('nothing');
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });

  test('saves a run file that estimate answers alike', () => {
    const saved = join(dirname(temporaryFile('x', '')), 'best.yaml');
    const { stdout } = slipway(['plan', ...small, '--top', '1', '--json', '--save', saved]);
    const document = JSON.parse(stdout) as { plans: { step: { seconds: number }; memory: object }[] };
    const again = JSON.parse(slipway(['estimate', saved, '--json']).stdout) as (typeof document.plans)[0];
    expect(again.step.seconds).toBe(document.plans[0]?.step.seconds);
    expect(again.memory).toEqual(document.plans[0]?.memory);
    expect(readFileSync(saved, 'utf8')).toContain('globalBatchSize: 8\n');
  });

  test('--json has the keys that scripts rely on, and every plan is an estimate', () => {
    const { status, stdout } = slipway(['plan', ...small, '--json', '--top', '4']);
    expect(status).toBe(0);
    expect(stdout.startsWith('{\n  "schemaVersion": 1,')).toBe(true);
    const document = JSON.parse(stdout) as Record<string, unknown> & { plans: Record<string, unknown>[] };
    for (const key of ['searched', 'feasible', 'seconds', 'plans', 'pareto']) expect(document).toHaveProperty(key);
    expect(document.plans).toHaveLength(4);
    for (const key of ['run', 'model', 'memory', 'step', 'throughput', 'training', 'warnings', 'advice']) {
      expect(document.plans[0]).toHaveProperty(key);
    }
    expect(document.complete).toBe(true);
  });

  test('takes a batch that only another split than the default one divides', () => {
    const { status, stdout, stderr } = slipway([
      'plan',
      ...small,
      '--gbs',
      '12',
      '--fix',
      'tp=2',
      '--json',
      '--top',
      '1',
    ]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const { plans } = JSON.parse(stdout) as { plans: { run: { dataParallel: number } }[] };
    expect(12 % (plans[0]?.run.dataParallel ?? 5)).toBe(0);
  });

  test('keeps what is fixed and meets the condition', () => {
    const { stdout } = slipway([
      'plan',
      ...small,
      ...['--fix', 'tp=2,4', '--where', 'memory.peakBytes < 40 GB', '--json', '--pipeline-parallel', '2'],
    ]);
    const { plans } = JSON.parse(stdout) as {
      plans: { run: { strategy: Record<string, number> }; memory: { peakBytes: number } }[];
    };
    expect(plans.length).toBeGreaterThan(0);
    for (const { run, memory } of plans) {
      expect([2, 4]).toContain(run.strategy.tensorParallel);
      expect(run.strategy.pipelineParallel).toBe(2);
      expect(run.strategy.globalBatchSize).toBe(8);
      expect(memory.peakBytes).toBeLessThan(40e9);
    }
  });

  test('says what is nearest and what makes it fit where nothing does, and exits 1', () => {
    const { status, stdout } = slipway([
      ...['plan', '--model', 'llama3-70b', '--cluster', 'dgx-h100', '--gbs', '16', '--offload', 'none'],
      ...['--precision', 'bf16', '--data-sharding', 'zero-1'],
    ]);
    expect(status).toBe(1);
    expect(stdout).toContain('NOTHING FITS');
    expect(stdout).toMatch(/nearest miss: tp8 \S/);
    expect(stdout).toMatch(/ {2}- leave offload open: /);
    expect(stdout).toMatch(/ {2}- 16 accelerators: /);
  });

  test('answers why not', () => {
    const { status, stdout } = slipway(['plan', ...small, '--top', '1', '--why-not', 'tp=4,pp=2', '--why-not', 'tp=3']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/Why not tp=4,pp=2\n {2}it works: .* slower/s);
    expect(stdout).toMatch(/Why not tp=3\n {2}it does not work: tensorParallel 3/);
    expect(stdout).toMatch(/nearest that works, without tensorParallel/);
  });

  test('names the condition that nothing meets, how near it comes, and exits 1', () => {
    const { status, stdout } = slipway(['plan', ...small, '--where', 'mfu > 0.99 and tensorParallel == 1']);
    expect(status).toBe(1);
    expect(stdout).toMatch(/NOTHING MEETS THE CONDITIONS\nno plan meets mfu > 0\.99 \(at best mfu [\d.]+ %\)/);
    expect(stdout).toMatch(/What can be had\n {2}- nearest to mfu > 0\.99: /);
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });

  test('--deadline chooses the smallest cluster, shows its size, and is met', () => {
    const words = ['--tokens', '20B', '--deadline', '10 days', '--dollars-per-accelerator-hour', '2 $/h', '--top', '2'];
    const { status, stdout } = slipway(['plan', ...small.with(5, '64'), ...words, '--json']);
    expect(status).toBe(0);
    const { plans } = JSON.parse(stdout) as { plans: { run: { accelerators: number }; training: { days: number } }[] };
    expect(plans[0]?.run.accelerators).toBe(8);
    expect(plans[0]?.training.days).toBeLessThan(10);
    const text = slipway(['plan', ...small.with(5, '64'), ...words]).stdout;
    expect(text).toMatch(/^# +accel\. +step +80 % range +MFU +memory +risk +days +cost$/m);
  });

  test('Ctrl-C ends the search: the best so far, and exit 130', async () => {
    const words = ['--model', 'llama3-405b', '--cluster', 'dgx-h100', '--accelerators', '16384', '--gbs', '2048'];
    // An objective that bounds nothing before memory is known: minutes of search.
    const ended = await interrupted(['plan', ...words, '--objective', 'headroom', '--progress', '--json']);
    expect(ended.status).toBe(130);
    const document = JSON.parse(ended.stdout) as { complete: boolean; searched: number };
    expect(document.complete).toBe(false);
    expect(document.searched).toBeGreaterThan(0);
  });

  test.each([
    [['--objective', 'import("fs")'], '--objective: \'import("fs")\' is not understood'],
    [['--fix', 'tpp=8'], "--fix: unknown key 'tpp'"],
    [['--deadline', 'soon'], "--deadline: 'soon' is not a time"],
    [['--budget', '2M$'], '--budget: training.costUsd is not known without training.dollarsPerAcceleratorHour'],
    [['--where', 'step = 1'], "--where: 'step = 1' is not understood"],
    [['--where', 'mfu.constructor.constructor("return 1")()'], "--where: 'mfu.constructor.constructor"],
    [['--where', `mfu > ${'9'.repeat(600)}`], "--where: 'mfu > 9999"],
    [['--objective', '9^9^9^9^9 * step'], "--objective: '9^9^9^9^9 * step' has no finite value"],
    [['--objective', 'step / 0'], "--objective: 'step / 0' has no finite value"],
    [['--objective', 'step / (mfu - mfu)'], "--objective: 'step / (mfu - mfu)' has no"],
    [['--where', 'mfu'.repeat(30_000)], "--where: 'mfumfu"],
    [['--fix', 'tp=1..1e12'], '--fix: '],
    [['--fix', 'gbs=8,16'], 'strategy.globalBatchSize: the global batch is part of the training'],
    [['--top', '0'], '--top: 0 is not between 1 and 1000'],
    [['--pareto', 'step,,memory'], "--pareto: '' is no figure"],
    [['--why-not', 'tp=x'], '--why-not: '],
  ])('%j is one line and exit 2', (args, start) => {
    const { status, stdout, stderr } = slipway(['plan', ...small, ...args]);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr.split('\n')).toHaveLength(2);
    expect(stderr.startsWith(`slipway: ${start}`)).toBe(true);
  });

  test('reports progress on standard error only where asked for', () => {
    expect(slipway(['plan', ...small, '--top', '1', '--progress']).stderr).toMatch(/\d+ %.* evaluated, \d+ simulated/);
  });
});
