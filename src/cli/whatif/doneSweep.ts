import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';
import { SlipwayError } from '../../errors.js';
import { sweepDigest } from '../../planner/sweep/definition.js';
import type { Sweep } from '../../planner/sweep/sweepRows.js';
import { csvHeader } from '../../report/sweepLines.js';
import { LineReader } from './lineReader.js';
import type { OutputFiles } from './whatifFlags.js';

/**
 * Whether the files hold all rows of this very sweep already, so that the same command need not work them out again: files only get their
 * names when they are whole. Every row's id is looked at, and of Parquet the name of the sweep that it was written with. False where the
 * answer rests on a file of the user's, which may have changed since.
 */
export function isDoneSweep({ csv, jsonl, parquet, svg }: OutputFiles, sweep: Sweep): boolean {
  if (svg !== undefined || restsOnFiles(sweep)) return false;
  const checks = [
    jsonl === undefined ? undefined : () => holdsRows(jsonl, undefined, firstJson(sweep), sweep),
    csv === undefined ? undefined : () => holdsRows(csv, csvHeader(sweep.columns), (id) => `${id},`, sweep),
    parquet === undefined ? undefined : () => holdsDigest(parquet, sweep),
  ].filter((check) => check !== undefined);
  return checks.length > 0 && checks.every((check) => check());
}

/** A model or cluster that is a path and not a preset's name. */
function restsOnFiles({ definition: { run, axes } }: Sweep): boolean {
  const names = [
    run.model,
    run.cluster,
    ...axes.flatMap(({ change }) => (change.kind === 'list' ? change.values : [])),
  ];
  return names.some((name) => typeof name === 'string' && /[\\/]|\.(json|ya?ml)$/i.test(name));
}

function firstJson({ columns }: Sweep): (id: string) => string {
  const [, second] = columns;
  return (id) => `{"id":"${id}",${second === undefined ? '' : `${JSON.stringify(second.name)}:`}`;
}

function holdsRows(
  file: string,
  head: string | undefined,
  start: (id: string) => string,
  { grid, columns }: Sweep,
): boolean {
  if (!existsSync(file)) return false;
  const reader = new LineReader(file);
  try {
    if (head !== undefined && `${reader.next()}\n` !== head) return false;
    for (let point = 0; point < grid.points; point++) {
      const line = reader.next();
      if (line?.startsWith(start(grid.id(point))) !== true) return false;
      // The figures are no part of a row's id.
      if (point === 0 && head === undefined && !hasColumns(line, columns)) return false;
    }
    return reader.next() === undefined;
  } finally {
    reader.close();
  }
}

function hasColumns(line: string, columns: Sweep['columns']): boolean {
  try {
    const names = Object.keys(JSON.parse(line) as object);
    return names.length === columns.length && columns.every(({ name }, i) => name === names[i]);
  } catch {
    return false;
  }
}

/** Parquet keeps the sweep's name in its footer, whose length stands in the file's last eight bytes. */
function holdsDigest(file: string, { definition }: Sweep): boolean {
  if (!existsSync(file)) return false;
  let descriptor: number;
  try {
    descriptor = openSync(file, 'r');
  } catch {
    throw new SlipwayError('unreadable-file', 'cannot be read', { file });
  }
  try {
    const { size } = fstatSync(descriptor);
    const end = Buffer.alloc(8);
    if (size < 12 || readSync(descriptor, end, 0, 8, size - 8) < 8 || end.toString('latin1', 4) !== 'PAR1')
      return false;
    const length = Math.min(end.readUInt32LE(0), size - 12);
    const footer = Buffer.alloc(length);
    readSync(descriptor, footer, 0, length, size - 8 - length);
    return footer.includes(sweepDigest(definition));
  } finally {
    closeSync(descriptor);
  }
}
