import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CommanderError } from '@commander-js/extra-typings';
import { errorLine } from './errorLine.js';
import { writeError, writeOut } from './output.js';
import { examplePath, packageRoot } from './packageRoot.js';
import { makeProgram } from './program.js';

process.stdout.on('error', () => {});
process.stderr.on('error', () => {});
void main(process.argv.slice(2));

async function main(given: readonly string[]): Promise<void> {
  const program = makeProgram(version(), (code) => {
    process.exitCode = code;
  });
  const commands = program.commands.map((command) => command.name());
  quiet(program);
  try {
    await program.parseAsync([...withCommand(given, [...commands, 'help'])], { from: 'user' });
  } catch (error) {
    process.exitCode = fail(error);
  }
}

/** Every command throws instead of exiting; help goes to stdout, complaints come back as errors. */
function quiet(command: ReturnType<typeof makeProgram>): void {
  command.exitOverride().configureOutput({ writeOut, writeErr: () => {}, getOutHelpWidth: helpWidth });
  for (const child of command.commands) quiet(child as typeof command);
}

function helpWidth(): number {
  return Math.min(process.stdout.columns || 80, 100);
}

/**
 * No arguments, or only a run file: the terminal UI, and its estimate where there is no terminal. A run file with flags is a
 * question, which `estimate` answers.
 */
function withCommand(given: readonly string[], commands: readonly string[]): readonly string[] {
  const [first, second] = given;
  if (first === undefined) return onTerminal() ? ['tui'] : ['estimate', examplePath()];
  // Commander says nothing about `help nonsense`; about `nonsense` it does.
  if (first === 'help' && second !== undefined && !commands.includes(second)) return [second];
  if (commands.includes(first) || (first.startsWith('-') && first !== '-')) return given;
  const isFile = first === '-' || /\.(ya?ml|json)$|[\\/]/.test(first) || existsSync(first);
  if (!isFile) return given;
  return [first !== '-' && second === undefined && onTerminal() ? 'tui' : 'estimate', ...given];
}

/** Asked only where it matters: opening standard input costs a command that reads none. */
function onTerminal(): boolean {
  return process.stdin.isTTY === true && process.stdout.isTTY === true;
}

function fail(error: unknown): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0;
    if (error.code !== 'commander.help') writeError(`slipway: ${commanderMessage(error.message)}\n`);
    return 2;
  }
  if (process.env.SLIPWAY_DEBUG && error instanceof Error) writeError(`${error.stack}\n`);
  writeError(errorLine(error));
  return 2;
}

/** Commander writes `error: unknown option '--x'` and the suggestion on a second line. */
function commanderMessage(message: string): string {
  return message
    .replace(/^error: /, '')
    .replace(/\n\((Did you mean) (.*)\)$/s, (_, _words: string, guess: string) => `, did you mean ${guess}`)
    .replaceAll(/\s+/g, ' ')
    .replace(/\.$/, '');
}

function version(): string {
  const manifest = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as { version?: string };
  return manifest.version ?? '0.0.0';
}
