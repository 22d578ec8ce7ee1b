/**
 * `tsx tools/screenshotTui.ts`: docs/tui-<tab>.svg, the pictures of the terminal UI. The built command runs in tmux, is driven by keys as a
 * user would drive it, and what tmux shows is drawn character by character.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { terminalSvg } from './terminalSvg.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const socket = `slipway-screenshot-${process.pid}`;
const columns = 120;
const rows = 36;

interface Shot {
  readonly name: string;
  readonly keys: readonly string[];
  /** What the screen shows when it is ready; `search` is only waited for. */
  readonly ready: RegExp;
}

const shots: readonly Shot[] = [
  { name: 'overview', keys: ['Escape', 'Escape'], ready: /Training/ },
  { name: 'memory', keys: ['2', 'j', 'j'], ready: /Over the step {2}simulated/ },
  { name: 'timeline', keys: ['3', 'j', 'j', 'l', 'l', '+', '+', '+'], ready: /of it[\s\S]*stage 2/ },
  { name: 'whatif', keys: ['6', 'j', 'Enter'], ready: /by tensor parallel and pipeline parallel[\s\S]*✓/ },
  { name: 'run', keys: ['7'], ready: /goodput/ },
  { name: 'presets', keys: ['8', 'l', '/', 'h', '1', '0', '0', 'Enter'], ready: /Sources|datasheet/ },
  { name: 'search', keys: ['4', 'r'], ready: /Search done/ },
  { name: 'plan', keys: ['j', 'w', 'C-u', ...'tp=4,pp=8', 'Enter'], ready: /Why not tp=4,pp=8 / },
  { name: 'compare', keys: ['p', '4', 'Enter', 'p', '5', 'k'], ready: /Step, from/ },
];

const folder = mkdtempSync(join(tmpdir(), 'slipway-screenshot-'));
try {
  start();
  await shows(/\? help/);
  for (const { name, keys, ready } of shots) {
    for (const key of keys) {
      tmux('send-keys', key);
      await pause(150);
    }
    await shows(ready);
    if (name === 'search') continue;
    await pause(1000);
    const svg = terminalSvg(tmux('capture-pane', '-p', '-e').trimEnd().split('\n'), `slipway, ${name}`, columns);
    writeFileSync(`${root}docs/tui-${name}.svg`, svg);
  }
} finally {
  tmux('kill-server');
  rmSync(folder, { recursive: true });
}

function start(): void {
  const variables = `LANG=C.UTF-8 LC_ALL=C.UTF-8 TERM=screen-256color XDG_STATE_HOME=${folder}`;
  const command = `cd ${root} && env -u NO_COLOR ${variables} node dist/bin/slipway.js examples/llama3-405b.yaml`;
  tmux('-f', '/dev/null', 'new-session', '-d', '-x', `${columns}`, '-y', `${rows}`, command);
}

async function shows(wanted: RegExp): Promise<void> {
  for (let tries = 0; !wanted.test(tmux('capture-pane', '-p')); tries++) {
    if (tries > 3000) throw new Error(`${String(wanted)} does not come up on\n${tmux('capture-pane', '-p')}`);
    await pause(100);
  }
}

function tmux(...words: readonly string[]): string {
  return execFileSync('tmux', ['-L', socket, ...words], { encoding: 'utf8' });
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((done) => setTimeout(done, milliseconds));
}
