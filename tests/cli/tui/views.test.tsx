import { cleanup, render } from 'ink-testing-library';
import { afterEach, describe, expect, test } from 'vitest';
import { App } from '../../../src/cli/tui/app.js';
import { ansiOf } from '../../../src/cli/tui/screen/ansi.js';
import { widthOf } from '../../../src/cli/tui/screen/row.js';
import { type State, tabs } from '../../../src/cli/tui/state/state.js';
import { Store } from '../../../src/cli/tui/store.js';
import { frame } from '../../../src/cli/tui/views/frame.js';
import { Driver, drawings, exampleRun, smallRun, stateOf } from './driver.js';

afterEach(cleanup);

function linesOf(state: State): string[] {
  return frame(state, drawings.plain).map((row) => ansiOf(row, false));
}

/** A driver with something to see on every tab. */
function busy(columns: number, rows: number, run = smallRun): Driver {
  const driver = new Driver(stateOf(run, columns, rows)).press('p', ':').type('recompute full').press('enter', 'p');
  driver.press('4', 'r');
  const { estimate } = driver.state.pins[0] ?? {};
  const row = {
    run,
    tensorParallel: 2,
    contextParallel: 1,
    pipelineParallel: 4,
    virtualStages: 1,
    expertParallel: 1,
    dataParallel: 4,
    microBatchSize: 1,
    schedule: '1f1b',
    dataSharding: 'zero-1',
    recompute: 'none',
    deviceBytes: estimate?.memory.deviceBytes ?? 0,
    capacityBytes: 8e10,
    stepSeconds: 1,
    tokensPerSecond: 1e6,
    mfu: 0.4,
    onFront: true,
  };
  const rows2 = [row, { ...row, tokensPerSecond: 2e6, deviceBytes: 6e10, onFront: false }];
  const progress = {
    evaluated: 1000,
    simulated: 10,
    fractionDone: 0.5,
    secondsLeft: 3,
    rejected: [['memory', 400] as const, ['batchDivides', 20] as const],
    nearestMiss: undefined,
  };
  return driver.send({ kind: 'searching', id: driver.state.search.asked ?? '', rows: rows2, progress }).press('1');
}

describe('a frame', () => {
  test.each([
    [80, 24],
    [120, 40],
    [200, 60],
    [72, 20],
    [60, 12],
    [40, 10],
    [20, 5],
    [300, 100],
  ])('of %i x %i has one line less than the terminal, each exactly as wide', (columns, rows) => {
    const driver = busy(columns, rows);
    for (const keys of [[], ['?'], ['e'], [':'], ['tab', 'enter'], ['v']]) {
      const draws = keys.length === 0 ? Object.values(drawings) : [drawings.colour];
      for (const tab of ['1', '2', '3', '4', '5', '6', '7', '8']) {
        driver.press(tab, ...keys);
        for (const draw of draws) {
          const lines = frame(driver.state, draw);
          expect(lines).toHaveLength(rows - 1);
          for (const line of lines) expect(widthOf(line.map(([text]) => text).join(''))).toBe(columns);
        }
        driver.press('esc', 'esc');
      }
    }
  });

  test('holds nothing but ASCII where that is all there is', () => {
    const driver = busy(120, 40);
    for (const tab of '12345678') {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII is what is asked for
      expect(driver.press(tab).screen(drawings.ascii), tab).toMatch(/^[\x0a\x20-\x7e]*$/);
    }
  });

  test('of a run that cannot run says why, beside the last one that could', () => {
    const driver = new Driver(stateOf()).press(':').type('model llama3-405b').press('enter');
    const broken = new Driver(stateOf({ ...smallRun, accelerators: 100 }));
    expect(broken.screen()).toMatch(/✗ tensorParallel 2 x pipelineParallel 4 x contextParallel 1 = 8/);
    expect(broken.screen()).toContain('✗ cannot run');
    expect(driver.state.answer.ok).toBe(true);
  });
});

