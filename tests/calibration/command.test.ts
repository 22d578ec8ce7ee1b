import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ValidationResult } from '../../src/calibration/validate.js';
import { validate } from '../../src/cli/validate.js';
import { SlipwayError } from '../../src/errors.js';

const ownRun = {
  id: 'ours-1',
  run: {
    model: {
      name: 'small',
      ...{ numLayers: 24, hiddenSize: 2048, numAttentionHeads: 16, intermediateSize: 8192, vocabSize: 50_257 },
      gatedMlp: false,
    },
    cluster: { accelerator: 'a100-sxm-80', acceleratorsPerNode: 8, nodeNetworkGbitPerSecond: 1600 },
    accelerators: 8,
    sequenceLength: 2048,
    strategy: { microBatchSize: 2, globalBatchSize: 64 },
  },
  measured: { stepSeconds: 1.5 },
};

describe('slipway validate', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'slipway-validate-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const written = (...rows: object[]) => {
    const file = join(folder, `${Math.random()}.jsonl`);
    writeFileSync(file, rows.map((row) => JSON.stringify(row)).join('\n'));
    return file;
  };

  test('without a file runs the shipped rows, here of one family', () => {
    const { text, exitCode } = validate(undefined, { json: true, family: 'korthikanti-2022' });
    const { schemaVersion, summary, runs } = JSON.parse(text) as ValidationResult;
    expect({ schemaVersion, exitCode }).toEqual({ schemaVersion: 1, exitCode: 0 });
    expect([summary.count, summary.skipped, runs.length]).toEqual([8, 0, 9]);
    expect(summary.baseline.medianAbsStepError).toBeGreaterThan(0);
    expect(Object.keys(summary)).toEqual(expect.arrayContaining(['outOfMemory', 'ranking', 'byFamily', 'bias']));
  });

  test('every part of a predicted step is there and they add up', () => {
    const { text } = validate(written(ownRun), { json: true });
    const { predicted, stepError } = (JSON.parse(text) as ValidationResult).runs[0] ?? {};
    const parts = Object.values(predicted?.breakdown ?? {}) as number[];
    expect(parts.reduce((sum, part) => sum + part, 0)).toBeCloseTo(predicted?.stepSeconds ?? 0, 9);
    expect(stepError).toBeCloseTo((predicted?.stepSeconds ?? 0) / 1.5 - 1, 9);
  });

  test('exits 1 with the reason when no run can be predicted', () => {
    const impossible = { ...ownRun, run: { ...ownRun.run, strategy: { tensorParallel: 3, globalBatchSize: 64 } } };
    const { text, exitCode } = validate(written(impossible), {});
    expect(exitCode).toBe(1);
    expect(text).toMatch(/1 skipped/);
    expect(text).toMatch(/tensorParallel/);
  });

  test.each([
    ['a missing file', () => join(folder, 'none.jsonl'), /does not exist/],
    ['a directory', () => folder, /is a directory/],
    ['a run file instead of runs', () => written({ model: 'llama3-8b' }), /./],
  ])('%s is an error that names the file', (_, file, message) => {
    const path = file();
    const error = errorOf(() => validate(path, {}));
    expect(error.place.file).toBe(path);
    expect(error.message).toMatch(message);
  });

  test('a misspelt family gets the nearest one', () => {
    const error = errorOf(() => validate(undefined, { family: 'hagemann-2032' }));
    expect(error.message).toMatch(/did you mean hagemann-2023\?/);
  });
});

function errorOf(action: () => unknown): SlipwayError {
  try {
    action();
  } catch (error) {
    if (error instanceof SlipwayError) return error;
    throw error;
  }
  throw new Error('no error');
}
