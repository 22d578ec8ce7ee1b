import { describe, expect, test } from 'vitest';
import { writtenAt } from '../../../src/cli/tui/scenario/runValue.js';
import type { State } from '../../../src/cli/tui/state/state.js';
import type { PlanRow } from '../../../src/cli/tui/work/search.js';
import { Driver, exampleRun, smallRun, stateOf } from './driver.js';
import { planRow } from './planRow.js';

const written = ({ document }: State, key: string): unknown => writtenAt(document.run, key);
const toField = (driver: Driver, name: string): Driver => driver.press('/').type(name).press('enter');

describe('the scenario', () => {
  test('changes with the arrow keys, and the estimate with it', () => {
    const driver = toField(new Driver(stateOf()), 'tensor parallel');
    const before = driver.state.answer;
    driver.press('right');
    expect(written(driver.state, 'strategy.tensorParallel')).toBe(4);
    const { answer } = driver.state;
    expect(answer.ok && before.ok && answer.estimate.step.seconds).not.toBe(before.ok && before.estimate.step.seconds);
    expect(answer.ok && answer.estimate.run.dataParallel).toBe(2);
  });

  test('is undone and redone, change by change', () => {
    const driver = toField(new Driver(stateOf()), 'tensor parallel').press('l', 'l');
    expect(written(driver.state, 'strategy.tensorParallel')).toBe(8);
    driver.press('u');
    expect(written(driver.state, 'strategy.tensorParallel')).toBe(4);
    driver.press('u', 'u', 'u');
    expect(driver.state.document.run).toEqual(smallRun);
    expect(driver.state.message?.text).toBe('nothing to undo');
    driver.press('ctrl-r', 'ctrl-r');
    expect(written(driver.state, 'strategy.tensorParallel')).toBe(8);
  });

  test('says why a value cannot be had', () => {
    const driver = toField(new Driver(stateOf()), 'tensor parallel').press('l', 'l', 'l');
    expect(written(driver.state, 'strategy.tensorParallel')).toBe(8);
    expect(driver.state.message?.text).toMatch(/does not divide 32 accelerators/);
  });

  test('takes typed values and refuses those that cannot run', () => {
    const driver = toField(new Driver(stateOf()), 'global batch').press('enter', 'ctrl-u').type('101').press('enter');
    expect(driver.state.prompt).toMatchObject({ kind: 'edit' });
    expect(driver.screen()).toMatch(/does not divide globalBatchSize 101/);
    driver.press('ctrl-u').type('128').press('enter');
    expect(driver.state.prompt).toBeUndefined();
    expect(written(driver.state, 'strategy.globalBatchSize')).toBe(128);
  });

  test('reads 16k accelerators and 128k tokens as powers of two, and units as the run file does', () => {
    const driver = new Driver(stateOf()).press(':').type('sequenceLength 8k').press('enter');
    expect(written(driver.state, 'sequenceLength')).toBe(8192);
    driver.press(':').type('tokens 15.6T').press('enter');
    expect(written(driver.state, 'training.tokens')).toBe('15.6T');
    expect(driver.state.answer.ok && driver.state.answer.estimate.training.tokens).toBe(15.6e12);
  });

  test('asks outside for what must be calculated', () => {
    const driver = new Driver(stateOf()).press(':').type('dollarsPerAcceleratorHour 2 * 1.25 $/h').press('enter');
    expect(driver.asked).toMatchObject([
      { do: 'calculate', run: { training: { dollarsPerAcceleratorHour: '2 * 1.25 $/h' } } },
    ]);
  });

  test('goes back to a default', () => {
    const driver = toField(new Driver(stateOf()), 'micro batch').press('x');
    expect(written(driver.state, 'strategy.microBatchSize')).toBeUndefined();
    expect(toField(driver, 'model').press('x').state.message?.text).toMatch(/needs a model/);
  });

  test('lists presets with their facts and filters them while one types', () => {
    const driver = toField(new Driver(stateOf()), 'model').press('enter').type('70b');
    expect(driver.screen()).toMatch(/llama3-70b +70\.\dB, 80 layers/);
    driver.type(' llama2').press('enter');
    expect(written(driver.state, 'model')).toBe('llama2-70b');
  });

  test('lists the values of a choice and why one cannot be taken', () => {
    const driver = toField(new Driver(stateOf()), 'schedule').press('enter').type('dualpipe').press('enter');
    // 64 sequences over DP 4 are 16 micro-batches, enough for four stages.
    expect(written(driver.state, 'strategy.pipelineSchedule')).toBe('dualpipe');
    toField(driver, 'global batch').press('enter', 'ctrl-u').type('12').press('enter');
    const { prompt } = driver.state;
    expect(prompt).toMatchObject({ problem: expect.stringMatching(/dualpipe needs/) });
  });
});

