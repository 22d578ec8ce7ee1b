/**
 * The terminal UI as a user has it: the built command in a terminal (`script` gives it one), Llama 3 405B on 16,384 H100. Milliseconds
 * from a key to its frame, the same while a search runs, and from the start of the process to the first frame.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

interface TraceLine {
  readonly firstFrameMilliseconds?: number;
  readonly frameMilliseconds?: number;
  readonly delayMilliseconds?: number;
  readonly cpuMilliseconds: number;
}

const bin = resolve('dist/bin/slipway.js');
const example = resolve('examples/llama3-405b.yaml');
const pauseMilliseconds = 120;

/** Through the degrees, the batch and the precision, and back again: every second one is a scenario not seen before. */
const changes = ['l', 'l', 'h', 'h', 'h', 'l', 'j', 'l', 'h', 'j', 'j', 'j', 'h', 'l', 'j', 'h', 'h', 'l', 'l', 'k'];
const tabs = ['2', 'j', 'j', '3', 'l', '+', '+', 'l', 'L', '-', '0', '7', '8', 'j', 'j', '1', 'esc'];

if (!existsSync(bin)) throw new Error(`${bin} is missing; npm run build first`);
if (spawnSync('script', ['--version']).status !== 0) {
  console.log('terminal UI: skipped, `script` of util-linux is missing');
} else {
  await report();
}

async function report(): Promise<void> {
  const calm = await measured([...goTo('tensor'), ...changes, ...changes, ...tabs]);
  const busy = await measured(['4', 'r', 'esc', ...goTo('tensor'), ...changes, ...changes]);
  console.log('terminal UI, Llama 3 405B on 16,384 H100, 120 x 40');
  const first = calm.find((line) => line.firstFrameMilliseconds !== undefined);
  print('first frame', [first?.firstFrameMilliseconds ?? Number.NaN], [first?.cpuMilliseconds ?? Number.NaN]);
  const calmFrames = framesOf(calm);
  print('key to frame', calmFrames.map(frame), calmFrames.map(cpu));
  const busyFrames = framesOf(busy).slice(4);
  print('while a search runs', busyFrames.map(frame));
  print(
    '  wait before a key',
    busyFrames.map(({ delayMilliseconds = 0 }) => delayMilliseconds),
  );
}

function goTo(field: string): readonly string[] {
  return ['/', ...field, '\r'];
}

function frame({ frameMilliseconds = Number.NaN }: TraceLine): number {
  return frameMilliseconds;
}

function cpu({ cpuMilliseconds }: TraceLine): number {
  return cpuMilliseconds;
}

function framesOf(lines: readonly TraceLine[]): readonly TraceLine[] {
  return lines.filter((line) => line.frameMilliseconds !== undefined);
}

function print(title: string, values: readonly number[], cpuValues?: readonly number[]): void {
  const text =
    values.length === 1
      ? `${values[0]?.toFixed(0)} ms`
      : `median ${at(values, 0.5)} ms, 95th percentile ${at(values, 0.95)} ms, most ${at(values, 1)} ms of ${values.length}`;
  const own =
    cpuValues === undefined ? '' : ` (processor time: median ${at(cpuValues, 0.5)}, 95th ${at(cpuValues, 0.95)} ms)`;
  console.log(`  ${title.padEnd(22)}${text}${own}`);
}

function at(values: readonly number[], share: number): string {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN).toFixed(1);
}

async function measured(keys: readonly string[]): Promise<readonly TraceLine[]> {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-bench-'));
  const trace = join(folder, 'trace.jsonl');
  const command = `stty cols 120 rows 40; exec '${process.execPath}' '${bin}' '${example}'`;
  const child = spawn('script', ['-qfec', command, '/dev/null'], {
    env: { ...process.env, LANG: 'C.UTF-8', TERM: 'xterm-256color', XDG_STATE_HOME: folder, SLIPWAY_TUI_TRACE: trace },
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  await waitFor(() => existsSync(trace) && readFileSync(trace, 'utf8').includes('firstFrame'));
  await pause(1500);
  for (const key of keys) {
    child.stdin?.write(key === 'esc' ? '\u001b' : key);
    await pause(pauseMilliseconds);
  }
  await pause(500);
  await quit(child);
  const lines = readFileSync(trace, 'utf8').trim().split('\n');
  rmSync(folder, { recursive: true });
  return lines.map((line) => JSON.parse(line) as TraceLine);
}

async function quit(child: ChildProcess): Promise<void> {
  const ended = new Promise((done) => child.once('exit', done));
  child.stdin?.write(':q!\r');
  await Promise.race([ended, pause(5000)]);
  child.kill();
}

async function waitFor(condition: () => boolean): Promise<void> {
  for (let tries = 0; !condition(); tries++) {
    if (tries > 600) throw new Error('the terminal UI does not start');
    await pause(50);
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((done) => setTimeout(done, milliseconds));
}
