import { dirname } from 'node:path';
import { SlipwayError } from '../errors.js';
import { deriveDegrees } from '../parallelism/degrees.js';
import { checkRunFileWithExpressions } from './parseRunFile.js';
import { readText } from './readText.js';
import { resolveCheckedRun } from './resolveScenario.js';
import type { RunFile } from './runFileSchema.js';
import { parseRunFileText, type RunFileText, runFileLimits } from './runFileText.js';
import type { Scenario } from './scenario.js';
import { type Override, setPaths } from './setPath.js';
import { writeOutPreset } from './writeOutPreset.js';

/** A run file's text and the name that messages give it. */
export interface RunFileSource {
  readonly text: string;
  /** As the user wrote it; `-` for standard input. */
  readonly file: string;
}

/** Reads a run file from disk; a folder, a huge or a missing file is refused. */
export function readRunFile(path: string): RunFileSource {
  return { text: readText(path, runFileLimits), file: path };
}

/** The scenario of a run file on disk, `overrides` (flags, `--set`) going before what it says. */
export async function loadScenario(path: string, overrides: readonly Override[] = []): Promise<Scenario> {
  return (await loadRun(readRunFile(path), overrides)).scenario;
}

export interface LoadedRun {
  /** The run file as written, checked, with the overrides in it. */
  readonly run: RunFile;
  readonly scenario: Scenario;
}

/**
 * The same for a text that was read already, or for no file at all: everything then comes from the overrides. `openDegrees` is for a
 * search, which chooses the degrees that were left out: their defaults need not divide the batch or the accelerators.
 */
export async function loadRun(
  source: RunFileSource | undefined,
  overrides: readonly Override[] = [],
  { openDegrees = false }: { readonly openDegrees?: boolean } = {},
): Promise<LoadedRun> {
  const text = source === undefined ? nothing : parseRunFileText(source.text, source.file);
  const locate = locator(text, overrides);
  const baseDirectory = baseDirectoryOf(source, overrides);
  try {
    const keys = overrides.map(({ path }) => path.join('.'));
    const value = setPaths(text.value, overrides, (path, name) => writeOutPreset(path, name, { baseDirectory, keys }));
    const run = await checkRunFileWithExpressions(value, locate);
    const scenario = resolveCheckedRun(run, { baseDirectory });
    if (!openDegrees) deriveDegrees(scenario);
    return { run, scenario };
  } catch (error) {
    throw error instanceof SlipwayError ? placed(error, locate) : error;
  }
}

/** A run file as an object with the overrides in it, unchecked; presets of which an override changes a part are written out. */
export function writtenRun(
  source: RunFileSource | undefined,
  overrides: readonly Override[] = [],
): Record<string, unknown> {
  const text = source === undefined ? nothing : parseRunFileText(source.text, source.file);
  const baseDirectory = baseDirectoryOf(source, overrides);
  const keys = overrides.map(({ path }) => path.join('.'));
  return setPaths(text.value, overrides, (path, name) => writeOutPreset(path, name, { baseDirectory, keys }));
}

/** Paths in a run file start from its folder, those of flags from where the command runs. */
export function baseDirectoryOf(source: RunFileSource | undefined, overrides: readonly Override[]): string {
  const fromFlag = overrides.some(({ path }) => path.length === 1 && path[0] === 'model');
  return fromFlag || source === undefined || source.file === '-' ? '.' : dirname(source.file);
}

const nothing: RunFileText = { file: '', value: {}, lineOf: () => undefined };

/** A value that an override set is not in the file, so no line of the file is to blame. */
function locator(text: RunFileText, overrides: readonly Override[]) {
  const overridden = new Set(overrides.map(({ path }) => path.join('.')));
  return (path: readonly PropertyKey[]): { file?: string; line?: number } => {
    const set = path.some((_, index) =>
      overridden.has(
        path
          .slice(0, index + 1)
          .map(String)
          .join('.'),
      ),
    );
    if (set || text.file === '') return {};
    const line = text.lineOf(path);
    return line === undefined ? { file: text.file } : { file: text.file, line };
  };
}

/** Errors of later stages know the key; the file and the line are known here. */
function placed(error: SlipwayError, locate: ReturnType<typeof locator>): SlipwayError {
  if (error.place.file !== undefined || error.place.key === undefined) return error;
  return new SlipwayError(error.code, error.message, { ...locate(error.place.key.split('.')), ...error.place });
}
