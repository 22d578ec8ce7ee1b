import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The installed package's folder, from src/cli/ and from the bundle in dist/bin/ alike, which says of itself that it is CommonJS. */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  const isRoot = (): boolean => ['package.json', 'presets'].every((name) => existsSync(join(folder, name)));
  while (!isRoot() && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}

/** The run file that is shown to somebody who has named none. */
export function examplePath(): string {
  return join(packageRoot(), 'examples/llama3-405b.yaml');
}
