import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { SlipwayError } from '../errors.js';

/** What a file may be, in the words of the message that refuses it. */
export interface FileLimits {
  readonly mostBytes: number;
  /** Such as `a run file`. */
  readonly what: string;
}

/**
 * The text of a file, pipe or device, without a byte order mark. Stops at the limit, whatever the size claimed: a device
 * has none, and weights given by mistake are gigabytes.
 */
export function readText(path: string, limits: FileLimits): string {
  const descriptor = opened(path);
  try {
    if (fstatSync(descriptor).isDirectory()) {
      throw new SlipwayError('unreadable-file', `a folder, not ${limits.what}`, { file: path });
    }
    return textOf(descriptor, path, limits);
  } finally {
    closeSync(descriptor);
  }
}

/** The same for a descriptor that is open already, such as standard input. */
export function textOf(descriptor: number, path: string, { mostBytes, what }: FileLimits): string {
  const chunks: Buffer[] = [];
  let total = 0;
  for (;;) {
    const chunk = Buffer.alloc(65_536);
    const read = readChunk(descriptor, chunk, path);
    if (read === 0) break;
    total += read;
    if (total > mostBytes) throw tooLarge(path, mostBytes, what);
    chunks.push(chunk.subarray(0, read));
  }
  return Buffer.concat(chunks)
    .toString('utf8')
    .replace(/^\uFEFF/, '');
}

export function tooLarge(file: string, mostBytes: number, what: string): SlipwayError {
  return new SlipwayError('invalid-syntax', `too large for ${what} (at most ${mostBytes / 1e6} MB)`, { file });
}

function opened(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (error) {
    throw unreadable(path, error);
  }
}

function readChunk(descriptor: number, chunk: Buffer, path: string): number {
  for (;;) {
    try {
      return readSync(descriptor, chunk);
    } catch (error) {
      const code = codeOf(error);
      if (code === 'EOF') return 0;
      if (code !== 'EAGAIN') throw unreadable(path, error);
      // A pipe whose writer is slow; nothing to do but look again.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  ENOTDIR: 'no such file',
  ENAMETOOLONG: 'no such file',
  EACCES: 'no permission to read it',
};

function unreadable(file: string, error: unknown): SlipwayError {
  const code = codeOf(error);
  return new SlipwayError('unreadable-file', reasons[code] ?? `cannot be read (${code})`, { file });
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
