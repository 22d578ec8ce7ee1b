import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SlipwayError } from '../../../src/errors.js';
import { compileGoal } from '../../../src/planner/search/goal.js';
import { parseFix } from '../../../src/planner/search/parseFix.js';
import { planSearch } from '../../../src/planner/search/search.js';
import { compileRange, type Range } from '../../../src/quantity/rangeExpression.js';
import { resolveScenario } from '../../../src/scenario/resolveScenario.js';
import { evaluateStep } from '../../../src/simulation/evaluateStep.js';

const scenario = resolveScenario({ model: 'llama3-8b', cluster: 'dgx-h100', strategy: { globalBatchSize: 8 } });

describe('objectives and conditions', () => {
  test.each([
    ['mfuu', 'is no figure of an estimate; did you mean mfu?'],
    ['import("fs")', 'is not understood'],
    ['f(x) = 1', 'is not understood'],
    ['x = 1; 2', 'is not understood'],
    ['cost', 'training.costUsd is not known without training.dollarsPerAcceleratorHour'],
    ['days', 'training.days is not known without training.tokens'],
    ['mfu = 3', 'is not understood'],
    ['mfu.constructor("return process")() > 1', 'is not understood'],
    ['mfu["constructor"]', "'mfu.constructor' is no figure"],
    ['constructor + 1', "'constructor' is no figure"],
    ['mfu >', 'it cannot be parsed'],
    ['1 < mfu < 2', 'join comparisons by `and`'],
    ['"a" + "b"', 'only numbers are compared'],
    [`${'('.repeat(600)}1${')'.repeat(600)}`, 'longer than 500 characters'],
    ['cumsum(mfu)', 'is not understood'],
    ['[1, 2]', 'is not understood'],
  ])('%s is refused in one line', async (text, why) => {
    for (const request of [{ objective: text }, { where: text }]) {
      const refusal = await compileGoal({ scenario, ...request }).catch((error: unknown) => error);
      expect(refusal).toBeInstanceOf(SlipwayError);
      expect((refusal as SlipwayError).message).toContain(why);
      expect((refusal as SlipwayError).message).not.toContain('\n');
    }
  });

  test('read figures by path, last word or short name, and units behind numbers', async () => {
    const evaluation = evaluateStep(scenario);
    const meets = async (where: string): Promise<boolean> =>
      (await compileGoal({ scenario, where })).meets({ scenario, evaluation });
    const peak = evaluation.allocatedBytes;
    expect(await meets(`memory.peakBytes <= ${peak} and peakBytes >= ${peak} B`)).toBe(true);
    expect(await meets('memory < 1 GB or not (mfu > 0)')).toBe(false);
    expect(await meets('step.seconds < 30 days and step * 2 == step + step')).toBe(true);
    expect(await meets('memory.peakBytes < 80 GiB and mfu > 1.1')).toBe(false);
  });

  test('a figure of which more is better is made large, the others small', async () => {
    const evaluation = evaluateStep(scenario);
    const score = async (objective: string): Promise<number> =>
      (await compileGoal({ scenario, objective })).score({ scenario, evaluation });
    expect(await score('step')).toBe(evaluation.stepSeconds);
    expect(await score('headroom')).toBe(evaluation.deviceBytes - evaluation.capacityBytes);
    expect(await score('mfu')).toBeLessThan(0);
    expect(await score('-mfu')).toBe(await score('mfu'));
    expect(await score('memory.peakBytes')).toBe(evaluation.allocatedBytes);
  });
});

test('the range of an expression holds its value for all operands within theirs', async () => {
  const texts = [
    'x + y * x',
    'x - y',
    '-x * y',
    'x / y',
    'x ^ 2 + y',
    'x < y and not (y > 3)',
    'x >= y or x == y',
    '(x != y) * x',
  ];
  const compiled = await Promise.all(
    texts.map((text) => compileRange<Record<string, Range>>(text, (name) => (known) => known[name] ?? [0, 0])),
  );
  const value = fc.integer({ min: -5, max: 5 });
  fc.assert(
    fc.property(value, value, value, value, fc.nat(100), fc.nat(100), (a, b, c, d, i, j) => {
      const x: Range = [Math.min(a, b), Math.max(a, b)];
      const y: Range = [Math.min(c, d), Math.max(c, d)];
      const inX = x[0] + (i % (x[1] - x[0] + 1));
      const inY = y[0] + (j % (y[1] - y[0] + 1));
      for (const term of compiled) {
        const [least, most] = term({ x, y });
        const [point, same] = term({ x: [inX, inX], y: [inY, inY] });
        if (point !== same) continue;
        expect(least).toBeLessThanOrEqual(point);
        expect(most).toBeGreaterThanOrEqual(point);
      }
    }),
    { numRuns: 500 },
  );
});

describe('parseFix', () => {
  test('reads short names, ranges and lists', () => {
    expect(parseFix(['tp=8,pp=8..10', 'mbs=1,2', 'recompute=full']).fix).toEqual({
      tensorParallel: [8],
      pipelineParallel: [8, 9, 10],
      microBatchSize: [1, 2],
      recompute: ['full'],
    });
    expect(parseFix(['accelerators=8..64*2']).accelerators).toEqual([8, 16, 32, 64]);
  });

  test.each([
    ['tp=two'],
    ['tpp=8'],
    ['stageLayers=4'],
    ['model=x'],
    ['tp=0'],
    ['recompute=some'],
    ['tp'],
    ['accelerators=1.5'],
  ])('refuses %s', (text) => {
    expect(() => parseFix([text])).toThrow(SlipwayError);
  });

  test('never takes several global batches', async () => {
    const search = planSearch({ scenario, fix: { globalBatchSize: [8, 16] } });
    await expect(search.next()).rejects.toThrow('the global batch is part of the training');
  });
});
