import { closeSync, createReadStream, existsSync, ftruncateSync, openSync, rmSync } from 'node:fs';
import { SlipwayError } from '../../errors.js';
import type { Cell } from '../../planner/sweep/figures.js';
import { guarded, writeAll } from './rowSink.js';

/** What a journal is of: another question, shard or version has another one. */
export interface JournalHeader {
  readonly sweep: string;
  readonly shard: string;
  readonly points: number;
}

/**
 * Rows that are done, in order, one JSON array a line after a line that says of what: what is left when the command is killed, and where
 * the same command goes on. A line that was cut off in the middle is not a row yet and goes.
 */
export class Journal {
  readonly file: string;
  readonly #descriptor: number;

  private constructor(file: string, descriptor: number) {
    this.file = file;
    this.#descriptor = descriptor;
  }

  /** Opens or begins it; `replay` receives the rows that it holds, some at a time. Throws where it is another sweep's. */
  static async open(
    file: string,
    header: JournalHeader,
    replay: (rows: Cell[][]) => void | Promise<void>,
  ): Promise<{ readonly journal: Journal; readonly rows: number }> {
    const head = `${JSON.stringify(header)}\n`;
    const found = existsSync(file) ? await readJournal(file, head, replay) : { rows: 0, bytes: 0 };
    const descriptor = guarded(file, () => openSync(file, found.bytes > 0 ? 'r+' : 'w'));
    guarded(file, () => ftruncateSync(descriptor, found.bytes));
    closeSync(descriptor);
    const journal = new Journal(
      file,
      guarded(file, () => openSync(file, 'a')),
    );
    if (found.bytes === 0) journal.append(head);
    return { journal, rows: found.rows };
  }

  /** Whole lines only. */
  append(lines: string): void {
    guarded(this.file, () => writeAll(this.#descriptor, lines));
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  /** When its rows are in files of their own. */
  remove(): void {
    this.close();
    rmSync(this.file, { force: true });
  }
}

/** Rows and bytes of the whole lines. A first line that was cut off makes an empty journal. */
async function readJournal(
  file: string,
  head: string,
  replay: (rows: Cell[][]) => void | Promise<void>,
): Promise<{ readonly rows: number; readonly bytes: number }> {
  let rows = 0;
  let bytes = 0;
  let rest = Buffer.alloc(0);
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) {
    const data = Buffer.concat([rest, chunk as Buffer]);
    const end = data.lastIndexOf(0x0a) + 1;
    rest = data.subarray(end);
    let text = data.toString('utf8', 0, end);
    if (bytes === 0 && end > 0) {
      const first = text.slice(0, text.indexOf('\n') + 1);
      if (first !== head) throw anotherSweep(file);
      text = text.slice(first.length);
    }
    bytes += end;
    const whole = text === '' ? [] : parsedLines(text, file);
    rows += whole.length;
    if (whole.length > 0) await replay(whole);
  }
  return { rows, bytes };
}

function parsedLines(text: string, file: string): Cell[][] {
  try {
    return JSON.parse(`[${text.trimEnd().replaceAll('\n', ',')}]`) as Cell[][];
  } catch {
    throw new SlipwayError('invalid-syntax', 'is damaged; remove it to begin anew', { file });
  }
}

function anotherSweep(file: string): SlipwayError {
  const message =
    'holds the first rows of another sweep, or of another version of slipway; remove it, or name another output';
  return new SlipwayError('unsupported', message, { file });
}
