/**
 * `node tools/warmUp.mjs dist/bin/commands.js`, part of the build: runs the bundle on the example, an estimate and the first frame of the
 * terminal UI, and keeps the compiled code of all functions that this called. Plain JavaScript, for it runs without tsx, whose flags would
 * make V8 refuse the code.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Script } from 'node:vm';

const bundle = resolve(process.argv[2] ?? 'dist/bin/commands.js');
const folder = mkdtempSync(join(tmpdir(), 'slipway-warm-up-'));
const trace = join(folder, 'trace.jsonl');
Object.assign(process.env, { XDG_STATE_HOME: folder, SLIPWAY_TUI_TRACE: trace, TERM: 'xterm-256color' });

// As src/cli/launch.ts runs it.
const source = `(function (require, __filename, loadModule) {${readFileSync(bundle, 'latin1')}\n})`;
const script = new Script(source, { filename: bundle });
run('estimate', join(import.meta.dirname, '../examples/llama3-405b.yaml'));
process.once('beforeExit', openTui);

function run(...words) {
  process.argv = [process.execPath, bundle, ...words];
  script.runInThisContext()(createRequire(bundle), bundle, (name) => import(new URL(name, pathToFileURL(bundle))));
}

/** Without a terminal: what is drawn goes nowhere. */
function openTui() {
  for (const stream of [process.stdin, process.stdout]) Object.defineProperty(stream, 'isTTY', { value: true });
  Object.assign(process.stdin, { setRawMode: () => process.stdin, ref: () => process.stdin, unref: () => process.stdin });
  run('tui');
  setTimeout(finish, 5, 2000);
}

function finish(tries) {
  const drawn = existsSync(trace) && readFileSync(trace, 'utf8').includes('firstFrame');
  if (!drawn && tries > 0) {
    setTimeout(finish, 5, tries - 1);
    return;
  }
  if (!drawn) throw new Error('the terminal UI draws nothing');
  writeFileSync(`${bundle}.${process.version}-${process.arch}`, script.createCachedData());
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  process.exit(0);
}
