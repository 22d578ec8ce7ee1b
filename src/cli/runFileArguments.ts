import { readSync } from 'node:fs';
import { SlipwayError } from '../errors.js';
import { type RunFileSource, readRunFile } from '../scenario/loadScenario.js';
import { MOST_RUN_FILE_BYTES, tooLarge } from '../scenario/runFileText.js';
import { type Override, parseOverride, parseValue } from '../scenario/setPath.js';
import { flagName, type RunFileFlag, runFileFlags } from './flags.js';

/** What commander hands over: flag values by camelCase name, still texts. */
export type FlagValues = Readonly<Record<string, unknown>>;

/** The run file named on the command line, `-` for standard input, or none. */
export function sourceOf(file: string | undefined): RunFileSource | undefined {
  if (file === undefined) return undefined;
  return file === '-' ? { text: standardInput(), file } : readRunFile(file);
}

/** Flags and `--set`, in the order in which they win: `--set` last. */
export function overridesOf(flags: FlagValues): readonly Override[] {
  const named = runFileFlags.flatMap((flag) => {
    const given = flags[camelCase(flagName(flag))] ?? (flag.alias === undefined ? undefined : flags[flag.alias]);
    return given === undefined ? [] : [{ path: flag.key.split('.'), value: flagValue(flag, given) }];
  });
  const set = Array.isArray(flags.set) ? flags.set.map((assignment) => parseOverride(String(assignment))) : [];
  return [...named, ...set];
}

function flagValue(flag: RunFileFlag, given: unknown): unknown {
  if (typeof given !== 'string') return given;
  if (flag.kind === 'list') return given.split(',').map((part) => parseValue(part.trim()));
  // A version such as 25.04 stays text; only an inline model or cluster is more than that.
  if (flag.kind === 'text') return given.startsWith('{') ? parseValue(given) : given;
  return flag.kind === 'choice' ? given : parseValue(given);
}

function camelCase(name: string): string {
  return name.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function standardInput(): string {
  const chunks: Buffer[] = [];
  let total = 0;
  for (;;) {
    const chunk = Buffer.alloc(65_536);
    const read = readChunk(chunk);
    if (read === 0) return Buffer.concat(chunks).toString('utf8');
    total += read;
    if (total > MOST_RUN_FILE_BYTES) throw tooLarge('-', total);
    chunks.push(chunk.subarray(0, read));
  }
}

function readChunk(chunk: Buffer): number {
  for (;;) {
    try {
      return readSync(0, chunk);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : '';
      if (code === 'EOF') return 0;
      if (code !== 'EAGAIN')
        throw new SlipwayError('unreadable-file', `cannot be read (${String(code)})`, { file: '-' });
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}
