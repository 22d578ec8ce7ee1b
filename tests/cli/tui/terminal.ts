import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));
/** Below the repository, so that the built command finds the presets. */
const built = join(root, `node_modules/.cache/slipway-terminal-test-${process.pid}`);

export const hasTmux = spawnSync('tmux', ['-V']).status === 0;

/** Builds the command as it ships. */
export function buildCommand(): void {
  const tsx = join(root, 'node_modules/tsx/dist/cli.mjs');
  execFileSync(process.execPath, [tsx, join(root, 'tools/build.ts'), '--bin', '--out', built], { cwd: root });
}

export function removeCommand(): void {
  rmSync(built, { recursive: true, force: true });
}

export function slipwayJson(args: readonly string[]): unknown {
  const { stdout } = spawnSync(process.execPath, [join(built, 'bin/slipway.js'), ...args, '--json'], {
    encoding: 'utf8',
  });
  return JSON.parse(stdout);
}

export interface TerminalOptions {
  readonly columns: number;
  readonly rows: number;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** The built command in a terminal of its own: tmux is the terminal, its screen is what a user sees. */
export class TmuxTerminal {
  readonly folder = mkdtempSync(join(tmpdir(), 'slipway-terminal-'));
  private readonly socket = `slipway-test-${process.pid}-${counter++}`;

  constructor({ columns, rows, args = [], env = {} }: TerminalOptions) {
    const variables = {
      LANG: 'C.UTF-8',
      LC_ALL: 'C.UTF-8',
      TERM: 'screen-256color',
      NO_COLOR: '',
      XDG_STATE_HOME: join(this.folder, 'state'),
      SLIPWAY_TUI_TRACE: join(this.folder, 'trace.jsonl'),
      ...env,
    };
    const settings = Object.entries(variables).map(([name, value]) => `${name}='${value}'`);
    const command = `cd '${this.folder}' && echo READY && env ${settings.join(' ')} '${process.execPath}' '${join(built, 'bin/slipway.js')}' ${args.join(' ')}; echo "STATUS $?"; stty -a | grep -o -- '-\\?echo\\b'; exec sleep 1000`;
    this.tmux('-f', '/dev/null', 'new-session', '-d', '-x', `${columns}`, '-y', `${rows}`, command);
  }

  /** Each word is one tmux key name, or a text that arrives in one chunk. */
  keys(...keys: readonly string[]): void {
    this.tmux('send-keys', ...keys);
  }

  /** A text as one write, as a paste or a fast typist would have it. */
  text(text: string): void {
    this.tmux('send-keys', '-l', text);
  }

  /** From the clipboard, marked as the program asked for. */
  paste(text: string): void {
    this.tmux('set-buffer', text);
    this.tmux('paste-buffer', '-p');
  }

  resize(columns: number, rows: number): void {
    this.tmux('resize-window', '-x', `${columns}`, '-y', `${rows}`);
  }

  screen(): string {
    return this.tmux('capture-pane', '-p').replace(/\n+$/, '');
  }

  processId(): number {
    const shell = this.tmux('display-message', '-p', '#{pane_pid}').trim();
    const { stdout } = spawnSync('ps', ['--ppid', shell, '-o', 'pid=,args='], { encoding: 'utf8' });
    const line = stdout.split('\n').find((one) => one.includes('slipway.js'));
    return Number(line?.trim().split(/\s+/)[0]);
  }

  onSecondScreen(): boolean {
    return this.tmux('display-message', '-p', '#{alternate_on}').trim() === '1';
  }

  cursorShown(): boolean {
    return this.tmux('display-message', '-p', '#{cursor_flag}').trim() === '1';
  }

  /** Waits until the screen shows what is looked for, and returns it. */
  async shows(wanted: RegExp, seconds = 20): Promise<string> {
    const end = Date.now() + seconds * 1000;
    for (;;) {
      const screen = this.screen();
      if (wanted.test(screen)) return screen;
      if (Date.now() > end) throw new Error(`${String(wanted)} did not come up within ${seconds} s on\n${screen}`);
      await new Promise((done) => setTimeout(done, 50));
    }
  }

  /** Waits until the whole screen is as wanted. */
  async showsAll(wanted: string, seconds = 20): Promise<void> {
    const end = Date.now() + seconds * 1000;
    while (this.screen() !== wanted) {
      if (Date.now() > end) throw new Error(`the screen is\n${this.screen()}\ninstead of\n${wanted}`);
      await new Promise((done) => setTimeout(done, 50));
    }
  }

  close(): void {
    spawnSync('tmux', ['-L', this.socket, 'kill-server']);
    rmSync(this.folder, { recursive: true, force: true });
  }

  private tmux(...args: readonly string[]): string {
    return execFileSync('tmux', ['-L', this.socket, ...args], { encoding: 'utf8' });
  }
}

let counter = 0;
