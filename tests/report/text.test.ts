import { expect, test } from 'vitest';
import { toJson } from '../../src/report/json.js';
import { bar, row, wrapped } from '../../src/report/text.js';

test('lines are filled and indented under their lead', () => {
  expect(wrapped('- ', 'aa bb cc dd'.split(' '), 8)).toEqual(['- aa bb', '  cc dd']);
  expect(wrapped('  x: ', ['long-word', 'b'], 8)).toEqual(['  x: long-word', '     b']);
});

test('bars and rows', () => {
  expect(bar(0.5, 4)).toBe('██');
  expect(bar(2, 4)).toBe('████');
  expect(row(['a', '1', '22'], [3, 3, 3])).toBe('a     1  22');
});

test('JSON starts with schemaVersion and never holds a number that no reader could use', () => {
  expect(toJson({ a: 1, schemaVersion: 1 })).toMatch(/^\{\n {2}"schemaVersion": 1/);
  expect(() => toJson({ schemaVersion: 1, seconds: Number.NaN })).toThrow('seconds is NaN');
  expect(() => toJson({ schemaVersion: 1, seconds: -1 })).toThrow('negative');
  expect(toJson({ schemaVersion: 1, stepSecondsDelta: -1 })).toContain('-1');
});
