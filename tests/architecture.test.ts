import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

/** From the bottom up. A folder imports from itself and from lower rows; folders of one row do not know each other. */
const layers: readonly (readonly string[])[] = [
  ['errors'],
  ['quantity'],
  ['model', 'hardware'],
  ['parallelism'],
  ['interop'],
  ['scenario'],
  ['memory'],
  ['simulation'],
  ['uncertainty'],
  ['training'],
  ['planner', 'calibration'],
  ['report'],
  ['index'],
  ['cli'],
];

/** The only files below cli/ that touch the disk. */
const fileReaders = [
  'scenario/loadModel.ts',
  'scenario/clusterProfiles.ts',
  'scenario/presetFiles.ts',
  'scenario/readText.ts',
  'calibration/leftOutRuns.ts',
  'calibration/shippedRuns.ts',
];

interface Import {
  readonly file: string;
  /** A path below src/ without extension, or a package name. */
  readonly target: string;
  readonly dynamic: boolean;
  readonly typeOnly: boolean;
}

const source = fileURLToPath(new URL('../src', import.meta.url));
const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .map((file) => file.split(sep).join('/'))
  .filter((file) => /\.tsx?$/.test(file));
const imports = files.flatMap(importsOf);

describe('imports', () => {
  test('point downwards only', () => {
    const upward = imports.filter(
      ({ file, target, typeOnly }) => isOurs(target) && !mayImport(folderOf(file), folderOf(target), typeOnly),
    );
    expect(upward.map(arrow)).toEqual([]);
  });

  test('reach the disk, the process and the network only in the named files', () => {
    const readers = imports.filter(({ file, target }) => isInputOutput(target) && !isEdge(file));
    expect(readers.map(arrow)).toEqual([]);
  });

  test('of mathjs stay in quantity/, and no entry loads it at once', () => {
    const wrong = imports.filter(({ file, target }) => packageOf(target) === 'mathjs' && folderOf(file) !== 'quantity');
    expect(wrong.map(arrow)).toEqual([]);
    const entries = ['index.ts', ...files.filter((file) => folderOf(file) === 'cli')];
    expect(entries.filter((entry) => staticPackages(entry).has('mathjs'))).toEqual([]);
  });

  test('of the library reach nothing heavy and nothing of a terminal', () => {
    const heavy = ['ink', 'react', 'mathjs', 'commander', '@commander-js/extra-typings'];
    const reached = staticPackages('index.ts');
    expect(heavy.filter((name) => reached.has(name))).toEqual([]);
  });

  test('of commander stay in cli/', () => {
    const wrong = imports.filter(({ file, target }) => /commander/.test(target) && folderOf(file) !== 'cli');
    expect(wrong.map(arrow)).toEqual([]);
  });
});

describe('this test', () => {
  test('knows every folder', () => {
    const known = new Set(layers.flat());
    expect([...new Set(files.map(folderOf))].filter((folder) => !known.has(folder))).toEqual([]);
  });

  test('would see a wrong arrow', () => {
    expect(mayImport('model', 'hardware')).toBe(false);
    expect(mayImport('hardware', 'simulation')).toBe(false);
    expect(mayImport('interop', 'simulation')).toBe(false);
    expect(mayImport('interop', 'scenario')).toBe(false);
    expect(mayImport('calibration', 'cli')).toBe(false);
    expect(mayImport('simulation', 'memory')).toBe(true);
  });
});

function mayImport(from: string, to: string, typeOnly = false): boolean {
  if (from === to) return true;
  // A converter writes what a scenario holds; it knows the type and calls nothing.
  if (from === 'interop' && to === 'scenario') return typeOnly;
  return layerOf(to) < layerOf(from);
}

function layerOf(folder: string): number {
  return layers.findIndex((names) => names.includes(folder));
}

/** `src/errors.ts` and `src/index.ts` count as folders of their own. */
function folderOf(path: string): string {
  return (path.split('/')[0] ?? path).replace(/\.tsx?$/, '');
}

function isOurs(target: string): boolean {
  return layerOf(folderOf(target)) >= 0;
}

function isInputOutput(target: string): boolean {
  return /^node:(fs|process|child_process|net|http|https|worker_threads|readline|tty)\b/.test(target);
}

function isEdge(file: string): boolean {
  return folderOf(file) === 'cli' || fileReaders.includes(file);
}

function packageOf(target: string): string {
  const parts = target.split('/');
  return parts.slice(0, target.startsWith('@') ? 2 : 1).join('/');
}

/** Packages that loading a file loads at once, type imports and dynamic imports left out. */
function staticPackages(entry: string): Set<string> {
  const packages = new Set<string>();
  const seen = new Set<string>();
  const queue = [entry];
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    for (const { target, dynamic, typeOnly } of imports.filter((one) => one.file === file)) {
      if (dynamic || typeOnly) continue;
      if (isOurs(target)) queue.push(...files.filter((name) => name.replace(/\.tsx?$/, '') === target));
      else packages.add(packageOf(target));
    }
  }
  return packages;
}

function importsOf(file: string): Import[] {
  const code = readFileSync(join(source, file), 'utf8');
  const statics = [...code.matchAll(/^(?:import|export)\s+(type\s)?[^'";]*?from\s+'([^']+)'/gm)];
  const bare = [...code.matchAll(/^import\s+'([^']+)'/gm)];
  const dynamics = [...code.matchAll(/\bimport\(\s*'([^']+)'/g)];
  return [
    ...statics.map(([, type, to = '']) => ({
      file,
      target: resolve(file, to),
      dynamic: false,
      typeOnly: Boolean(type),
    })),
    ...bare.map(([, to = '']) => ({ file, target: resolve(file, to), dynamic: false, typeOnly: false })),
    ...dynamics.map(([, to = '']) => ({ file, target: resolve(file, to), dynamic: true, typeOnly: false })),
  ];
}

function resolve(file: string, target: string): string {
  if (!target.startsWith('.')) return target;
  const path = relative(source, join(source, dirname(file), target));
  return path
    .split(sep)
    .join('/')
    .replace(/\.jsx?$/, '');
}

function arrow({ file, target }: Import): string {
  return `${file} -> ${target}`;
}
