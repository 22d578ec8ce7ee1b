import { describe, expect, test } from 'vitest';
import { editDistance, nearest } from '../../src/quantity/nearest.js';

describe('nearest', () => {
  const names = ['dgx-h100', 'dgx-h200', 'dgx-a100', 'gb200-nvl72', 'deepseek-h800'];

  test.each([
    ['dgx-h10', 'dgx-h100'],
    ['dgx-h010', 'dgx-h100'],
    ['DGX_A100', 'dgx-a100'],
    ['gb200', 'gb200-nvl72'],
    ['deepseek', 'deepseek-h800'],
  ])('%s is %s', (word, meant) => {
    expect(nearest(word, names)).toBe(meant);
  });

  test.each(['toaster', 'x', ''])('%j is nothing', (word) => {
    expect(nearest(word, names)).toBeUndefined();
  });
});

test('editDistance counts a swap of neighbours once', () => {
  expect(editDistance('abcd', 'abdc')).toBe(1);
  expect(editDistance('kitten', 'sitting')).toBe(3);
  expect(editDistance('', 'abc')).toBe(3);
});
