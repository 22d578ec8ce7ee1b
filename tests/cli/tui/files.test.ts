import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { openRunFile, saveRunFile } from '../../../src/cli/tui/files.js';
import { runFileText } from '../../../src/cli/tui/runFileWriting.js';
import { withValue } from '../../../src/cli/tui/scenario/runValue.js';
import { loadSession, pinsOf, saveSession, sessionFile } from '../../../src/cli/tui/session.js';
import { estimate } from '../../../src/planner/estimate.js';
import { estimateMarkdown } from '../../../src/report/estimateMarkdown.js';
import { resolveScenario } from '../../../src/scenario/resolveScenario.js';
import { Driver, smallRun, stateOf } from './driver.js';

const folder = (): string => mkdtempSync(join(tmpdir(), 'slipway-files-'));

describe('a saved run file', () => {
  test('keeps comments, order and spelling of what did not change', () => {
    const before = '# mine\nmodel: llama3-8b # small\ntraining: { tokens: 15.6T }\ncluster: dgx-h100\n';
    const run = withValue(parse(before), 'strategy.tensorParallel', 4);
    expect(runFileText(run, 'run.yaml', before)).toBe(
      '# mine\nmodel: llama3-8b # small\ntraining: { tokens: 15.6T }\ncluster: dgx-h100\nstrategy:\n  tensorParallel: 4\n',
    );
  });

  test('writes the layers of stages on one line', () => {
    const run = { ...smallRun, strategy: { pipelineParallel: 4, stageLayers: [8, 9, 9, 6] } };
    expect(runFileText(run, 'a.yaml', undefined)).toMatch(/stageLayers: \[ 8, 9, 9, 6 \]/);
    expect(runFileText(run, 'a.yaml', 'model: a # mine\nstrategy:\n  pipelineParallel: 4\n')).toMatch(
      /# mine[\s\S]*stageLayers: \[ 8, 9, 9, 6 \]/,
    );
  });

  test('loses the keys that went back to their defaults', () => {
    const before = 'model: a\nstrategy:\n  tensorParallel: 4\n  pipelineParallel: 2\n';
    const run = withValue(parse(before), 'strategy.tensorParallel', undefined);
    expect(parse(runFileText(run, 'run.yaml', before))).toEqual({ model: 'a', strategy: { pipelineParallel: 2 } });
  });

  test('is JSON where its name says so, and reads back the same', async () => {
    for (const name of ['run.json', 'run.yaml']) {
      const path = join(folder(), name);
      saveRunFile(path, smallRun);
      expect((await openRunFile(path)).run).toEqual(smallRun);
    }
    expect(runFileText({ model: 'a' }, 'x.json', undefined)).toBe('{\n  "model": "a"\n}\n');
  });

  test('replaces what is no run file', () => {
    expect(runFileText({ model: 'a' }, 'run.yaml', ': : broken [')).toBe('model: a\n');
  });
});

describe('an opened run file', () => {
  test('has its expressions worked out', async () => {
    const path = join(folder(), 'run.yaml');
    writeFileSync(path, 'model: llama3-8b\ncluster: dgx-h100\ntraining: { dollarsPerAcceleratorHour: 2 * 1.25 $/h }\n');
    expect((await openRunFile(path)).run).toMatchObject({ training: { dollarsPerAcceleratorHour: 2.5 } });
  });

  test('is refused with file and key where it is wrong', async () => {
    const path = join(folder(), 'run.yaml');
    writeFileSync(path, 'model: llama3-8b\nclustr: dgx-h100\n');
    await expect(openRunFile(path)).rejects.toThrow(/did you mean cluster/);
    await expect(openRunFile(join(folder(), 'none.yaml'))).rejects.toThrow(/does not exist|no such file/);
  });
});

describe('the state of a session', () => {
  test('lies in the XDG state folder', () => {
    expect(sessionFile({ XDG_STATE_HOME: '/s' })).toBe('/s/slipway/tui.json');
    expect(sessionFile({})).toMatch(/\/\.local\/state\/slipway\/tui\.json$/);
  });

  test('comes back with its scenario and pins', () => {
    const file = join(folder(), 'deep', 'tui.json');
    const driver = new Driver(stateOf()).press('p', ':').type('tp 4').press('enter');
    saveSession(file, driver.state);
    const { session, note } = loadSession(file);
    expect(note).toBeUndefined();
    expect(session?.run).toEqual(driver.state.document.run);
    expect(session === undefined ? [] : pinsOf(session).map(({ name }) => name)).toEqual(['A']);
  });

  test.each([
    ['no JSON', '{'],
    ['another version', '{"schemaVersion":9,"run":{},"pins":[]}'],
    ['pins that are none', '{"schemaVersion":1,"run":{},"pins":[1]}'],
  ])('is moved aside where it is %s', (_, text) => {
    const file = join(folder(), 'tui.json');
    writeFileSync(file, text);
    expect(loadSession(file)).toMatchObject({ session: undefined, note: expect.stringContaining('tui.json.broken') });
    expect(readFileSync(`${file}.broken`, 'utf8')).toBe(text);
    expect(loadSession(file)).toEqual({ session: undefined, note: undefined });
  });

  test('that cannot be kept is no error', () => {
    const file = join(folder(), 'file');
    writeFileSync(file, '');
    expect(() => saveSession(join(file, 'below', 'tui.json'), stateOf())).not.toThrow();
  });
});

describe('an estimate as Markdown', () => {
  test('has tables whose rows all have the columns of their head', () => {
    const text = estimateMarkdown(estimate(resolveScenario(smallRun as { model: string; cluster: string })));
    expect(text).toMatch(/^# Llama 3 8B on 32 accelerators of dgx-h100\n/);
    for (const table of text.split('\n\n').filter((part) => part.startsWith('|'))) {
      expect(new Set(table.split('\n').map((line) => line.split('|').length)).size).toBe(1);
    }
    expect(text).toMatch(/\| compute \| [\d.]+ m?s \| [\d.]+ % \|/);
  });
});