describe('keys', () => {
  test('in one chunk are all taken: jjjq asks to save what was changed', () => {
    const driver = new Driver(stateOf()).press(':').type('tp 4').press('enter');
    driver.send({ kind: 'keys', keys: ['j', 'j', 'j', 'q'] });
    expect(driver.state.field).toBe(3);
    expect(driver.state.prompt).toEqual({ kind: 'quit' });
    driver.press('n');
    expect(driver.asked).toEqual([{ do: 'quit' }]);
  });

  test('after the one that quits are not', () => {
    const driver = new Driver(stateOf());
    driver.send({ kind: 'keys', keys: ['q', 'j'] });
    expect(driver.asked).toEqual([{ do: 'quit' }]);
    expect(driver.state.field).toBe(0);
  });

  test('esc goes back, one thing at a time, from everywhere', () => {
    const driver = new Driver(stateOf()).press('8', '/').type('mix').press('enter');
    expect(driver.state.presets.filter).toBe('mix');
    driver.press('esc');
    expect(driver.state).toMatchObject({ focus: 'view', presets: { filter: '' } });
    driver.press('esc');
    expect(driver.state.focus).toBe('scenario');
    driver.press('esc');
    expect(driver.state.tab).toBe('overview');
    for (const opens of [':', '?', 'e', 'S', 'enter', '/']) {
      driver.press(opens);
      expect(driver.state.prompt, opens).toBeDefined();
      driver.press('esc');
      expect(driver.state.prompt, opens).toBeUndefined();
    }
  });

  test('number keys open tabs', () => {
    const driver = new Driver(stateOf());
    const seen = [...'12345678'].map((key) => driver.press(key).state.tab);
    expect(seen).toEqual(['overview', 'memory', 'timeline', 'plan', 'compare', 'whatif', 'run', 'presets']);
  });
});

describe('the command line', () => {
  test('sets fields by any of their names', () => {
    const driver = new Driver(stateOf())
      .press(':')
      .type('set tp 4')
      .press('enter', ':')
      .type('recompute full')
      .press('enter');
    expect(driver.state.document.run).toMatchObject({ strategy: { tensorParallel: 4, recompute: 'full' } });
  });

  test('completes commands, fields and values', () => {
    const driver = new Driver(stateOf()).press(':').type('rec').press('tab');
    expect(driver.state.prompt).toMatchObject({ line: { text: 'recompute' } });
    driver.press('ctrl-u').type('set recompute f').press('tab');
    expect(driver.state.prompt).toMatchObject({ line: { text: 'set recompute full ' } });
  });

  test('says what it does not know and what was meant', () => {
    const driver = new Driver(stateOf()).press(':').type('sav').press('enter');
    expect(driver.state.prompt).toMatchObject({ problem: "no command is called 'sav', did you mean save?" });
  });
});

describe('advice', () => {
  test('is applied with enter', () => {
    const driver = new Driver(stateOf(exampleRun('llama3-8b-fsdp'))).press('1');
    const advice = driver.state.answer.ok ? driver.state.answer.estimate.advice : [];
    expect(advice.length).toBeGreaterThan(0);
    driver.press('enter');
    const [key, value] = Object.entries(advice[0]?.change ?? {})[0] ?? [];
    expect(written(driver.state, `strategy.${key}`)).toEqual(value);
  });
});

