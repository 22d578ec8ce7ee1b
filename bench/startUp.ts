/** Start-up of the built command against an empty node, interleaved in one run so that the machine's mood cancels out. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const rounds = 21;
const bin = 'dist/bin/slipway.js';

interface Command {
  readonly title: string;
  readonly arguments: readonly string[];
  /** Allowed time as a multiple of the empty node. */
  readonly limit: number;
}

const commands: readonly Command[] = [
  { title: "node -e ''", arguments: ['-e', ''], limit: 1 },
  { title: 'slipway --help', arguments: [bin, '--help'], limit: 1.7 },
  { title: 'slipway estimate', arguments: [bin, 'estimate', 'examples/llama3-405b.yaml'], limit: 3 },
];

if (!existsSync(bin)) throw new Error(`${bin} is missing; npm run build first`);
const times = new Map<Command, number[]>(commands.map((command) => [command, []]));
for (let round = 0; round < rounds; round += 1) {
  for (const command of commands) times.get(command)?.push(millisecondsOf(command));
}
report();

function report(): void {
  const empty = medianOf(commands[0]);
  console.log(`start-up, medians of ${rounds} interleaved rounds`);
  for (const command of commands) {
    const milliseconds = medianOf(command);
    const ratio = milliseconds / empty;
    const verdict = ratio <= command.limit ? '' : `  above the limit of ${command.limit}`;
    console.log(
      `  ${command.title.padEnd(20)}${milliseconds.toFixed(0).padStart(5)} ms ${ratio.toFixed(2)}x${verdict}`,
    );
    if (verdict !== '') process.exitCode = 1;
  }
}

function medianOf(command: Command | undefined): number {
  const sorted = (command === undefined ? [] : (times.get(command) ?? [])).toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function millisecondsOf({ title, arguments: words }: Command): number {
  const started = performance.now();
  const { status, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' });
  const milliseconds = performance.now() - started;
  if (status !== 0 && status !== 1) throw new Error(`${title} exits ${status}: ${stderr}`);
  return milliseconds;
}
