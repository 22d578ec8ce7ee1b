import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { SlipwayError } from '../errors.js';

/** Writes a file whole or not at all: under a temporary name beside it, then renamed. Ctrl-C waits until that is done. */
export function writeWhole(path: string, text: string): void {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
  const interrupted = (): void => process.exit(130);
  process.once('SIGINT', interrupted);
  try {
    writeFileSync(temporary, text);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw fileError(path, error);
  } finally {
    process.removeListener('SIGINT', interrupted);
  }
}

/** What went wrong with a file that was to be written, in words. */
export function fileError(path: string, error: unknown): SlipwayError {
  if (error instanceof SlipwayError) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
  return new SlipwayError('unreadable-file', `cannot be written: ${reasons[code] ?? code}`, { file: path });
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'no such folder',
  ENOTDIR: 'no such folder',
  EISDIR: 'a folder has that name',
  EACCES: 'no permission',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space left',
  ENAMETOOLONG: 'the name is too long',
};
