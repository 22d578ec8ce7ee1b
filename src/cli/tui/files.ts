import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseRunFile } from '../../index.js';
import { readRunFile } from '../../scenario/loadScenario.js';
import { parseRunFileText } from '../../scenario/runFileText.js';
import { writeWhole } from '../writeFile.js';
import { runFileText } from './runFileWriting.js';
import { hasExpression, type RunValue } from './scenario/runValue.js';

export interface OpenedRun {
  readonly path: string;
  readonly run: RunValue;
  readonly baseDirectory: string;
}

/** Reads a run file as it is written. Expressions in it are worked out once, here: from then on every key must answer at once. */
export async function openRunFile(given: string): Promise<OpenedRun> {
  const path = fromHome(given);
  return { path, run: await readRun(readRunFile(path).text, path), baseDirectory: dirname(path) };
}

/** The text of a run file as it is written, once it is known to be one. `name` only serves messages. */
export async function readRun(text: string, name: string): Promise<RunValue> {
  const { value } = parseRunFileText(text, name);
  const checked = await parseRunFile(text, name);
  return hasExpression(value) ? (checked as RunValue) : value;
}

/** Writes the run whole or not at all, keeping the comments of a file that was there. */
export function saveRunFile(given: string, run: RunValue): string {
  const path = fromHome(given);
  writeWhole(path, runFileText(run, path, existsSync(path) ? readFileSync(path, 'utf8') : undefined));
  return path;
}

/** `~/runs/a.yaml`, as a shell would have it. */
export function fromHome(path: string): string {
  return path.startsWith('~/') ? join(homedir(), path.slice(2)) : path;
}
