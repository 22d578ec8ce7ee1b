import { expect, test } from 'vitest';
import {
  formatBytes,
  formatCount,
  formatDollars,
  formatEnergy,
  formatRatio,
  formatSeconds,
  formatTonnes,
} from '../../src/quantity/format.js';

test('memory is printed in binary units, with the unit', () => {
  expect(formatBytes(80 * 2 ** 30)).toBe('80.0 GiB');
  expect(formatBytes(80e9)).toBe('74.5 GiB');
  expect(formatBytes(3 * 2 ** 20)).toBe('3.00 MiB');
  expect(formatBytes(4)).toBe('4 B');
});

test('times are printed in the unit people would say', () => {
  expect(formatSeconds(4.9432)).toBe('4.94 s');
  expect(formatSeconds(0.0219)).toBe('21.9 ms');
  expect(formatSeconds(293e-6)).toBe('293 us');
  expect(formatSeconds(30 * 86_400)).toBe('30.0 days');
});

test('counts, money, energy and ratios', () => {
  expect(formatCount(405.9e9)).toBe('406B');
  expect(formatCount(15.6e12)).toBe('15.6T');
  expect(formatCount(2048)).toBe('2,048');
  expect(formatTonnes(0.844)).toBe('844 kg');
  expect(formatDollars(76.4e6)).toBe('$76.4 million');
  expect(formatDollars(12_345)).toBe('$12,345');
  expect(formatEnergy(29.8e6)).toBe('29.8 GWh');
  expect(formatRatio(0.4137)).toBe('41.4 %');
});
