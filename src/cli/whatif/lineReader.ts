import { closeSync, openSync, readSync } from 'node:fs';
import { SlipwayError } from '../../errors.js';

const CHUNK_BYTES = 65_536;

/** A file's lines one at a time: many files are read side by side, none of them whole. */
export class LineReader {
  readonly file: string;
  readonly #descriptor: number;
  readonly #chunk = Buffer.alloc(CHUNK_BYTES);
  #rest: Buffer = Buffer.alloc(0);
  #ended = false;

  constructor(file: string) {
    this.file = file;
    this.#descriptor = guardedRead(file, () => openSync(file, 'r'));
  }

  /** The next line without its newline; undefined at the end. A last line without a newline was cut off and is none. */
  next(): string | undefined {
    for (;;) {
      const end = this.#rest.indexOf(0x0a);
      if (end >= 0) {
        const line = this.#rest.toString('utf8', 0, end);
        this.#rest = this.#rest.subarray(end + 1);
        return line;
      }
      if (this.#ended) return undefined;
      const read = guardedRead(this.file, () => readSync(this.#descriptor, this.#chunk));
      this.#ended = read === 0;
      this.#rest = Buffer.concat([this.#rest, this.#chunk.subarray(0, read)]);
    }
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

function guardedRead<T>(file: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    const reason =
      code === 'ENOENT' ? 'no such file' : code === 'EISDIR' ? 'a folder, not a shard' : `cannot be read (${code})`;
    throw new SlipwayError('unreadable-file', reason, { file });
  }
}
