import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SlipwayError } from '../../src/errors.js';
import { isExpression, parseQuantity, parseQuantityOrExpression } from '../../src/quantity/parseQuantity.js';
import type { Dimension } from '../../src/quantity/units.js';

test.each<[string | number, Dimension, number]>([
  ['80 GB', 'bytes', 80e9],
  ['80 GiB', 'bytes', 80 * 2 ** 30],
  ['80GiB', 'bytes', 80 * 2 ** 30],
  ['400 Gbit/s', 'bytesPerSecond', 50e9],
  ['400Gbps', 'bytesPerSecond', 50e9],
  ['50 GB/s', 'bytesPerSecond', 50e9],
  ['15.6T', 'count', 15.6e12],
  ['300B', 'count', 300e9],
  ['2M', 'count', 2e6],
  ['1k', 'count', 1000],
  ['1_000', 'count', 1000],
  ['2.5 $/h', 'dollarsPerHour', 2.5],
  ['$2.5/h', 'dollarsPerHour', 2.5],
  ['$3M', 'dollars', 3e6],
  ['30 days', 'seconds', 30 * 86_400],
  ['3.5 us', 'seconds', 3.5e-6],
  ['989 TFLOP/s', 'flopsPerSecond', 989e12],
  ['5.76e23 FLOPs', 'flops', 5.76e23],
  ['10.2 kW', 'watts', 10_200],
  ['85 %', 'ratio', 0.85],
  ['1.98 GHz', 'hertz', 1.98e9],
  [42, 'bytes', 42],
])('%s of %s is %s', (text, dimension, value) => {
  expect(parseQuantity(text, dimension)).toBeCloseTo(value, 12);
});

describe('what is no quantity of the kind', () => {
  test.each<[string, Dimension, string]>([
    ['80 GHz', 'bytes', "'80 GHz' is not bytes, such as 80 GB or 80 GiB; did you mean 80 GB?"],
    ['80gb', 'bytes', "'80gb' is not bytes, such as 80 GB or 80 GiB; did you mean 80 GB?"],
    [
      '50 GB',
      'bytesPerSecond',
      "'50 GB' is not bytes per second, such as 50 GB/s or 400 Gbit/s; did you mean 50 GB/s?",
    ],
    ['-3', 'count', '-3 is negative; expected a count, such as 2048, 300B or 15.6T'],
    ['1e400', 'count', '1e400 is not a finite number; expected a count, such as 2048, 300B or 15.6T'],
    ['', 'count', "'' is not a count, such as 2048, 300B or 15.6T"],
    ['many', 'count', "'many' is not a count, such as 2048, 300B or 15.6T"],
  ])('%s as %s', (text, dimension, message) => {
    expect(() => parseQuantity(text, dimension)).toThrow(message);
    expect(() => parseQuantity(text, dimension)).toThrow(SlipwayError);
  });

  test('never gives anything but a finite number of at least 0, or a SlipwayError', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          const value = parseQuantity(text, 'bytes');
          return Number.isFinite(value) && value >= 0;
        } catch (error) {
          return error instanceof SlipwayError;
        }
      }),
    );
  });
});

describe('expressions', () => {
  test.each<[string, Dimension, number]>([
    ['8 * 400 Gbit/s', 'bytesPerSecond', 400e9],
    ['2*80 GiB', 'bytes', 160 * 2 ** 30],
    ['100 GB / 2 s', 'bytesPerSecond', 50e9],
    ['2^20', 'count', 2 ** 20],
    ['2 * 15.6T', 'count', 31.2e12],
    ['$2 * 1.3 / h', 'dollarsPerHour', 2.6],
  ])('%s as %s', async (text, dimension, value) => {
    expect(isExpression(text)).toBe(true);
    expect(await parseQuantityOrExpression(text, dimension)).toBeCloseTo(value, 6);
  });

  test.each<[string, Dimension]>([
    ['8 * 400 GB', 'bytesPerSecond'],
    ['2 * 80 GHz', 'bytes'],
    ['x = 3 * 2', 'count'],
    ['f(x) = x * 2', 'count'],
    ['2 * 3; 4', 'count'],
    ['3 * cos(2)', 'count'],
    ['2 * "a".constructor', 'count'],
    ['3 / 0 * 1', 'count'],
    ['1 - 3', 'count'],
  ])('%s as %s is refused', async (text, dimension) => {
    await expect(async () => parseQuantityOrExpression(text, dimension)).rejects.toThrow(SlipwayError);
  });
});
