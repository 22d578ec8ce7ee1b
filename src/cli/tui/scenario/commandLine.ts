import { flagName, runFileFlags } from '../../flags.js';
import { canonical, isFields, type RunValue, writtenAt } from './runValue.js';

/**
 * The command that gives the same estimate outside of the UI: the run file where there is one, and a flag for every value that
 * differs from it. What was taken out of the file again cannot be said by a flag, so then every value is written out.
 */
export function commandLine(run: RunValue, saved: RunValue | undefined, file: string | undefined): string {
  const paths = pathsOf(run);
  const gone = saved === undefined ? [] : pathsOf(saved).filter((path) => !paths.includes(path));
  const fromFile = file !== undefined && saved !== undefined && gone.length === 0;
  const changed = fromFile ? paths.filter((path) => !same(writtenAt(run, path), writtenAt(saved, path))) : paths;
  const words = [
    'slipway',
    'estimate',
    ...(fromFile ? [quoted(file)] : []),
    ...changed.flatMap((path) => flagOf(path, run)),
  ];
  return words.join(' ');
}

/** Dotted keys of all values; an inline model or cluster is one value. */
function pathsOf(run: RunValue): readonly string[] {
  return Object.entries(run).flatMap(([key, value]) =>
    isFields(value) && key !== 'model' && key !== 'cluster'
      ? Object.keys(value).map((child) => `${key}.${child}`)
      : [key],
  );
}

function flagOf(path: string, run: RunValue): readonly string[] {
  const value = writtenAt(run, path);
  const flag = runFileFlags.find(({ key }) => key === path);
  const text = isFields(value) ? JSON.stringify(value) : Array.isArray(value) ? value.join(',') : String(value);
  if (flag === undefined) return ['--set', quoted(`${path}=${text}`)];
  return [`--${flag.alias ?? flagName(flag)}`, quoted(text)];
}

function same(a: unknown, b: unknown): boolean {
  return canonical(a) === canonical(b);
}

/** As a POSIX shell reads it back. */
function quoted(text: string): string {
  return /^[\w./:,+@%=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
