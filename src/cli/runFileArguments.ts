import { SlipwayError } from '../errors.js';
import { type RunFileSource, readRunFile } from '../scenario/loadScenario.js';
import { textOf } from '../scenario/readText.js';
import { runFileLimits } from '../scenario/runFileText.js';
import { type Override, parseOverride, parseValue } from '../scenario/setPath.js';
import { flagName, type RunFileFlag, runFileFlags } from './flags.js';

/** What commander hands over: flag values by camelCase name, still texts. */
export type FlagValues = Readonly<Record<string, unknown>>;

/** The run file named on the command line, `-` for standard input, or none. */
export function sourceOf(file: string | undefined): RunFileSource | undefined {
  if (file === undefined) return undefined;
  return file === '-' ? { text: textOf(0, file, runFileLimits), file } : readRunFile(file);
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

/** Refuses a command that names neither a run file nor anything of a run. */
export function requireRun(file: string | undefined, overrides: readonly Override[]): void {
  if (file !== undefined || overrides.length > 0) return;
  const message = 'no run file; give one, or --model and --cluster, or `-` for standard input';
  throw new SlipwayError('invalid-run-file', message);
}

function flagValue(flag: RunFileFlag, given: unknown): unknown {
  if (typeof given !== 'string') return given;
  if (flag.kind === 'list' && !given.startsWith('[')) return given.split(',').map((part) => parseValue(part.trim()));
  // A version such as 25.04 stays text; only an inline model or cluster is more than that.
  if (flag.kind === 'text') return given.startsWith('{') ? parseValue(given) : given;
  return flag.kind === 'choice' ? given : parseValue(given);
}

function camelCase(name: string): string {
  return name.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
