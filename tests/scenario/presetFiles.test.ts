import { describe, expect, test } from 'vitest';
import { SlipwayError } from '../../src/errors.js';
import { loadCluster } from '../../src/scenario/loadHardware.js';
import { listPresets, readPreset } from '../../src/scenario/presetFiles.js';

function errorOf(run: () => unknown): SlipwayError {
  try {
    run();
  } catch (error) {
    if (error instanceof SlipwayError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('readPreset', () => {
  test('finds a file by id', () => {
    const { id, file, data } = readPreset('accelerators', 'h100-sxm-80');
    expect(id).toBe('h100-sxm-80');
    expect(file).toMatch(/presets[\\/]accelerators[\\/]h100-sxm-80\.yaml$/);
    expect(data).toMatchObject({ id: 'h100-sxm-80' });
  });

  test('finds it by alias and in any case', () => {
    expect(readPreset('accelerators', 'h100').id).toBe('h100-sxm-80');
    expect(readPreset('accelerators', 'b300-288').id).toBe('b300-sxm-288');
    expect(readPreset('clusters', 'P5.48xlarge').id).toBe('aws-p5');
    expect(readPreset('clusters', 'DGX-H100').id).toBe('dgx-h100');
  });

  test('offers the nearest name', () => {
    const error = errorOf(() => readPreset('clusters', 'dgx-h10'));
    expect(error.code).toBe('unknown-preset');
    expect(error.message).toBe("no cluster preset is called 'dgx-h10'; did you mean dgx-h100?");
    expect(error.place).toEqual({ key: 'cluster', suggestion: 'dgx-h100' });
  });

  test('offers the list where nothing is near', () => {
    const error = errorOf(() => readPreset('clusters', 'a-toaster-in-the-kitchen'));
    expect(error.message).toMatch(/^no cluster preset is called 'a-toaster-in-the-kitchen'; `slipway presets list`/);
    expect(error.place.suggestion).toBeUndefined();
  });

  test.each(['../clusters/dgx-h100', '/etc/passwd', '.', ''])('never leaves its folder: %j', (name) => {
    expect(errorOf(() => readPreset('accelerators', name)).code).toBe('unknown-preset');
  });
});

test('listPresets names every file, sorted', () => {
  const ids = listPresets('accelerators');
  expect(ids).toContain('h100-sxm-80');
  expect(ids).toEqual([...ids].sort());
});

test('a cluster written out may name an accelerator that does not exist', () => {
  const error = errorOf(() => loadCluster({ accelerator: 'h100-sxm-8', acceleratorsPerNode: 8 }));
  expect(error.message).toBe("no accelerator preset is called 'h100-sxm-8'; did you mean h100-sxm-80?");
});
