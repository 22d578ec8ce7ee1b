import { expect, test } from 'vitest';
import { toJson } from '../../src/report/json.js';
import { memoryTable } from '../../src/report/memoryTable.js';
import { presetText } from '../../src/report/presetText.js';
import { bar, row, wrapped } from '../../src/report/text.js';

test('lines are filled and indented under their lead', () => {
  expect(wrapped('- ', 'aa bb cc dd'.split(' '), 8)).toEqual(['- aa bb', '  cc dd']);
  expect(wrapped('  x: ', ['long-word', 'b'], 8)).toEqual(['  x: long-word', '     b']);
});

test('a memory table keeps its columns at 80 and keeps to a terminal of 40', () => {
  const gib = 2 ** 30;
  const parts = { weightsBytes: gib, gradientsBytes: gib, optimizerBytes: 2 * gib, activationsBytes: 3 * gib };
  const rest = {
    buffersBytes: gib,
    overheadBytes: gib,
    peakBytes: 8 * gib,
    separateBytes: 0,
    inFlightMicroBatches: 1,
    layers: 4,
  };
  const stage = { stage: 0, ...parts, ...rest };
  expect(memoryTable([stage], { columns: 40, color: false })).toEqual([
    'Stage    states   activ    rest     GiB',
    '0 *        4.00    3.00    2.00    9.00',
  ]);
  expect(memoryTable([stage], { columns: 80, color: false })[1]).toMatch(/^0 \* +4 +1\.00 +1\.00 +2\.00 +3\.00/);
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

test('a preset for people: units, kinds, keys of sources, then the sources', () => {
  const preset = {
    id: 'chip',
    memoryBytes: { value: 80 * 2 ** 30, kind: 'datasheet', source: 'sheet' },
    gemm: { bf16: { maxEfficiency: 0.75, kind: 'fitted', source: 'fit' } },
    sources: { sheet: 'the maker', fit: 'many rows' },
  };
  const text = presetText(preset, { columns: 80, color: false });
  expect(text).toMatch(
    /^id +chip\nmemoryBytes +80\.0 GiB +datasheet \[sheet\]\ngemm\.bf16: .*0\.75.* fitted \[fit\]\n/,
  );
  expect(text).toContain('  [sheet] the maker\n');
});
