import { spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const tsx = join(root, 'node_modules/tsx/dist/cli.mjs');

/** Runs the command from its sources in a child process, as a user would. */
export function slipway(args: readonly string[], options: { input?: string; env?: NodeJS.ProcessEnv } = {}): Ran {
  const { status, stdout, stderr } = spawnSync(process.execPath, [tsx, join(root, 'src/cli/main.ts'), ...args], {
    cwd: root,
    encoding: 'utf8',
    input: options.input ?? '',
    env: { ...process.env, NO_COLOR: '', ...options.env },
  });
  return { status, stdout, stderr };
}

/** A file of that content in a folder of its own. */
export function temporaryFile(name: string, content: string | Buffer): string {
  const file = join(mkdtempSync(join(tmpdir(), 'slipway-')), name);
  writeFileSync(file, content);
  return file;
}
