import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { RunValue } from '../../../src/cli/tui/scenario/runValue.js';
import { initialState } from '../../../src/cli/tui/state/initialState.js';
import { formatSeconds } from '../../../src/quantity/format.js';
import { Driver, drawings } from './driver.js';
import { random, randomKey } from './monkey.js';
import { buildCommand, hasTmux, removeCommand, slipwayJson, type TerminalOptions, TmuxTerminal } from './terminal.js';

if (!hasTmux && process.env.SLIPWAY_REQUIRE_TMUX) throw new Error('tmux is missing: the terminal UI would go untested');
if (!hasTmux) console.warn('tmux is missing: the tests of the terminal UI in a real terminal are SKIPPED');

interface Figures {
  readonly step: { readonly seconds: number };
  readonly memory: { readonly deviceBytes: number };
}

const runFile = `# kept: the comment of a user
model: llama3-8b
cluster: dgx-h100
accelerators: 8
strategy:
  tensorParallel: 2 # and this one
  pipelineParallel: 2
  globalBatchSize: 16
sequenceLength: 4096
training:
  tokens: 1T
`;

describe.skipIf(!hasTmux)('in a real terminal', { timeout: 120_000 }, () => {
  const open: TmuxTerminal[] = [];
  const terminal = (options: TerminalOptions): TmuxTerminal => {
    const one = new TmuxTerminal(options);
    open.push(one);
    return one;
  };

  beforeAll(buildCommand, 120_000);
  afterAll(removeCommand);
  afterEach(() => {
    for (const one of open.splice(0)) one.close();
  });

  /** A terminal whose folder holds run.yaml, with that run open. */
  const withRun = async (columns: number, rows: number): Promise<TmuxTerminal> => {
    const one = terminal({ columns, rows, args: ['run.yaml'] });
    writeFileSync(join(one.folder, 'run.yaml'), runFile);
    return one;
  };

  test.each([
    [80, 24],
    [120, 40],
    [200, 60],
  ])('%i x %i: change TP, search, load, timeline, pin, compare, save, quit', async (columns, rows) => {
    const ui = terminal({ columns, rows });
    await ui.shows(/1 Overview[\s\S]*\? help +q quit/);
    writeFileSync(join(ui.folder, 'run.yaml'), runFile);
    ui.text(':open run.yaml\r');
    await ui.shows(/opened run\.yaml/);

    // Changing a value shows the figures that the command prints for the same run.
    ui.text('/tensor parallel\r');
    await ui.shows(/▸tensor parallel +2/);
    ui.keys('Right');
    await ui.shows(/▸tensor parallel +4/);
    const figures = slipwayJson(['estimate', join(ui.folder, 'run.yaml'), '--tp', '4']) as Figures;
    const seconds = formatSeconds(figures.step.seconds).replace('.', '\\.');
    const gibibytes = (figures.memory.deviceBytes / 2 ** 30).toFixed(1).replace('.', '\\.');
    await ui.shows(new RegExp(`${gibibytes}/79\\.2 GiB · ${seconds} · MFU`));
    ui.keys('p');
    await ui.shows(/pinned as A/);

    // A search runs and fills the table; one plan is loaded.
    ui.text('4r');
    await ui.shows(/Search done/, 60);
    // A plan in mind that cannot be: the search says what binds and what is nearest.
    ui.keys('w', 'C-u');
    ui.text('tp=3\r');
    await ui.shows(/Why not tp=3[\s\S]*it does not work/, 60);
    ui.keys('Enter');
    await ui.shows(/plan loaded into the scenario/);
    ui.keys('p');
    await ui.shows(/pinned as B/);

    ui.keys('3');
    await ui.shows(/Simulated step[\s\S]* (F\d|FF)/);
    ui.text('ll++');
    await ui.shows(/25\.0 % of it/);

    ui.keys('5');
    await ui.shows(/ A +B/);
    ui.text('s');
    await ui.shows(/saved run\.yaml/);
    ui.text('q');
    await ui.shows(/STATUS 0/);

    const saved = readFileSync(join(ui.folder, 'run.yaml'), 'utf8');
    expect(saved).toContain('# kept: the comment of a user');
    expect(saved).not.toBe(runFile);
    const again = slipwayJson(['estimate', join(ui.folder, 'run.yaml')]) as { memory: { fits: boolean } };
    expect(again.memory.fits).toBe(true);
    expect(existsSync(join(ui.folder, 'state/slipway/tui.json'))).toBe(true);
  });

  test.each([
    [80, 24],
    [120, 40],
    [200, 60],
  ])('%i x %i: every tab is on the screen exactly as the views made it', async (columns, rows) => {
    const ui = await withRun(columns, rows);
    await ui.shows(/run\.yaml/);
    const run = parse(runFile) as RunValue;
    const size = { columns, rows };
    const driver = new Driver(initialState({ run, saved: run, file: 'run.yaml', baseDirectory: '.', pins: [], size }));
    for (const tab of '12345678') {
      ui.keys(tab);
      const wanted = (await driver.press(tab).done()).screen(drawings.colour).trimEnd();
      await ui.showsAll(wanted);
    }
  });

  test('resizing while it draws leaves no trace of the old size', async () => {
    const ui = await withRun(120, 40);
    await ui.shows(/1 Overview/);
    ui.keys('2');
    for (const [columns, rows] of [
      [60, 20],
      [200, 60],
      [80, 24],
      [100, 30],
    ] as const) {
      ui.keys('j');
      ui.resize(columns, rows);
      ui.keys('k');
    }
    const screen = await ui.shows(/^ slipway {2}run\.yaml/);
    await new Promise((done) => setTimeout(done, 500));
    const lines = ui.screen().split('\n');
    expect(lines).toHaveLength(29);
    expect(lines.filter((line) => line.startsWith(' slipway '))).toHaveLength(1);
    expect(lines.at(-1)).toMatch(/\? help {2}q quit/);
    expect(screen).not.toBe('');
    ui.resize(30, 6);
    await ui.shows(/slipway needs 40 x 10/);
  });

  test('keys of one chunk are all taken: jjjq moves and quits', async () => {
    const ui = await withRun(80, 24);
    await ui.shows(/\? help/);
    ui.text('jjjq');
    await ui.shows(/STATUS 0/);
    const state = JSON.parse(readFileSync(join(ui.folder, 'state/slipway/tui.json'), 'utf8')) as { file: string };
    expect(state.file).toMatch(/run\.yaml$/);
  });

  test('what is pasted is no key: a value goes into its line, a run file becomes the scenario', async () => {
    const ui = await withRun(100, 30);
    await ui.shows(/\? help/);
    ui.paste('qqq3s');
    await ui.shows(/pasted text is no run file/);
    ui.text('/tensor parallel\r');
    await ui.shows(/▸tensor parallel +2/);
    ui.keys('Enter', 'C-u');
    ui.paste('4\n');
    await ui.shows(/tensor parallel: 4/);
    ui.keys('Enter');
    await ui.shows(/▸tensor parallel +4/);
    ui.paste(runFile.replace('llama3-8b', 'llama2-7b'));
    await ui.shows(/the pasted run file is the scenario now/);
    await ui.shows(/▸tensor parallel +2/);
    ui.keys('u');
    await ui.shows(/▸tensor parallel +4/);
  });

  test('kill -TERM gives the terminal back', async () => {
    const ui = await withRun(80, 24);
    await ui.shows(/\? help/);
    expect(ui.onSecondScreen()).toBe(true);
    expect(ui.cursorShown()).toBe(false);
    process.kill(ui.processId(), 'SIGTERM');
    const screen = await ui.shows(/STATUS 143\n-?echo/);
    expect(screen).toMatch(/READY[\s\S]*STATUS 143\necho/);
    expect(ui.onSecondScreen()).toBe(false);
    expect(ui.cursorShown()).toBe(true);
  });

  test('a broken state file is moved aside, and said', async () => {
    const ui = terminal({ columns: 100, rows: 30 });
    await ui.shows(/an example to start from/);
    const file = join(ui.folder, 'state/slipway/tui.json');
    ui.keys('q');
    await ui.shows(/STATUS 0/);
    mkdirSync(join(ui.folder, 'state/slipway'), { recursive: true });
    writeFileSync(file, '{ not json');
    const second = terminal({ columns: 100, rows: 30, env: { XDG_STATE_HOME: join(ui.folder, 'state') } });
    await second.shows(/the state of the last session could not be read/);
    expect(readFileSync(`${file}.broken`, 'utf8')).toBe('{ not json');
  });

  test('NO_COLOR and ASCII: no colour, no character outside of ASCII', async () => {
    const ui = terminal({ columns: 100, rows: 30, env: { NO_COLOR: '1', LANG: 'C', LC_ALL: 'C' } });
    const screen = await ui.shows(/1 Overview[\s\S]*\? help/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII is what is asked for
    expect(screen).toMatch(/^[\x0a\x20-\x7e]*$/);
  });

  /** `SLIPWAY_MONKEY_SECONDS=1800 npx vitest run tests/cli/tui/terminal.test.ts -t monkey` for a long one. */
  const monkeySeconds = Number(process.env.SLIPWAY_MONKEY_SECONDS ?? 12);

  test('a monkey: no crash, no stuck key, no growing memory', { timeout: (monkeySeconds + 120) * 1000 }, async () => {
    const ui = await withRun(100, 30);
    await ui.shows(/\? help/);
    const next = random(Number(process.env.SLIPWAY_SEED) || 7);
    const end = Date.now() + monkeySeconds * 1000;
    const answers = async (): Promise<void> => {
      ui.keys('Escape', 'Escape', 'Escape', 'Escape', '7');
      await ui.shows(/7 Run[\s\S]*(Failures and checkpoints|cannot run|does not)/, 60);
    };
    for (let round = 0; Date.now() < end; round++) {
      ui.keys(...Array.from({ length: 1 + Math.floor(next() * 6) }, () => tmuxKey(randomKey(next))));
      if (round % 50 === 49) ui.resize(60 + Math.floor(next() * 100), 15 + Math.floor(next() * 40));
      // Now and then it must still answer what it is asked.
      if (round % 500 === 499) await answers();
      await new Promise((done) => setTimeout(done, 25));
    }
    ui.resize(100, 30);
    await answers();
    ui.keys(':', 'q', '!', 'Enter');
    await ui.shows(/STATUS 0/, 30);
    const frames = traceOf(ui).filter((line): line is Frame => line.residentBytes !== undefined);
    const thirds = [0, 1, 2].map((third) => {
      const length = Math.ceil(frames.length / 3);
      const own = frames.slice(third * length, (third + 1) * length);
      const resident = own.map(({ residentBytes }) => residentBytes).sort((x, y) => x - y);
      const heap = own.map(({ heapBytes }) => heapBytes).sort((x, y) => x - y);
      return { resident: middleOf(resident), most: resident.at(-1) ?? 0, heap: middleOf(heap) };
    });
    const list = (key: 'resident' | 'most' | 'heap'): string =>
      thirds.map((third) => Math.round(third[key] / 2 ** 20)).join(', ');
    const report = `${frames.length} frames; MiB in each third: resident ${list('resident')} in the middle, ${list('most')} at most; heap of the UI ${list('heap')}`;
    console.log(`monkey: ${report}`);
    expect(frames.length).toBeGreaterThan(20);
    // A search or a long step takes what it needs for as long as it runs; what stays is growth.
    const [first, , last] = thirds;
    expect(last?.resident, report).toBeLessThan(1.5 * (first?.resident ?? 0) + 64 * 2 ** 20);
    expect(last?.heap, report).toBeLessThan(1.5 * (first?.heap ?? 0) + 16 * 2 ** 20);
  });
});

interface Frame {
  readonly residentBytes: number;
  readonly heapBytes: number;
}

function middleOf(sorted: readonly number[]): number {
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

function traceOf(ui: TmuxTerminal): readonly Partial<Frame>[] {
  const text = readFileSync(join(ui.folder, 'trace.jsonl'), 'utf8');
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Partial<Frame>);
}

/** What tmux calls a key. */
function tmuxKey(key: string): string {
  const names: Readonly<Record<string, string>> = {
    up: 'Up',
    down: 'Down',
    left: 'Left',
    right: 'Right',
    enter: 'Enter',
    esc: 'Escape',
    tab: 'Tab',
    pageup: 'PageUp',
    pagedown: 'PageDown',
    home: 'Home',
    end: 'End',
    backspace: 'BSpace',
    'shift-left': 'S-Left',
    'shift-right': 'S-Right',
    ' ': 'Space',
    ';': '\\;',
  };
  return names[key] ?? key.replace(/^ctrl-/, 'C-');
}
