/**
 * `npm run build`: the library and its types with tsc into dist/, the command with esbuild into dist/bin/.
 * `npm run build:bin` makes only the command, in a fraction of a second; `--out folder` somewhere else, for tests of the real thing.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { parse } from 'yaml';
import type { z } from 'zod';
import { acceleratorFileSchema } from '../src/hardware/acceleratorSchema.js';
import { clusterFileSchema } from '../src/hardware/clusterSchema.js';
import { modelPresetSchema } from '../src/model/modelPresetSchema.js';
import { frameworkFileSchema } from '../src/scenario/frameworkSchema.js';

const schemas = new Map<string, z.ZodType>([
  ['models', modelPresetSchema],
  ['accelerators', acceleratorFileSchema()],
  ['clusters', clusterFileSchema()],
  ['frameworks', frameworkFileSchema()],
]);

const root = fileURLToPath(new URL('..', import.meta.url));
const outAt = process.argv.indexOf('--out');
const dist = outAt < 0 ? join(root, 'dist') : resolve(process.argv[outAt + 1] ?? 'dist');

function buildLibrary(): void {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(1);
}

/**
 * The presets once more as JSON, checked by their schemas here and not again at every start: YAML takes forty times as long to parse, and
 * parsing and checking are half of the time of an estimate.
 */
function compilePresets(): void {
  const presets = join(root, 'presets');
  for (const path of readdirSync(presets, { recursive: true, encoding: 'utf8' })) {
    if (!path.endsWith('.yaml')) continue;
    const file = join(dist, 'presets', path.replace(/yaml$/, 'json'));
    mkdirSync(dirname(file), { recursive: true });
    const schema = schemas.get(dirname(path));
    if (schema === undefined) throw new Error(`presets/${path}: no schema for this folder`);
    const written: unknown = parse(readFileSync(join(presets, path), 'utf8'));
    writeFileSync(file, JSON.stringify(inOrderOf(written, schema.parse(written))));
  }
}

