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
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    throw new SlipwayError('unreadable-file', `cannot be written: ${reasons[code] ?? code}`, { file: path });
  } finally {
    process.removeListener('SIGINT', interrupted);
  }
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
