import { parse } from 'yaml';
import { SlipwayError } from '../errors.js';

/** One value of the run file given outside of it: `--tensor-parallel 8`, `--set model.numLayers=48`. */
export interface Override {
  readonly path: readonly string[];
  readonly value: unknown;
}

/** Reads `strategy.tensorParallel=8`. Numbers, booleans, null, lists and objects are YAML; anything else is text. */
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
  if (text === 'true' || text === 'false') return text === 'true';
  if (text === 'null') return null;
  if (/^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(text)) return Number(text);
  return /^[[{]/.test(text) ? parseFlow(text) : text;
}

/** YAML rather than JSON, because quotes inside quotes are a nuisance in a shell. */
function parseFlow(text: string): unknown {
  try {
    return parse(text, { logLevel: 'error' }) as unknown;
  } catch {
    throw new SlipwayError('invalid-run-file', `'${text}' is not a list or an object in YAML or JSON`);
  }
}

/** The keys and values behind a preset's name, so that one of them can be changed. */
export type WriteOut = (path: readonly string[], name: string) => object | undefined;

/** A copy of the run file with the overrides in it, later ones winning. The original is not touched. */
export function setPaths(
  value: Readonly<Record<string, unknown>>,
  overrides: readonly Override[],
  writeOut: WriteOut = () => undefined,
): Record<string, unknown> {
  return overrides.reduce<Record<string, unknown>>(
    (run, { path, value: set }) => setPath(run, { path, depth: 0, value: set, writeOut }),
    { ...value },
  );
}

interface Assignment extends Override {
  readonly depth: number;
  readonly writeOut: WriteOut;
}

function setPath(target: unknown, assignment: Assignment): Record<string, unknown> {
  const { path, depth, value, writeOut } = assignment;
  const written = typeof target === 'string' ? writeOut(path.slice(0, depth), target) : target;
  const object = typeof written === 'object' && written !== null && !Array.isArray(written) ? written : {};
  const fields = object as Record<string, unknown>;
  const step = path[depth] ?? '';
  const last = depth === path.length - 1;
  return { ...fields, [step]: last ? value : setPath(fields[step], { ...assignment, depth: depth + 1 }) };
}