/** A schema hands its keys back in its own order; `presets show` shows them in the file's. */
function inOrderOf(written: unknown, checked: unknown): unknown {
  if (!isObject(written) || !isObject(checked)) return checked;
  const keys = [...Object.keys(written).filter((key) => key in checked), ...Object.keys(checked)];
  return Object.fromEntries([...new Set(keys)].map((key) => [key, inOrderOf(written[key], checked[key])]));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const common = {
  absWorkingDir: root,
  outdir: join(dist, 'bin'),
  bundle: true,
  platform: 'node',
  target: 'node20',
  // Half the bytes to read at start-up; names stay, for readable crash reports.
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  logLevel: 'warning',
  jsx: 'automatic',
  define: { 'process.env.NODE_ENV': '"production"' },
} as const satisfies BuildOptions;

/** Packages that few questions need, and what starts threads: modules of their own, loaded where they are used. */
const apart: Readonly<Record<string, string>> = {
  'slipway-worker': 'src/cli/tui/work/worker.ts',
  whatifWorker: 'src/cli/whatif/whatifWorker.ts',
  mount: 'src/cli/tui/mount.tsx',
  mathjs: 'mathjs/number',
  'hyparquet-writer': 'hyparquet-writer',
};

async function buildModules(): Promise<void> {
  await build({
    ...common,
    entryPoints: { ...apart },
    splitting: true,
    format: 'esm',
    outExtension: { '.js': '.mjs' },
    // It starts its own threads from files beside it.
    external: ['tinypool'],
    plugins: [englishOnly, withoutDevtools],
    // Bundled CommonJS packages still ask for Node's own modules through require.
    banner: {
      js: "import { createRequire as createRequireOfNode } from 'node:module';\nconst require = createRequireOfNode(import.meta.url);",
    },
  });
}

/**
 * All commands as one script, whose compiled code can be kept: see src/cli/launch.ts. What a command does not use is not run, and V8 does
 * not compile it either.
 */
async function buildCommands(): Promise<void> {
  await build({
    ...common,
    entryPoints: { commands: 'src/cli/main.ts', slipway: 'src/cli/launch.ts' },
    format: 'cjs',
    external: ['tinypool'],
    plugins: [englishOnly, modulesApart, withoutProcesses],
    define: { ...common.define, 'import.meta.url': 'urlOfThisFile' },
    banner: {
      js: `const urlOfThisFile = require('node:url').pathToFileURL(__filename).href;
const ${load} = typeof loadModule === 'undefined' ? (name) => import(name) : loadModule;`,
    },
  });
  throughLoader(join(dist, 'bin/commands.js'));
  // Node starts a script a tenth faster than a module.
  writeFileSync(join(dist, 'bin/package.json'), '{ "type": "commonjs" }\n');
  makeExecutable(join(dist, 'bin/slipway.js'));
  const { status, stderr } = spawnSync(process.execPath, [
    join(root, 'tools/warmUp.mjs'),
    join(dist, 'bin/commands.js'),
  ]);
  if (status !== 0) throw new Error(`the commands do not run: ${stderr}`);
}

const load = 'loadModuleApart';

/** A script that was compiled before cannot import; what runs it can. */
function throughLoader(file: string): void {
  const code = readFileSync(file, 'utf8');
  writeFileSync(file, code.replaceAll(/\bawait import\((?="[\w./-]+"\))/g, `await ${load}(`));
}

/** What the modules apart hold is not bundled once more. */
const modulesApart: Plugin = {
  name: 'modules-apart',
  setup({ onResolve }) {
    const names = new Map(Object.entries(apart).map(([name, source]) => [source, name]));
    onResolve({ filter: /./ }, ({ kind, path, resolveDir }) => {
      if (kind !== 'dynamic-import') return undefined;
      const source = path.startsWith('.') ? relative(root, join(resolveDir, path)).replace(/\.js$/, '.tsx') : path;
      const name = names.get(source);
      return name === undefined ? undefined : { path: `./${name}.mjs`, external: true };
    });
  },
};

/** zod's namespace object holds its messages in fifty languages, a third of the bundle; only English is ever used. */
const englishOnly: Plugin = {
  name: 'english-only',
  setup({ onResolve }) {
    onResolve({ filter: /\/locales\/index\.js$/ }, ({ path, importer }) =>
      importer.includes('/node_modules/zod/') ? { path: join(dirname(importer), dirname(path), 'en.js') } : undefined,
    );
  },
};

/** Ink looks for React's developer tools when DEV is set; they are no dependency of ours. */
const withoutDevtools: Plugin = {
  name: 'without-devtools',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^react-devtools-core$/ }, () => ({ path: 'react-devtools-core', namespace: 'nothing' }));
    onLoad({ filter: /.*/, namespace: 'nothing' }, () => ({ contents: 'export default {};', loader: 'js' }));
  },
};

/** Commander loads what starts processes, a twentieth of a start, for commands in files of their own; there are none. */
const withoutProcesses: Plugin = {
  name: 'without-processes',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:child_process$/ }, ({ importer }) =>
      importer.includes('/node_modules/commander/') ? { path: 'processes', namespace: 'none' } : undefined,
    );
    onLoad({ filter: /.*/, namespace: 'none' }, () => ({ contents: 'module.exports = {};', loader: 'js' }));
  },
};

function makeExecutable(file: string): void {
  const code = readFileSync(file, 'utf8');
  if (!code.startsWith('#!')) writeFileSync(file, `#!/usr/bin/env node\n${code}`);
  chmodSync(file, 0o755);
}

if (process.argv.includes('--bin')) {
  for (const folder of ['bin', 'presets']) rmSync(join(dist, folder), { recursive: true, force: true });
} else {
  rmSync(dist, { recursive: true, force: true });
  buildLibrary();
}
compilePresets();
await buildModules();
await buildCommands();
