/**
 * `slipway` as it is installed: runs the bundle of all commands from compiled code. Compiling it would take as long as an estimate.
 * The build leaves the code of the Node that it ran on beside the bundle; another Node compiles once into its own cache (22.1 and later), or
 * at every start.
 */
import { readFileSync } from 'node:fs';
import * as modules from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';

const bundle = join(dirname(fileURLToPath(import.meta.url)), 'commands.js');
const require = modules.createRequire(bundle);
const code = compiledCode();
if (code === undefined) {
  // Not in the types of Node 20.
  (modules as { readonly enableCompileCache?: () => void }).enableCompileCache?.();
  require(bundle);
} else {
  run(code);
}

function compiledCode(): Buffer | undefined {
  try {
    return readFileSync(`${bundle}.${process.version}-${process.arch}`);
  } catch {
    return undefined;
  }
}

/** As `require` would; code that V8 does not take, being started with other flags, is compiled anew. */
function run(cachedData: Buffer): void {
  const source = readFileSync(bundle, 'latin1');
  const script = new Script(`(function (require, __filename, loadModule) {${source}\n})`, {
    filename: bundle,
    cachedData,
  });
  const start = script.runInThisContext() as (...given: unknown[]) => void;
  start(require, bundle, (name: string) => import(name));
}
