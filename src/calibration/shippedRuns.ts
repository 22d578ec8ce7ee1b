import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { invariant } from '../errors.js';
import { type MeasuredRun, parseRuns } from './runs.js';

/** Every published run that ships with the package: `validation/*.jsonl`, one file a family. */
export function loadShippedRuns(): MeasuredRun[] {
  const folder = validationFolder();
  const files = readdirSync(folder).filter((file) => file.endsWith('.jsonl'));
  return files.sort().flatMap((file) => parseRuns(readFileSync(join(folder, file), 'utf8'), `validation/${file}`));
}

/** The same place from the sources (src/calibration), from the library (dist/calibration) and from the bundle (dist/bin). */
export function validationFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'validation')) || !existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    invariant(parent !== folder, 'the package lacks its folder validation/');
    folder = parent;
  }
  return join(folder, 'validation');
}
