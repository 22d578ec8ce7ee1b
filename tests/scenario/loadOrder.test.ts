import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SlipwayError } from '../../src/errors.js';
import type { PassKind, PipelineOrder } from '../../src/parallelism/pipeline/order.js';
import { scheduleOf } from '../../src/parallelism/pipeline/schedules.js';
import type { PipelineSchedule } from '../../src/parallelism/strategy.js';
import type { OrderShape } from '../../src/scenario/checkOrder.js';
import { isOrderFile, parseOrder } from '../../src/scenario/loadOrder.js';
import { equal } from '../simulation/unitStep.js';

const two: OrderShape = { stages: 2, chunksPerStage: 1, microBatches: 2, vShaped: false };
const good = 'F0,F1,,,B0,,B1\n,F0,B0,F1,B1\n';

function refusal(text: string, shape: OrderShape = two, file = 'mine.csv'): string {
  try {
    parseOrder(text, file, shape);
  } catch (error) {
    expect(error).toBeInstanceOf(SlipwayError);
    if (!(error instanceof SlipwayError)) throw error;
    expect(error.message).not.toContain('\n');
    return `${error.place.file}:${error.place.line ?? ''} ${error.message}`;
  }
  throw new Error('accepted');
}

/** A schedule as a table that the parser should read back as it was. */
function tableOf(order: PipelineOrder): string[][] {
  const letters: Readonly<Record<PassKind, string>> = {
    forward: 'F',
    backward: 'B',
    inputGradient: 'b',
    weightGradient: 'W',
  };
  return order.ranks.map((passes, rank) => {
    const own = Array.from({ length: order.chunks }, (_, chunk) => chunk).filter((c) => order.rankOf(c, 0) === rank);
    return passes.map(({ kind, microBatch, chunk }) => {
      const local = own.indexOf(chunk);
      return `${letters[kind]}${microBatch}${local === 0 ? '' : `.${local}`}`;
    });
  });
}

describe('a schedule from a file', () => {
  test('CSV: a line per rank, empty cells idle', () => {
    const { ranks, chunks, microBatches, rankOf } = parseOrder(`# two ranks\n${good}`, 'mine.csv', two);
    expect({ chunks, microBatches }).toEqual({ chunks: 2, microBatches: 2 });
    expect(ranks[1]).toEqual([
      { kind: 'forward', microBatch: 0, chunk: 1 },
      { kind: 'backward', microBatch: 0, chunk: 1 },
      { kind: 'forward', microBatch: 1, chunk: 1 },
      { kind: 'backward', microBatch: 1, chunk: 1 },
    ]);
    expect(rankOf(1, 0)).toBe(1);
  });

  test('JSON and YAML: a list of lists, null or nothing is idle', () => {
    const expected = parseOrder(good, 'mine.csv', two).ranks;
    const json = '[["F0","F1",null,"B0","B1"],["","F0","B0","F1","B1"]]';
    const yaml = '- [F0, F1, B0, ~, B1]\n- [F0, B0, F1, B1]\n';
    expect(parseOrder(json, 'mine.json', two).ranks).toEqual(expected);
    expect(parseOrder(yaml, 'mine.yaml', two).ranks).toEqual(expected);
  });

  test('chunks of a rank are numbered in order of depth, round and round or there and back', () => {
    const text = 'F0,F0.1,B0.1,B0\nF0,F0.1,B0.1,B0\n';
    const shape = { ...two, chunksPerStage: 2, microBatches: 1 };
    expect(parseOrder(text, 'a.csv', shape).ranks.map((passes) => passes[1]?.chunk)).toEqual([2, 3]);
    const back = parseOrder('F0,F0.1,B0.1,B0\nF0,F0.1,B0.1,B0\n', 'a.csv', { ...shape, vShaped: true });
    expect(back.ranks.map((passes) => passes[1]?.chunk)).toEqual([3, 2]);
  });

  test.each<[PipelineSchedule, number]>([
    ['gpipe', 1],
    ['1f1b', 1],
    ['interleaved-1f1b', 3],
    ['breadth-first', 2],
    ['zb-h1', 1],
    ['zb-h2', 1],
    ['zb-v', 2],
  ])('%s written out and read back is the same', (name, chunks) => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 6 }), fc.integer({ min: 1, max: 4 }), (stages, groups) => {
        const microBatches = stages * groups;
        const order = scheduleOf(name).order({ stages, microBatches, chunks, lengths: equal });
        const shape = { stages, microBatches, chunksPerStage: chunks, vShaped: name === 'zb-v' };
        const table = tableOf(order);
        const csv = table.map((row) => row.join(',')).join('\n');
        expect(parseOrder(csv, 'a.csv', shape).ranks).toEqual(order.ranks);
        expect(parseOrder(JSON.stringify(table), 'a.json', shape).ranks).toEqual(order.ranks);
      }),
      { numRuns: 20 },
    );
  });

  test.each<[string, Partial<OrderShape>]>([
    ['schedule-1f1b.csv', {}],
    ['schedule-zb-v.json', { chunksPerStage: 2, vShaped: true }],
  ])('examples/%s is one', (name, change) => {
    const text = readFileSync(new URL(`../../examples/${name}`, import.meta.url), 'utf8');
    const shape = { stages: 4, chunksPerStage: 1, microBatches: 8, vShaped: false, ...change };
    expect(parseOrder(text, name, shape).ranks).toHaveLength(4);
  });

  test('64 ranks of 512 micro-batches are read and checked in well under a second', () => {
    const stages = 64;
    const order = scheduleOf('1f1b').order({ stages, microBatches: 512, chunks: 1, lengths: equal });
    const text = tableOf(order)
      .map((row) => row.join(','))
      .join('\n');
    const before = performance.now();
    parseOrder(text, 'a.csv', { stages, chunksPerStage: 1, microBatches: 512, vShaped: false });
    expect(performance.now() - before).toBeLessThan(2000);
  });
});

