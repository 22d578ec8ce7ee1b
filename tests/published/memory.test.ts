import { expect, test } from 'vitest';
import { predictRun } from '../../src/calibration/predict.js';
import { loadShippedRuns } from '../../src/calibration/shippedRuns.js';
import { validateRuns } from '../../src/calibration/validate.js';

const families = {
  // PyTorch's own peak: every tensor counts.
  'simumax-b200': 0.01,
  'nvidia-megatron-lm-tests-functional-test': 0.02,
  // What the allocator reserved, or what nvidia-smi showed.
  bloom: 0.06,
  'zero-bubble': 0.06,
  torchtitan: 0.06,
  'stas00-ml-engineering-insights-when-to-u': 0.05,
} as const;

const runs = loadShippedRuns().filter(
  ({ family, measured }) =>
    family === 'hagemann-2023' || (Object.hasOwn(families, family) && measured.peakMemoryBytes !== undefined),
);
const { byFamily } = validateRuns(runs, predictRun).summary;

test.each(Object.entries(families))('median error of the peaks of %s', (family, most) => {
  expect(byFamily[family]?.medianAbsMemoryError).toBeLessThan(most);
});

test('out-of-memory decisions of hagemann-2023: 96 % right, and wrong ones more often cautious', () => {
  const { count, right, saidFits, saidDoesNotFit } = byFamily['hagemann-2023']?.outOfMemory ?? {
    ...{ count: 0, right: 0, saidFits: 0, saidDoesNotFit: 0 },
  };
  expect(count).toBe(636);
  expect(right / count).toBeGreaterThan(0.96);
  expect(saidDoesNotFit).toBeGreaterThan(saidFits);
});
