import { expect, test } from 'vitest';
import { reliability } from '../../src/training/reliability.js';

test('Llama 3 on 16,384 H100: a failure about every three hours, more than 90 % useful time', () => {
  const { secondsBetweenFailures, goodput } = reliability(16_384, 405e9, 50e9);
  expect(secondsBetweenFailures / 3600).toBeCloseTo(3.05, 2);
  expect(goodput).toBeGreaterThan(0.9);
  expect(goodput).toBeLessThan(0.95);
});

test('one node hardly ever fails, a million accelerators do nothing else', () => {
  expect(reliability(8, 8e9, 50e9).goodput).toBeGreaterThan(0.995);
  expect(reliability(1_000_000, 1e12, 50e9).goodput).toBeGreaterThan(0);
  expect(reliability(1_000_000, 1e12, 50e9).goodput).toBeLessThan(0.3);
});
