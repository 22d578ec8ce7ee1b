import { closeSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Cell } from '../../planner/sweep/figures.js';
import type { Column } from '../../planner/sweep/sweepRows.js';
import { csvHeader, csvLines, jsonLines, type RowLines } from '../../report/sweepLines.js';
import { fileError } from '../writeFile.js';

/** Where the rows of a sweep go. Nothing is seen under the file's own name before `finish`. */
export interface RowSink {
  write(rows: readonly (readonly Cell[])[]): void | Promise<void>;
  finish(): void | Promise<void>;
  /** Removes what was written; the sweep goes on another time. */
  abandon(): void;
}

/** The name under which a file grows. */
export function temporaryName(file: string): string {
  return join(dirname(file), `.${basename(file)}.${process.pid}.tmp`);
}

/** A text file of lines: CSV, or JSON lines with a first line of their own where `head` gives one. */
class TextSink implements RowSink {
  readonly #file: string;
  readonly #temporary: string;
  readonly #lines: RowLines;
  #descriptor: number;

  constructor(file: string, head: string, lines: RowLines) {
    this.#file = file;
    this.#temporary = temporaryName(file);
    this.#lines = lines;
    this.#descriptor = guarded(file, () => openSync(this.#temporary, 'w'));
    this.#append(head);
  }

  write(rows: readonly (readonly Cell[])[]): void {
    this.#append(this.#lines(rows));
  }

  finish(): void {
    guarded(this.#file, () => {
      closeSync(this.#descriptor);
      this.#descriptor = -1;
      renameSync(this.#temporary, this.#file);
    });
  }

  abandon(): void {
    if (this.#descriptor >= 0) closeSync(this.#descriptor);
    this.#descriptor = -1;
    rmSync(this.#temporary, { force: true });
  }

  #append(text: string): void {
    guarded(this.#file, () => writeAll(this.#descriptor, text));
  }
}

export function csvSink(file: string, columns: readonly Column[]): RowSink {
  return new TextSink(file, csvHeader(columns), csvLines);
}

/** `head` is the first line of a shard, by which `merge` knows it. */
export function jsonLinesSink(file: string, columns: readonly Column[], head = ''): RowSink {
  return new TextSink(file, head, jsonLines(columns));
}

/** All of a text, whatever the file system takes at a time. */
export function writeAll(descriptor: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let done = 0; done < bytes.length; ) done += writeSync(descriptor, bytes, done);
}

export function guarded<T>(file: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw fileError(file, error);
  }
}
