import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseRuns } from '../../src/calibration/runs.js';
import { loadShippedRuns } from '../../src/calibration/shippedRuns.js';
import { SlipwayError } from '../../src/errors.js';

const row = '{"id":"a","run":{"model":"gpt2-xl"},"measured":{"stepSeconds":2}}';

describe('a file of measured runs', () => {
  test('gives one run a line; blank lines are nothing, and what is left out has a default', () => {
    const runs = parseRuns(`\n${row}\n\n{"run":{},"measured":{"outOfMemory":true}}\n`, 'own.jsonl');
    expect(runs.map(({ id, family, unknown }) => [id, family, unknown])).toEqual([
      ['a', 'own', []],
      ['line-4', 'own', []],
    ]);
  });

  test('accepts Windows line ends', () => {
    expect(parseRuns(`${row}\r\n`, 'own.jsonl')).toHaveLength(1);
  });

  test.each([
    ['a broken line', `${row}\n{"id":`, { file: 'own.jsonl', line: 2 }],
    ['an array', '[1]', { file: 'own.jsonl', line: 1 }],
    ['no run', '{"measured":{"stepSeconds":1}}', { file: 'own.jsonl', line: 1, key: 'run' }],
    ['no measurement', '{"run":{},"measured":{}}', { file: 'own.jsonl', line: 1, key: 'measured' }],
    ['a negative time', '{"run":{},"measured":{"stepSeconds":-1}}', { line: 1, key: 'measured.stepSeconds' }],
    ['a misspelt key', '{"run":{},"measured":{"stepSecond":1,"stepSeconds":1}}', { line: 1, key: 'measured' }],
    ['the same id twice', `${row}\n${row}`, { line: 2, key: 'id' }],
    ['nothing at all', '\n\n', { file: 'own.jsonl' }],
  ])('%s is an error with its place', (_, text, place) => {
    expect(placeOfError(text)).toMatchObject(place);
  });

  test('garbage gives one short printable line', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 2000 }), (garbage) => {
        const message = messageOfError(`${garbage}{`);
        return message.length < 200 && /^[\x20-\x7e]+$/.test(message);
      }),
    );
  });
});

test('the shipped runs all parse, with ids of their own', () => {
  const runs = loadShippedRuns();
  expect(runs).toHaveLength(1961);
  expect(new Set(runs.map((run) => run.id)).size).toBe(runs.length);
  expect(new Set(runs.map((run) => run.family)).size).toBe(30);
});

function errorOf(text: string): SlipwayError {
  try {
    parseRuns(text, 'own.jsonl');
  } catch (error) {
    if (error instanceof SlipwayError) return error;
    throw error;
  }
  throw new Error('no error');
}

function placeOfError(text: string): SlipwayError['place'] {
  return errorOf(text).place;
}

function messageOfError(text: string): string {
  return errorOf(text).message;
}
