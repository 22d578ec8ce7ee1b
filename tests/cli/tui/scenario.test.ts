import { describe, expect, test } from 'vitest';
import { runFileFlags } from '../../../src/cli/flags.js';
import { answerOf, exactAnswerOf } from '../../../src/cli/tui/scenario/answer.js';
import { commandLine } from '../../../src/cli/tui/scenario/commandLine.js';
import { fieldByName, fields } from '../../../src/cli/tui/scenario/fields.js';
import { sameRun, withValue, writtenAt } from '../../../src/cli/tui/scenario/runValue.js';
import { stepField } from '../../../src/cli/tui/scenario/step.js';
import { withoutDefaults } from '../../../src/cli/tui/scenario/withoutDefaults.js';
import { searchedKeys } from '../../../src/cli/tui/work/search.js';
import { slipway } from '../slipway.js';
import { smallRun } from './driver.js';

describe('fields', () => {
  test('are every key of the run file, once, and two figures that follow from them', () => {
    const keys = fields.map(({ key }) => key);
    expect(new Set(keys).size).toBe(keys.length);
    const written = fields.filter(({ kind }) => kind !== 'derived').map(({ key }) => key);
    expect([...written].sort()).toEqual(runFileFlags.map(({ key }) => key).sort());
    expect(fields.filter(({ kind }) => kind === 'derived').map(({ key }) => key)).toEqual([
      'dataParallel',
      'gradientAccumulation',
    ]);
  });

  test('have the names that people type', () => {
    expect(fieldByName('tp')?.key).toBe('strategy.tensorParallel');
    expect(fieldByName('Schedule')?.key).toBe('strategy.pipelineSchedule');
    expect(fieldByName('tokens')?.key).toBe('training.tokens');
    expect(fieldByName('nonsense')).toBeUndefined();
  });

  test('that a search changes are fields', () => {
    expect(searchedKeys.filter((key) => !fields.some((field) => field.key === key))).toEqual([]);
  });
});

describe('a run value', () => {
  test('is set and taken out by dotted keys, the original left alone', () => {
    const set = withValue(smallRun, 'strategy.recompute', 'full');
    expect(writtenAt(set, 'strategy.recompute')).toBe('full');
    expect(writtenAt(smallRun, 'strategy.recompute')).toBeUndefined();
    expect(withValue(set, 'strategy.recompute', undefined)).toEqual(smallRun);
  });

  test('loses a block with its last key', () => {
    expect(withValue({ model: 'a', training: { tokens: 1 } }, 'training.tokens', undefined)).toEqual({ model: 'a' });
  });

  test('is the same in any order of its keys', () => {
    expect(sameRun({ a: 1, b: { c: 2, d: 3 } }, { b: { d: 3, c: 2 }, a: 1 })).toBe(true);
    expect(sameRun({ a: 1 }, { a: 2 })).toBe(false);
  });
});

describe('stepping', () => {
  const step = (name: string, direction: 1 | -1, run = smallRun) => {
    const field = fieldByName(name);
    if (field === undefined) throw new Error(name);
    const answer = answerOf(run, '.');
    const lastGood = answerOf(smallRun, '.');
    const good = lastGood.ok ? lastGood : undefined;
    const { run: next, message } = stepField(field, direction, { run, answer, lastGood: good, baseDirectory: '.' });
    return { value: next === undefined ? undefined : writtenAt(next, field.key), message };
  };

  test('goes to the next legal value', () => {
    expect(step('tp', 1)).toEqual({ value: 4, message: undefined });
    expect(step('tp', -1)).toEqual({ value: 1, message: undefined });
    expect(step('recompute', 1).value).toBe('selective');
    expect(step('compile', 1).value).toBe(true);
  });

  test('skips what cannot run and says why', () => {
    // 32 accelerators at PP 4 leave TP 8 at most; 16 is tried first.
    const run = withValue(smallRun, 'strategy.tensorParallel', 8);
    const { value, message } = step('tp', 1, run);
    expect(value).toBeUndefined();
    expect(message).toMatch(/tensorParallel 16 x pipelineParallel 4 .* does not divide 32 accelerators/);
    // 32 layers of 4 stages: 3 virtual stages leave chunks without a layer each.
    expect(step('schedule', 1).value).not.toBe('interleaved-1f1b-of-nothing');
  });

  test('finds the way out of a run that is broken', () => {
    const broken = withValue(smallRun, 'strategy.tensorParallel', 3);
    expect(answerOf(broken, '.').ok).toBe(false);
    expect(step('tp', 1, broken).value).toBe(4);
    expect(step('tp', -1, broken).value).toBe(2);
  });

  test('walks through lists: uneven stages and what is recomputed, back to the even split', () => {
    expect(step('stageLayers', 1)).toEqual({ value: [9, 9, 9, 5], message: undefined });
    const run = withValue(smallRun, 'strategy.stageLayers', [9, 9, 9, 5]);
    expect(step('stageLayers', -1, run)).toEqual({ value: undefined, message: undefined });
    expect(step('stageLayers', 1, run).value).toEqual([8, 9, 9, 6]);
    const selective = withValue(smallRun, 'strategy.recompute', 'selective');
    expect(step('recomputeModules', 1, selective).value).toEqual(['layernorm']);
    const one = withValue(selective, 'strategy.recomputeModules', ['layernorm']);
    expect(step('recomputeModules', 1, one).value).toEqual(['mlp']);
  });

  test('works from a quantity with a unit', () => {
    expect(step('tokens', 1).value).toBe(2e12);
    expect(step('tokens', -1).value).toBe(5e11);
  });
});

describe('a plan that is loaded', () => {
  test('is written without what the defaults say anyway', () => {
    const whole = {
      ...smallRun,
      strategy: {
        tensorParallel: 2,
        contextParallel: 1,
        pipelineParallel: 4,
        pipelineSchedule: '1f1b',
        recompute: 'none',
        dataSharding: 'zero-2',
        globalBatchSize: 64,
      },
    };
    expect(withoutDefaults(whole, searchedKeys, '.').strategy).toEqual({
      tensorParallel: 2,
      pipelineParallel: 4,
      dataSharding: 'zero-2',
      globalBatchSize: 64,
    });
  });
});

describe('the command line', () => {
  test('says what differs from the file, or all of it', () => {
    expect(commandLine(smallRun, smallRun, 'a run.yaml')).toBe("slipway estimate 'a run.yaml'");
    const changed = withValue(smallRun, 'strategy.tensorParallel', 4);
    expect(commandLine(changed, smallRun, 'run.yaml')).toBe('slipway estimate run.yaml --tp 4');
    const without = withValue(smallRun, 'training.tokens', undefined);
    expect(commandLine(without, smallRun, 'run.yaml')).toBe(
      'slipway estimate --model llama3-8b --cluster dgx-h100 --accelerators 32 --tp 2 --pp 4 --mbs 1 --gbs 64 --sequence-length 4096',
    );
  });

  test('gives the figures that the UI shows', () => {
    const run = withValue(
      withValue(smallRun, 'strategy.recomputeModules', ['layernorm']),
      'strategy.recompute',
      'selective',
    );
    const answer = exactAnswerOf(run, '.');
    const words = commandLine(run, undefined, undefined).split(' ').slice(1);
    const printed = JSON.parse(slipway([...words, '--json']).stdout) as { step: unknown; memory: unknown };
    expect(answer.ok && printed.step).toEqual(answer.ok && JSON.parse(JSON.stringify(answer.estimate.step)));
    expect(answer.ok && printed.memory).toEqual(answer.ok && JSON.parse(JSON.stringify(answer.estimate.memory)));
  });
});