describe('refused with rank and slot', () => {
  test.each<[string, string, string]>([
    [
      'wrong number of ranks',
      'F0,B0\n',
      'mine.csv: a schedule of 1 rank for pipelineParallel 2; give one row per rank',
    ],
    [
      'no pass',
      good.replace('F1,,', 'X1,,'),
      "mine.csv:1 rank 0, slot 1: 'X1' is no pass; write F3, B3, b3, W3 or F3.1",
    ],
    [
      'unknown chunk',
      good.replace('F1,,', 'F1.1,,'),
      'mine.csv:1 rank 0, slot 1: F1.1 is of chunk 1, but the one chunk of a rank is 0; see virtualStages',
    ],
    [
      'too many micro-batches',
      good.replace('F1,,', 'F1,F2,'),
      'mine.csv:1 rank 0, slot 2: F2 is of micro-batch 2, but they are 0 to 1 (they follow from globalBatchSize)',
    ],
    ['twice', good.replace('F1,,', 'F1,F0,'), 'mine.csv:1 rank 0, slot 2: F0 a second time; F0 is in slot 0 already'],
    [
      'whole and in parts',
      good.replace('B1\n,', 'B1,W1\n,'),
      'mine.csv:1 rank 0, slot 7: W1 a second time; B1 is in slot 6 already',
    ],
    ['missing', good.replace(',B1\n,', '\n,'), 'mine.csv: rank 0 has no B1; a run has 2 micro-batches'],
    [
      'weight gradient missing',
      good.replace(',B1\n,', ',b1\n,'),
      'mine.csv: rank 0 has no W1; a run has 2 micro-batches',
    ],
    [
      'backward before forward',
      'F0,F1,B0,B1\nB0,F0,F1,B1\n',
      'mine.csv:2 rank 1, slot 0: B0 comes before its F0 in slot 1',
    ],
    [
      'weight before input gradient',
      'F0,F1,B0,B1\nF0,W0,b0,F1,B1\n',
      'mine.csv:2 rank 1, slot 1: W0 comes before its b0 in slot 2',
    ],
    [
      'deadlock',
      'F0,B0,F1,B1\nF0,F1,B0,B1\n',
      'mine.csv:1 rank 0, slot 1: deadlock: B0 waits for B0 of rank 1, slot 2, behind F1 waits for F1 of rank 0, slot 2, which can never run',
    ],
  ])('%s', (_, text, expected) => {
    expect(refusal(text)).toBe(expected);
  });

  test('files that are no tables', () => {
    expect(refusal('F0: 1', two, 'mine.yaml')).toBe('mine.yaml: not a list of lists: one list of passes per rank');
    expect(refusal('[F0, F1]', two, 'mine.yaml')).toBe('mine.yaml: rank 0 is not a list of passes such as F0, B0');
    expect(refusal('[[F0', two, 'mine.json')).toMatch(/^mine\.json: not a list of lists: /);
    expect(refusal('', two)).toMatch(/a schedule of 0 ranks/);
  });

  test('any text is a schedule or one line', () => {
    const cell = fc.constantFrom('', 'F0', 'F1', 'B0', 'B1', 'b0', 'W0', 'b1', 'W1', 'F9', 'F0.1', '?', '-1');
    const rows = fc.array(fc.array(cell, { maxLength: 8 }), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(rows, (table) => {
        const text = table.map((row) => row.join(',')).join('\n');
        try {
          expect(parseOrder(text, 'a.csv', two).ranks).toHaveLength(2);
        } catch (error) {
          expect(error).toBeInstanceOf(SlipwayError);
        }
      }),
      { numRuns: 500 },
    );
  });
});

test('a name with a dot or a slash is a file', () => {
  expect(['mine.csv', './mine', 'C:\\mine'].map(isOrderFile)).toEqual([true, true, true]);
  expect(['1f1b', 'zb-v', 'interleaved-1f1b', 'dualpipe'].some(isOrderFile)).toBe(false);
});
