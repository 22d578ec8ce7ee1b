import { existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { SimulationResult } from '../../src/report/simulationResult.js';
import { slipway, temporaryFile } from './slipway.js';

const run = `model: { name: small, numLayers: 32, hiddenSize: 4096, numAttentionHeads: 32, intermediateSize: 16384, vocabSize: 32000 }
cluster: dgx-h100
accelerators: 8
strategy:
  pipelineParallel: 4
  globalBatchSize: 16
sequenceLength: 2048
`;
const example = fileURLToPath(new URL('../../examples/schedule-1f1b.csv', import.meta.url));

function simulate(flags: readonly string[] = [], input = run): ReturnType<typeof slipway> {
  return slipway(['simulate', '-', ...flags], { input });
}

function resultOf(flags: readonly string[] = [], input = run): SimulationResult {
  const { status, stdout, stderr } = simulate([...flags, '--json'], input);
  expect(stderr).toBe('');
  expect(status).toBeLessThanOrEqual(1);
  return JSON.parse(stdout) as SimulationResult;
}

function complaint(flags: readonly string[], input = run): string {
  const { status, stdout, stderr } = simulate(flags, input);
  expect(stdout).toBe('');
  expect(status).toBe(2);
  expect(stderr).toMatch(/^slipway: [^\n]+\n$/);
  return stderr.trim().replace(/\/\S*slipway-\w+\//, '');
}

describe('slipway simulate', () => {
  test('answers for people: a row per stage, who waits, the critical path, memory; 80 columns, no colour in a pipe', () => {
    const { status, stdout, stderr } = simulate();
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(stdout).not.toContain('\u001b');
    expect(stdout).toMatch(/^0 F/m);
    expect(stdout).toMatch(/^3 .*B7/m);
    for (const part of ['FITS', 'Stage', 'Critical path', 'Memory']) expect(stdout).toContain(part);
  });

  test('refuses chunks that do not divide the layers, unless their split is given', () => {
    expect(complaint(['--virtual-stages', '3'])).toMatch(
      /pipelineParallel 4 x virtualStages 3 = 12 chunks do not divide the 32 layers of small; use 2 or 4, or give stageLayers/,
    );
    const uneven = '[2, 3, 3, 3, 3, 3, 3, 3, 3, 2, 2, 2]';
    expect(resultOf(['--virtual-stages', '3', '--set', `strategy.stageLayers=${uneven}`]).run.chunksPerStage).toBe(3);
  });

  test('says how long every stream of a stage is busy, inside passes as well', () => {
    const { stages } = resultOf(['--tensor-parallel', '2']);
    for (const { streams, busySeconds } of stages) {
      expect(streams.compute).toBeGreaterThan(0);
      expect(streams.tensor).toBeGreaterThan(0);
      expect(streams.compute).toBeLessThan(busySeconds);
      expect(streams.expert).toBe(0);
    }
  });

  test('within a pass, the picture shows kernels and traffic', () => {
    const { stdout } = simulate(['--tensor-parallel', '2', '--from', '100ms', '--to', '102ms', '--width', '100']);
    expect(stdout).toMatch(/^ kernels .*mlp/m);
    expect(stdout).toMatch(/^ {2}tensor .*(ga|sc)/m);
  });

  test('answers for programs: one JSON document with the keys that stay', () => {
    const result = resultOf();
    expect(Object.keys(result)[0]).toBe('schemaVersion');
    expect(result.stages).toHaveLength(4);
    for (const stage of result.stages) {
      expect(stage.busySeconds + stage.idleSeconds).toBeCloseTo(result.step.timelineSeconds, 9);
      expect(stage.peakBytes).toBeLessThanOrEqual(result.memory.peakBytes);
    }
    const path = result.criticalPath.reduce((sum, { seconds }) => sum + seconds, 0);
    expect(path).toBeCloseTo(result.step.timelineSeconds, 9);
    expect(result.events).toBeGreaterThan(2 * 4 * 8);
  });

  test('the step is the one that estimate gives', () => {
    const { stdout } = slipway(['estimate', '-', '--json', '--no-advice'], { input: run });
    const { step } = JSON.parse(stdout) as { step: { seconds: number } };
    expect(resultOf().step.seconds / step.seconds).toBeCloseTo(1, 2);
  });

  test('--width and a part of the step', () => {
    const { stdout } = simulate(['--width', '100', '--from', '50ms', '--to', '0.1']);
    expect(stdout).toMatch(/^0 .{98}$/m);
    expect(stdout).toMatch(/^ +50 ms +100 ms$/m);
  });

  test('--trace and --svg write whole files and leave nothing else', () => {
    const folder = mkdtempSync(join(tmpdir(), 'slipway-'));
    const { status } = simulate(['--trace', join(folder, 'step.json'), '--svg', join(folder, 'step.svg')]);
    expect(status).toBe(0);
    expect(readdirSync(folder).sort()).toEqual(['step.json', 'step.svg']);
    const trace = JSON.parse(readFileSync(join(folder, 'step.json'), 'utf8')) as { traceEvents: unknown[] };
    expect(trace.traceEvents.length).toBeGreaterThan(100);
    expect(readFileSync(join(folder, 'step.svg'), 'utf8')).toMatch(/^<svg .*<\/svg>\n$/s);
  });

  test('a slow rank and slow links make it slower, noise is the same for the same seed', () => {
    const plain = resultOf().step;
    expect(resultOf(['--slow-rank', '0:1.5']).step.timelineSeconds).toBeGreaterThan(1.1 * plain.timelineSeconds);
    expect(resultOf(['--slow-links', '100']).step.timelineSeconds).toBeGreaterThan(plain.timelineSeconds);
    const noisy = resultOf(['--jitter', '0.05', '--seed', '7']).step;
    expect(resultOf(['--jitter', '0.05', '--seed', '7']).step).toEqual(noisy);
    expect(resultOf(['--jitter', '0.05', '--seed', '8']).step).not.toEqual(noisy);
    expect(noisy.atScale?.slowestSeconds).toBeGreaterThan(noisy.atScale?.meanSeconds ?? Number.POSITIVE_INFINITY);
    expect(plain.atScale).toBeNull();
  });

  test('exit 1 where it does not fit, with stage and moment', () => {
    const { status, stdout } = simulate(['--mbs', '8', '--gbs', '128', '--set', 'sequenceLength=8192']);
    expect(stdout).toMatch(/DOES NOT FIT[^;]*; stage \d\s+is\s+over\s+at\s+[^,]* s, in\s+F\d/);
    expect(status).toBe(1);
  });
});

describe('a schedule from a file', () => {
  test('the same order gives the same step as the schedule by name', () => {
    const named = resultOf();
    const own = resultOf(['--schedule', example]);
    expect(own.step).toEqual(named.step);
    expect(own.run.schedule).toBe('schedule-1f1b.csv');
    expect(resultOf(['--pipeline-schedule', example]).step).toEqual(named.step);
  });

  test('named in the run file, its path starts from there', () => {
    const text = run.replace('strategy:', 'strategy:\n  pipelineSchedule: ./mine.csv');
    const file = temporaryFile('run.yaml', text);
    expect(slipway(['simulate', file]).stderr).toMatch(/mine\.csv: no such file\n$/);
    expect(existsSync(join(dirname(file), 'mine.csv'))).toBe(false);
  });

  test('only simulate takes one', () => {
    const { status, stderr } = slipway(['estimate', '-', '--pipeline-schedule', example], { input: run });
    expect(status).toBe(2);
    expect(stderr).toMatch(
      /^slipway: strategy\.pipelineSchedule: .* is a file, which only `slipway simulate` reads; [^\n]+\n$/,
    );
  });

  test('an order that keeps more micro-batches alive than there is room for, by rank and slot', () => {
    const rows = ['F', 'B'].map((letter) => Array.from({ length: 64 }, (_, i) => `${letter}${i}`).join(','));
    const all = temporaryFile('gpipe.csv', `${rows.join(',')}\n,${rows.join(',')}\n`);
    const model = ['llama3-8b', '--cluster', 'dgx-h100', '--accelerators', '16'];
    const flags = ['--pp', '2', '--tp', '8', '--gbs', '64', '--mbs', '1', '--set', 'sequenceLength=8192'];
    const asked = ['simulate', '--model', ...model, ...flags, '--schedule', all];
    const { status, stdout, stderr } = slipway(asked);
    expect(stderr).toMatch(
      /^slipway: \S*gpipe\.csv: rank 1, slot \d+: over the memory of the accelerator: [^\n]* GiB a micro-batch; run backward passes earlier\n$/,
    );
    expect(stdout).toBe('');
    expect(status).toBe(2);
  });

  test('an order with a circle, the wrong shape, or dualpipe', () => {
    const circle = temporaryFile('mine.csv', 'F0,B0,F1,B1\nF0,F1,B0,B1\n');
    expect(complaint(['--pp', '2', '--gbs', '8', '--schedule', circle])).toBe(
      'slipway: mine.csv:1: rank 0, slot 1: deadlock: B0 waits for B0 of rank 1, slot 2, behind F1 waits for F1 of rank 0, slot 2, which can never run',
    );
    expect(complaint(['--pp', '2', '--schedule', example])).toMatch(/a schedule of 4 ranks for pipelineParallel 2/);
    expect(complaint(['--schedule', example, '--pipeline-schedule', 'dualpipe'])).toMatch(/dualpipe puts two copies/);
  });
});

describe('bad input is one line, exit 2', () => {
  test.each<[readonly string[], RegExp]>([
    [['--from', 'x'], /--from: 'x' is not a time/],
    [['--from', '1 h'], /--from: 3600 s is after the end of the step/],
    [['--from', '0.2', '--to', '0.1'], /--to: 0\.1 s is not after --from 0\.2 s/],
    [['--slow-rank', '3'], /--slow-rank: '3' is not rank:factor/],
    [['--slow-rank', '9:1.2'], /slow rank 9 is not one of the 8 accelerators/],
    [['--slow-links', '0.5'], /--slow-links: '0\.5' is not a factor of at least 1/],
    [['--jitter', '-1'], /--jitter: '-1' is not a fraction/],
    [['--jitter', '0.1', '--seed', '1.5'], /--seed: '1\.5' is not a whole number/],
    [['--width', 'wide'], /--width/],
    [['--trace', '/nonexistent/step.json'], /\/nonexistent\/step\.json: cannot be written: no such folder/],
    [['--svg', tmpdir()], /cannot be written: /],
    [['--pipeline-schedule', 'gpip'], /strategy\.pipelineSchedule: 'gpip' is not known, did you mean gpipe\?/],
    [['--vp', '40'], /virtualStages 40/],
    [['--pipeline-schedule', 'dualpipe', '--gbs', '14'], /dualpipe needs an even number of at least 8 micro-batches/],
  ])('%j', (flags, expected) => {
    expect(complaint(flags)).toMatch(expected);
  });

  test('no run file', () => {
    const { status, stderr } = slipway(['simulate']);
    expect(status).toBe(2);
    expect(stderr).toMatch(/^slipway: no run file; give one/);
  });
});
