import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { writeWhole } from '../writeFile.js';
import { answerOf } from './scenario/answer.js';
import { isFields, type RunValue } from './scenario/runValue.js';
import type { Pin, State } from './state/state.js';

const version = 1;

/** What the next session starts with. */
export interface Session {
  readonly run: RunValue;
  readonly file: string | undefined;
  readonly baseDirectory: string;
  readonly pins: readonly { readonly name: string; readonly run: RunValue }[];
}

export interface LoadedSession {
  readonly session: Session | undefined;
  /** What was wrong with the state file, where something was. */
  readonly note: string | undefined;
}

/** `$XDG_STATE_HOME/slipway/tui.json`, by default below ~/.local/state. */
export function sessionFile(environment: NodeJS.ProcessEnv): string {
  return join(environment.XDG_STATE_HOME || join(homedir(), '.local', 'state'), 'slipway', 'tui.json');
}

/** A state file that cannot be read, or says what no version of slipway wrote, is moved aside: never an error. */
export function loadSession(file: string): LoadedSession {
  if (!existsSync(file)) return { session: undefined, note: undefined };
  try {
    return { session: checked(JSON.parse(readFileSync(file, 'utf8'))), note: undefined };
  } catch {
    return { session: undefined, note: movedAside(file) };
  }
}

/** A state that cannot be kept costs nothing but the state. */
export function saveSession(file: string, { document, pins }: State): void {
  const session = {
    schemaVersion: version,
    run: document.run,
    file: document.file ?? null,
    baseDirectory: document.baseDirectory,
    pins: pins.map(({ name, run }) => ({ name, run })),
  };
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeWhole(file, `${JSON.stringify(session, null, 2)}\n`);
  } catch {
    // A read-only home, a full disk: the next session starts with the example.
  }
}

/** Pins whose run can still be planned; presets may have changed since. */
export function pinsOf({ pins, baseDirectory }: Session): readonly Pin[] {
  return pins.flatMap(({ name, run }): Pin[] => {
    const answer = answerOf(run, baseDirectory);
    return answer.ok ? [{ name, run, estimate: answer.estimate, rough: answer.rough }] : [];
  });
}

function checked(value: unknown): Session {
  if (!isFields(value) || value.schemaVersion !== version || !isFields(value.run)) throw new Error('not a session');
  const { run, file, baseDirectory, pins } = value;
  if (!Array.isArray(pins)) throw new Error('not a session');
  return {
    run,
    file: typeof file === 'string' ? file : undefined,
    baseDirectory: typeof baseDirectory === 'string' ? baseDirectory : '.',
    pins: pins.map((pin: unknown) => {
      if (!isFields(pin) || typeof pin.name !== 'string' || !isFields(pin.run)) throw new Error('not a pin');
      return { name: pin.name, run: pin.run };
    }),
  };
}

function movedAside(file: string): string {
  const aside = `${file}.broken`;
  try {
    renameSync(file, aside);
    return `the state of the last session could not be read; it is in ${aside} now`;
  } catch {
    return 'the state of the last session could not be read';
  }
}
