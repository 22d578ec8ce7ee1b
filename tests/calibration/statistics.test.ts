import fc from 'fast-check';
import { expect, test } from 'vitest';
import { groupBy, mean, median, quantile } from '../../src/calibration/statistics.js';

test('the median of an even sample lies between the middle two', () => {
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(median([3, 1, 2])).toBe(2);
});

test('quantiles interpolate between ranks, as NumPy does', () => {
  expect(quantile([10, 20, 30, 40, 50], 0.9)).toBeCloseTo(46);
  expect(quantile([7], 0.9)).toBe(7);
});

test('an empty sample has no statistics', () => {
  expect([median([]), mean([]), quantile([], 0.9)]).toEqual([null, null, null]);
});

test('a quantile lies within the sample and does not reorder it', () => {
  const samples = fc.array(fc.double({ min: -1e9, max: 1e9, noNaN: true }), { minLength: 1 });
  fc.assert(
    fc.property(samples, fc.double({ min: 0, max: 1, noNaN: true }), (values, fraction) => {
      const before = [...values];
      const value = quantile(values, fraction) ?? Number.NaN;
      expect(values).toEqual(before);
      return value >= Math.min(...values) && value <= Math.max(...values);
    }),
  );
});

test('groups keep the order in which their items came', () => {
  expect([...groupBy([1, 2, 3, 4], (value) => (value % 2 === 0 ? 'even' : 'odd'))]).toEqual([
    ['odd', [1, 3]],
    ['even', [2, 4]],
  ]);
});
