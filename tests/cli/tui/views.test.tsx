import { cleanup, render } from 'ink-testing-library';
import { afterEach, describe, expect, test } from 'vitest';
import { App } from '../../../src/cli/tui/app.js';
import { ansiOf } from '../../../src/cli/tui/screen/ansi.js';
import { widthOf } from '../../../src/cli/tui/screen/row.js';
import { type State, tabs } from '../../../src/cli/tui/state/state.js';
import { Store } from '../../../src/cli/tui/store.js';
import { frame } from '../../../src/cli/tui/views/frame.js';
import { answerWhyNot } from '../../../src/cli/tui/work/answerWhyNot.js';
import { Driver, drawings, exampleRun, smallRun, stateOf } from './driver.js';
import { planRow } from './planRow.js';

afterEach(cleanup);

function linesOf(state: State): string[] {
  return frame(state, drawings.plain).map((row) => ansiOf(row, false));
}

/** A driver with something to see on every tab. */
function busy(columns: number, rows: number, run = smallRun): Driver {
  const driver = new Driver(stateOf(run, columns, rows)).press('p', ':').type('recompute full').press('enter', 'p');
  driver.press('4', 'r');
  const { estimate } = driver.state.pins[0] ?? {};
  const row = planRow({ run, deviceBytes: estimate?.memory.deviceBytes ?? 0, onFront: true });
  const rows2 = [row, planRow({ run, tokensPerSecond: 2e6, deviceBytes: 6e10 })];
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
    expect(table).toMatch(/Not listed {2}does not fit 400, batchDivides 20/);
    expect(table).toMatch(/80 %: step 900 ms to 1\.2 s, MFU 33\.0 % to 44\.0 %/);
    expect(table).toMatch(/of 74\.5 GiB, chance of not fitting 3 %/);
    expect(driver.press('v').screen(drawings.plain)).toMatch(/tokens\/s up, memory right/);
  });

  test('plan: a why-not that is typed is answered by the search of `slipway plan`, and its plan can be loaded', async () => {
    const driver = busy(120, 40).press('4', 'w');
    expect(driver.screen()).toMatch(/why not tp=2,pp=4/);
    driver.press('ctrl-u').type('tensorParalel=3').press('enter');
    expect(driver.screen()).toMatch(/unknown key 'tensorParalel', did you mean tensorParallel/);
    driver.press('ctrl-u').type('tp=8,pp=3').press('enter');
    expect(driver.screen()).toMatch(/Why not {2}working it out/);
    const asked = driver.asked.find((effect) => effect.do === 'whyNot');
    if (asked?.do !== 'whyNot') throw new Error('nothing was asked');
    driver.send({ kind: 'answered', id: asked.id, result: await answerWhyNot(asked) });
    expect(driver.screen()).toMatch(/Why not tp=8,pp=3 {2}y loads the nearest/);
    expect(driver.screen()).toMatch(/it does not work: .*3/);
    expect(driver.screen()).toMatch(/nearest that works, without pipelineParallel: [\d.]+ m?s a step, tp8/);
    driver.press('y');
    expect(driver.state.document.run).toMatchObject({ strategy: { tensorParallel: 8, globalBatchSize: 64 } });
    expect(driver.state.answer.ok).toBe(true);
  });

  test('compare: pins beside each other and a waterfall that adds up', () => {
    const driver = busy(120, 40).press('5');
    const screen = driver.screen(drawings.plain);
    expect(screen).toMatch(/ A +B +now/);
    expect(screen).toMatch(/recompute +selective|recompute +none +full +full/);
    expect(screen).toMatch(/Step, from A to now {2}[\d.]+ m?s to [\d.]+ m?s/);
    expect(screen).toMatch(/ {2}recompute +\+/);
    expect(screen).toMatch(/Allocated, from A to now[\s\S]*activations +-[\d.]+ GiB/);
  });

  test('what-if: a bar for every legal value, a table for two fields, axes as the command line takes them', async () => {
    const driver = await busy(120, 40).press('6').done();
    expect(driver.screen(drawings.plain)).toMatch(/tokens\/s by tensor parallel/);
    expect(driver.state.grid.result).toHaveLength(4);
    await driver.press('j', 'enter').done();
    expect(driver.screen(drawings.plain)).toMatch(/tokens\/s by tensor parallel and pipeline parallel/);
    driver.press('l', 'l', 'm');
    expect(driver.screen(drawings.plain)).toMatch(/step by tensor parallel/);
    await driver
      .press('enter', 'k', 'enter', 'i')
      .type('cluster.accelerator.memoryBytesPerSecond*=1,2')
      .press('enter')
      .done();
    const screen = driver.screen(drawings.plain);
    expect(screen).toMatch(/● cluster.accelerator.memoryBytesPerSecond {2}typed/);
    expect(screen).toMatch(/x1 ✓[\s\S]*x2 ✓/);
    const [before] = driver.state.grid.result ?? [];
    const exact = driver.state.answer.ok ? driver.state.answer.estimate.step.seconds : 0;
    expect(before?.figures['step.seconds']).toBe(exact);
    driver.press('l', 'y');
    expect(driver.state.document.run).toMatchObject({ cluster: { accelerator: { memoryBytesPerSecond: 6.7e12 } } });
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

  test('takes nothing that is pasted for a key', async () => {
    const { stdin, store } = start();
    await settle();
    const before = store.get();
    stdin.write('\u001b[200~q3\rjj\u001b[201~');
    expect(store.get()).toMatchObject({ tab: before.tab, field: before.field, document: before.document });
    expect(store.get().message?.text).toMatch(/pasted text is no run file/);
    stdin.write(':');
    stdin.write('\u001b[200~tp 4\r\u001b[201~');
    expect(store.get().prompt).toMatchObject({ kind: 'command', line: { text: 'tp 4' } });
    stdin.write('\r');
    expect(store.get().document.run).toMatchObject({ strategy: { tensorParallel: 4 } });
    stdin.write('j');
    expect(store.get().field).toBe(before.field + 1);
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