describe('a search', () => {
  const row = (tensorParallel: number, tokensPerSecond: number, deviceBytes: number): PlanRow =>
    planRow({
      run: { ...smallRun, strategy: { tensorParallel, globalBatchSize: 64 } },
      tensorParallel,
      pipelineParallel: 1,
      dataParallel: 32 / tensorParallel,
      tokensPerSecond,
      deviceBytes,
    });

  test('is asked without the keys that it may change, but with those that are held', () => {
    const driver = toField(new Driver(stateOf()), 'tensor parallel').press('f', '4', 'r');
    expect(driver.asked).toMatchObject([
      {
        do: 'search',
        held: ['strategy.tensorParallel'],
        run: { strategy: { tensorParallel: 2, globalBatchSize: 64 } },
      },
    ]);
    const [search] = driver.asked;
    expect(search?.do === 'search' && search.run.strategy).not.toHaveProperty('pipelineParallel');
  });

  test('shows plans as they come, sorted and filtered, and loads one', () => {
    const driver = new Driver(stateOf()).press('4', 'r');
    const id = driver.state.search.asked ?? '';
    driver.send({ kind: 'searching', id, rows: [row(4, 100, 5e10), row(8, 300, 3e10), row(2, 200, 4e10)] });
    expect(driver.state.search.running).toBe(true);
    driver.send({ kind: 'searching', id, done: true });
    expect(driver.state.search.running).toBe(false);
    driver.press('j', 'enter');
    expect(written(driver.state, 'strategy.tensorParallel')).toBe(2);
    driver.press('/').type('tp4').press('enter', 'enter');
    expect(written(driver.state, 'strategy.tensorParallel')).toBe(4);
    driver.press('u', 'u');
    expect(driver.state.document.run).toEqual(smallRun);
  });

  test('drops answers to an older question, and stops', () => {
    const driver = new Driver(stateOf()).press('4', 'r');
    driver.send({ kind: 'searching', id: 'older', rows: [row(4, 100, 5e10)] });
    expect(driver.state.search.result).toBeUndefined();
    driver.press('.');
    expect(driver.asked.at(-1)).toEqual({ do: 'stopSearch' });
    driver.send({ kind: 'searching', id: driver.state.search.asked ?? '', rows: [row(4, 100, 5e10)], done: true });
    expect(driver.state.search).toMatchObject({ running: false, result: [{ tensorParallel: 4 }] });
  });
});

describe('files', () => {
  test('saving asks for a name once, then writes to it', () => {
    const driver = new Driver(stateOf()).press('s', 'ctrl-u').type('my.yaml').press('enter');
    expect(driver.asked).toMatchObject([{ do: 'write', purpose: 'save', path: 'my.yaml', overwrite: false }]);
    driver.send({ kind: 'saved', path: 'my.yaml', run: smallRun });
    driver.press('s');
    expect(driver.asked.at(-1)).toMatchObject({ do: 'write', path: 'my.yaml', overwrite: true });
  });

  test('a file that is there is only overwritten when asked', () => {
    const driver = new Driver(stateOf());
    driver.send({ kind: 'exists', purpose: 'save', path: 'my.yaml', thenQuit: true }).press('esc');
    expect(driver.asked).toEqual([]);
    driver.send({ kind: 'exists', purpose: 'save', path: 'my.yaml', thenQuit: true }).press('y');
    expect(driver.asked).toMatchObject([{ do: 'write', path: 'my.yaml', overwrite: true, thenQuit: true }]);
  });

  test('quitting asks about changes, and only about changes', () => {
    const driver = new Driver(stateOf());
    driver.send({ kind: 'saved', path: 'my.yaml', run: smallRun });
    driver.press(':').type('tp 4').press('enter', 'q');
    expect(driver.screen()).toMatch(/changes that are not saved/);
    driver.press('esc', 'u', 'q');
    expect(driver.asked).toEqual([{ do: 'quit' }]);
  });

  test('exports ask where to', () => {
    const driver = new Driver(stateOf()).press('e', 'j', 'j', 'enter', 'enter');
    expect(driver.asked).toMatchObject([{ do: 'write', purpose: 'estimate-json', path: 'estimate.json' }]);
  });

  test('the command line that is copied is shown', () => {
    const driver = new Driver(stateOf()).press('c');
    expect(driver.asked).toMatchObject([
      { do: 'copy', text: expect.stringMatching(/^slipway estimate --model llama3-8b/) },
    ]);
    expect(driver.screen()).toContain('copied: slipway estimate --model llama3-8b');
  });
});
