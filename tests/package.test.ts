import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { examplePath } from '../src/cli/packageRoot.js';

const root = fileURLToPath(new URL('..', import.meta.url));

describe('the packed package', () => {
  let packed: string[] = [];

  beforeAll(() => {
    // Without scripts: building is the build's test, and dist/ need not exist here.
    const output = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    packed = filesOf(JSON.parse(output));
  });

  test('holds the presets of every kind', () => {
    for (const kind of ['models', 'accelerators', 'clusters', 'frameworks']) {
      expect(packed.some((file) => file.startsWith(`presets/${kind}/`))).toBe(true);
    }
  });

  test('holds the measured runs that validate re-runs', () => {
    expect(packed).toContain('validation/korthikanti-2022.jsonl');
    expect(packed).toContain('validation/hagemann-2023.jsonl');
  });

  test('holds its licence, its history and its manual', () => {
    expect(packed).toEqual(expect.arrayContaining(['LICENSE', 'CHANGELOG.md', 'README.md', 'package.json']));
  });

  test('holds no tests, no sources and no tools', () => {
    expect(packed.filter((file) => /^(tests|src|tools|bench|node_modules|\.ci)\/|\.test\./.test(file))).toEqual([]);
  });
});

describe('package.json', () => {
  const manifest = JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as {
    readonly scripts: Readonly<Record<string, string>>;
  };

  test('starts the command itself, which shows an example that is in the repository', () => {
    expect(manifest.scripts.start).toMatch(/node dist\/bin\/slipway\.js$/);
    expect(existsSync(examplePath())).toBe(true);
  });
});

/** npm prints an array of packages, newer ones an object keyed by name. */
function filesOf(output: unknown): string[] {
  const packages = Object.values(output as Record<string, { files: { path: string }[] }>);
  return packages.flatMap(({ files }) => files.map((file) => file.path));
}
