import { writeError, writeOut } from '../output.js';
import { Effects } from './effects.js';
import { openRunFile } from './files.js';
import { prewarmPresets } from './prewarm.js';
import type { RunValue } from './scenario/runValue.js';
import { ansiOf } from './screen/ansi.js';
import { glyphsFor } from './screen/glyphs.js';
import { Painter } from './screen/painter.js';
import { Terminal } from './screen/terminal.js';
import { loadSession, pinsOf, saveSession, sessionFile } from './session.js';
import { initialState, type Start } from './state/initialState.js';
import { type State, saying } from './state/state.js';
import { Store } from './store.js';
import { Trace } from './trace.js';
import type { Draw } from './views/draw.js';
import { frame } from './views/frame.js';

export interface TuiOptions {
  /** The run file to open; the last session's scenario, else the example, where not given. */
  readonly file: string | undefined;
  /** Path of the run file that a first session shows. */
  readonly example: string;
  readonly ascii: boolean;
}

/** Runs the terminal UI until it is quit. The caller made sure that there is a terminal. */
export async function runTui(options: TuiOptions): Promise<void> {
  const environment = process.env;
  const terminal = new Terminal();
  const draw: Draw = {
    glyphs: glyphsFor(environment, options.ascii ? 'ascii' : undefined),
    color: !environment.NO_COLOR && environment.TERM !== 'dumb',
  };
  const stateFile = sessionFile(environment);
  const linesOf = (state: State): string[] => frame(state, draw).map((row) => ansiOf(row, draw.color));
  const start = await firstState(options, stateFile, terminal);
  const trace = new Trace(environment.SLIPWAY_TUI_TRACE);
  const copied: string[] = [];
  let finish: () => void = () => {};
  const finished = new Promise<void>((done) => {
    finish = done;
  });

  const painter = new Painter((text) => terminal.write(text));
  const paint = (lines: readonly string[]): void => {
    painter.paint(lines);
    trace.painted();
  };
  const effects = new Effects({
    dispatch: (event) => store.dispatch(event),
    copy: (text) => {
      copied.push(text);
      terminal.write(`\u001b]52;c;${Buffer.from(text).toString('base64')}\u0007`);
    },
    suspend: () => terminal.suspend(),
    quit: () => finish(),
  });
  const store = new Store(start, effects.perform);
  process.once('exit', () => saveSession(stateFile, store.get()));
  terminal.enter(() => {
    painter.forget();
    paint(linesOf(store.get()));
  });
  // The first frame need not wait for ink, which takes longer to load than everything else.
  paint(linesOf(store.get()));
  trace.ready();
  // From here on whatever the first frame still lacks is worked out.
  store.dispatch({ kind: 'resize', ...terminal.size() });
  process.stdout.on('resize', () => {
    painter.forget();
    store.dispatch({ kind: 'resize', ...terminal.size() });
  });
  // Read once when ink loads: it does nothing where it believes to be in continuous integration.
  process.env.CI = 'false';
  const { mount } = await import('./mount.js');
  const unmount = mount({ store, linesOf, paint, onKeys: () => trace.keyed() }, (error) => terminal.crash(error));
  prewarmPresets();
  await finished;
  unmount();
  effects.close();
  terminal.leave();
  for (const text of copied) writeOut(`${text}\n`);
  process.exit(0);
}

async function firstState(options: TuiOptions, stateFile: string, terminal: Terminal): Promise<State> {
  const size = terminal.size();
  const { session, note } = loadSession(stateFile);
  const pins = session === undefined ? [] : pinsOf(session);
  if (options.file !== undefined) {
    const { run, path, baseDirectory } = await openRunFile(options.file);
    return initialState({ run, saved: run, file: path, baseDirectory, pins, size });
  }
  if (session === undefined) {
    const { run } = await openRunFile(options.example);
    const state = initialState({ run, saved: run, file: undefined, baseDirectory: '.', pins, size });
    return saying(
      state,
      note ?? 'an example to start from: arrow keys change values, 4 finds plans, ? lists all keys',
      note === undefined ? 'note' : 'bad',
    );
  }
  const { run, baseDirectory } = session;
  const saved = await savedRun(session.file);
  const restored: Start = {
    run,
    saved: saved ?? run,
    file: saved === undefined ? undefined : session.file,
    baseDirectory,
    pins,
    size,
  };
  return saying(initialState(restored), 'back where the last session ended');
}

/** What the file of the last session says now; undefined where it is gone or broken. */
async function savedRun(file: string | undefined): Promise<RunValue | undefined> {
  if (file === undefined) return undefined;
  try {
    return (await openRunFile(file)).run;
  } catch {
    return undefined;
  }
}

/** Without a terminal: what to type instead. */
export function explainNoTerminal(file: string | undefined): void {
  const command = `slipway estimate ${file ?? 'run.yaml'}`;
  writeError(`slipway: the terminal UI needs a terminal; without one: ${command}\n`);
}
