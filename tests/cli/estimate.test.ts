import { describe, expect, test } from 'vitest';
import type { Estimate } from '../../src/planner/estimateResult.js';
import { slipway, temporaryFile } from './slipway.js';

const run = `model: { name: small, numLayers: 32, hiddenSize: 4096, numKeyValueHeads: 8, intermediateSize: 14336, vocabSize: 128256, gatedMlp: true }
cluster: dgx-h100
accelerators: 64
strategy:
  tensorParallel: 2
  pipelineParallel: 2
  globalBatchSize: 128
sequenceLength: 4096
training: { tokens: 1T, dollarsPerAcceleratorHour: 2 $/h }
`;

describe('slipway estimate', () => {
  test('answers for people: fits first, within 80 columns, no colour in a pipe', () => {
    const { status, stdout, stderr } = slipway(['estimate', temporaryFile('run.yaml', run)]);
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^small .*\n.*\n\nFITS {2}/);
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(stdout).not.toContain('\u001b');
  });

  test('answers for programs: one JSON document with the keys that stay', () => {
    const { status, stdout } = slipway(['estimate', '-', '--json'], { input: run });
    const estimate = JSON.parse(stdout) as Estimate;
    expect(status).toBe(0);
    expect(Object.keys(estimate)[0]).toBe('schemaVersion');
    expect(estimate.run).toMatchObject({ accelerators: 64, dataParallel: 16, gradientAccumulation: 8 });
    const parts = Object.values(estimate.step.breakdown).reduce((sum, part) => sum + part, 0);
    expect(parts).toBeCloseTo(estimate.step.seconds, 9);
    expect(estimate.training.steps).toBe(Math.ceil(1e12 / (128 * 4096)));
    expect(estimate.training.costUsd).toBeCloseTo(2 * (estimate.training.acceleratorHours ?? 0), 3);
  });

  test('flags win over the file, and --set reaches what has no flag', () => {
    const flags = ['--pp', '1', '--micro-batch-size', '2', '--no-sequence-parallel', '--set', 'model.numLayers=16'];
    const { stdout } = slipway(['estimate', '-', '--json', ...flags], { input: run });
    const { run: filled } = JSON.parse(stdout) as Estimate;
    expect(filled.strategy).toMatchObject({ pipelineParallel: 1, microBatchSize: 2, sequenceParallel: false });
    expect(filled.model).toMatchObject({ numLayers: 16 });
  });

  test('a run file in the place of a command is its estimate', () => {
    expect(slipway([temporaryFile('run.yaml', run)]).stdout).toContain('FITS');
  });

  test('exit 1 where it does not fit', () => {
    const { status, stdout } = slipway(['estimate', '-', '--tp', '1', '--pp', '1', '--mbs', '8', '--gbs', '512'], {
      input: run,
    });
    expect(stdout).toContain('DOES NOT FIT');
    expect(status).toBe(1);
  });
});