describe('the views', () => {
  test('overview: verdict, step by cause, days', () => {
    const screen = busy(120, 40).screen(drawings.plain);
    expect(screen).toMatch(/✓ FITS {2}[\d.]+ GiB of 79\.2 GiB/);
    expect(screen).toMatch(/C compute +[\d.]+ %/);
    expect(screen).toMatch(/Training [\d.,]+ (days|h)/);
  });

  test('memory: a bar for every stage, components that add up, the simulated curve', () => {
    const driver = busy(120, 40).press('2');
    const screen = driver.screen(drawings.plain);
    const { answer } = driver.state;
    expect(answer.ok && answer.estimate.memory.stages).toHaveLength(4);
    for (const stage of [0, 1, 2, 3]) expect(screen).toMatch(new RegExp(`│ [▸ ]${stage} W`));
    expect(screen).toMatch(/Over the step {2}simulated, peak [\d.]+ GiB at/);
    driver.press('j');
    expect(driver.screen(drawings.plain)).toMatch(/Stage 1 {2}8 layers/);
  });

  test('timeline: rows of stages, zoom, streams, facts of a task', () => {
    const driver = busy(120, 40).press('3');
    expect(driver.screen(drawings.plain)).toMatch(/│ {2}0 g?F/);
    driver.press('j', 'l', 'l', '+', '+', '+', '+');
    const { from, to } = driver.state.timeline;
    expect(to - from).toBeCloseTo(1 / 16, 6);
    const screen = driver.screen(drawings.plain);
    expect(screen).toMatch(/forward of micro-batch \d+ {2}[\d.]+ ms[\s\S]*stage 1, chunk 1, compute stream/);
    expect(screen).toMatch(/alone: compute [\d.]+ ms/);
    driver.press(' ');
    expect(driver.state.timeline.open).toBe(true);
    expect(driver.screen(drawings.plain)).toMatch(/│ +0 comp/);
    driver.press('0');
    expect(driver.state.timeline).toMatchObject({ from: 0, to: 1 });
  });

  test('plan: progress, table, scatter, why not', () => {
    const driver = busy(120, 40).press('4');
    const table = driver.screen(drawings.plain);
    expect(table).toMatch(/Searching {2}1,000 tried, 10 confirmed, 3 s left/);
    expect(table).toMatch(/Why not {2}does not fit 400, batchDivides 20/);
    expect(driver.press('v').screen(drawings.plain)).toMatch(/tokens\/s up, memory right/);
  });

  test('compare: pins beside each other and a waterfall that adds up', () => {
    const driver = busy(120, 40).press('5');
    const screen = driver.screen(drawings.plain);
    expect(screen).toMatch(/ A +B +now/);
    expect(screen).toMatch(/Why now is slower than A {2}\+[\d.]+ m?s a step/);
    expect(screen).toMatch(/ {2}recompute +\+/);
  });

  test('what-if: a bar for every legal value, a table for two fields', () => {
    const driver = busy(120, 40).press('6');
    expect(driver.screen(drawings.plain)).toMatch(/tokens\/s by tensor parallel/);
    expect(driver.state.grid.result).toHaveLength(4);
    driver.press('j', 'enter');
    expect(driver.screen(drawings.plain)).toMatch(/tokens\/s by tensor parallel and pipeline parallel/);
    driver.press('l', 'l', 'm');
    expect(driver.screen(drawings.plain)).toMatch(/step by tensor parallel/);
  });

  test('run: failures, checkpoints, cost', () => {
    const screen = busy(120, 40).press('7').screen(drawings.plain);
    expect(screen).toMatch(/goodput +\d+\.\d %/);
    expect(screen).toMatch(/checkpoint +every/);
  });

  test('presets: facts, figures, sources; enter uses one', () => {
    const driver = busy(200, 60).press('8', '/').type('8x7b').press('enter');
    expect(driver.screen(drawings.plain)).toMatch(/mixtral-8x7b +46\.7B, 12\.9B active/);
    driver.press('enter');
    expect(driver.state.document.run.model).toBe('mixtral-8x7b');
  });
});

describe('the app in ink', () => {
  const start = (run = smallRun) => {
    const store = new Store(stateOf(run, 100, 30), () => {});
    return { store, ...render(<App store={store} linesOf={linesOf} />) };
  };
  // biome-ignore lint/suspicious/noControlCharactersInRegex: bold and inverse are no text
  const seen = (text = ''): string => text.replaceAll(/\u001b\[\d+m/g, '');
  const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

  test('draws the frame and takes keys, several in one chunk', async () => {
    const { stdin, lastFrame, store } = start();
    expect(seen(lastFrame())).toContain('1 Overview 2 Memory');
    await settle();
    stdin.write('jjj');
    expect(store.get().field).toBe(3);
    stdin.write('\u001b[B');
    expect(store.get().field).toBe(4);
    stdin.write('7');
    await settle();
    expect(lastFrame()).toContain('Failures and checkpoints');
    expect(lastFrame()?.split('\n')).toHaveLength(29);
  });

  test('edits a value and shows what follows from it', async () => {
    const { stdin, lastFrame } = start(exampleRun('llama3-8b-fsdp'));
    await settle();
    stdin.write(':mbs 2\r');
    await settle();
    expect(seen(lastFrame())).toMatch(/micro batch size +2/);
    expect(tabs).toHaveLength(8);
  });
});
