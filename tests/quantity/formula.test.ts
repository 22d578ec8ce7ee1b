import { describe, expect, test } from 'vitest';
import { SlipwayError } from '../../src/errors.js';
import { compileFormula } from '../../src/quantity/formula.js';

const scope = (name: string): number => ({ a: 3, b: 4 })[name] ?? Number.NaN;

describe('a formula', () => {
  test.each([
    ['a + b * 2', 11],
    ['(a + b) * 2', 14],
    ['a ^ 2 / b', 2.25],
    ['-a - +b', -7],
    ['2 a', 6],
    ['1e3', 1000],
  ])('%s = %d', async (text, value) => {
    expect((await compileFormula(text, ['a', 'b']))(scope)).toBeCloseTo(value, 12);
  });
});

describe('what is no arithmetic over known names is refused before anything runs', () => {
  test.each([
    'a = 5',
    'f(x) = x',
    'a; b',
    'cos(a)',
    'import({}, {})',
    'a.constructor',
    'a["constructor"]("return process")()',
    '"text"',
    '[a, b]',
    '{x: a}',
    'a > b ? a : b',
    'a == b',
    'a!',
    '1:100000000',
    'constructor',
    '__proto__',
    'toString',
    'a +',
    '(('.repeat(200),
    'a+'.repeat(400),
    '',
  ])('%s', async (text) => {
    await expect(compileFormula(text, ['a', 'b'])).rejects.toThrow(SlipwayError);
    await expect(compileFormula(text, ['a', 'b'])).rejects.toThrow(/^[^\n]+$/);
  });

  test('a slip of the keyboard gets the name that was meant', async () => {
    await expect(compileFormula('acelerators * 2', ['accelerators'])).rejects.toThrow(/did you mean accelerators\?/);
  });
});
