import { SlipwayError } from '../errors.js';

/** One value of the run file given outside of it: `--tensor-parallel 8`, `--set model.numLayers=48`. */
export interface Override {
  readonly path: readonly string[];
  readonly value: unknown;
}

/** Reads `strategy.tensorParallel=8`. Numbers, booleans, null, lists and objects are JSON; anything else is text. */
export function parseOverride(assignment: string): Override {
  const at = assignment.indexOf('=');
  const path = assignment.slice(0, Math.max(at, 0)).trim();
  if (at < 1 || !/^[\w-]+(\.[\w-]+)*$/.test(path)) {
    const message = `'${assignment}' is not path=value, such as strategy.tensorParallel=8`;
    throw new SlipwayError('invalid-run-file', message, { key: '--set' });
  }
  return { path: path.split('.'), value: parseValue(assignment.slice(at + 1).trim()) };
}

/** The value that a text on the command line stands for. */
export function parseValue(text: string): unknown {
  if (!/^(true|false|null|-?\d+(\.\d+)?([eE][+-]?\d+)?|[[{].*)$/s.test(text)) return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** A copy of the run file with the overrides in it, later ones winning. The original is not touched. */
export function setPaths(
  value: Readonly<Record<string, unknown>>,
  overrides: readonly Override[],
): Record<string, unknown> {
  return overrides.reduce<Record<string, unknown>>((run, { path, value: set }) => setPath(run, path, set), {
    ...value,
  });
}

function setPath(target: unknown, path: readonly string[], value: unknown): Record<string, unknown> {
  const [step = '', ...rest] = path;
  const object = typeof target === 'object' && target !== null && !Array.isArray(target) ? target : {};
  const fields = object as Record<string, unknown>;
  return { ...fields, [step]: rest.length === 0 ? value : setPath(fields[step], rest, value) };
}
