/**
 * `npm run check:presets`: file name = id, ids and aliases unique within a kind, no two presets with the same data
 * under different names; models may share a shape (Llama 1 and 2) where each names its own source. The schemas
 * themselves are the tests' business.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

interface Preset {
  readonly file: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** What says where a preset comes from. */
const origins = new Set(['source', 'sources', 'url', 'published']);
/** What names a preset or says where it comes from; two presets that differ only in these are one. */
const labels = new Set(['id', 'name', 'aliases', 'source', 'sources', 'url', 'notes', 'note', 'year', 'published']);

const root = fileURLToPath(new URL('../presets', import.meta.url));
const kinds = readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isDirectory());
const problems = kinds.flatMap((kind) => problemsOf(readPresets(kind.name)));

for (const problem of problems) console.error(problem);
process.exitCode = problems.length === 0 ? 0 : 1;

function readPresets(kind: string): Preset[] {
  const files = readdirSync(join(root, kind)).filter((file) => file.endsWith('.yaml'));
  return files.sort().map((file) => ({
    file: `presets/${kind}/${file}`,
    data: parse(readFileSync(join(root, kind, file), 'utf8')) as Record<string, unknown>,
  }));
}

function problemsOf(presets: readonly Preset[]): string[] {
  return [...wrongIds(presets), ...sharedNames(presets), ...sharedData(presets)];
}

/** A preset without an `id` takes its file's name. */
function wrongIds(presets: readonly Preset[]): string[] {
  return presets
    .filter(({ file, data }) => data.id !== undefined && data.id !== idOf(file))
    .map(({ file, data }) => `${file}: id is ${String(data.id)}; the file name says ${idOf(file)}`);
}

function sharedNames(presets: readonly Preset[]): string[] {
  const names = presets.flatMap(({ file, data }) => {
    const aliases = Array.isArray(data.aliases) ? data.aliases.map(String) : [];
    return [idOf(file), ...aliases].map((name) => [name.toLowerCase(), file] as const);
  });
  return collisions(names).map(([name, files]) => `${files.join(', ')}: all answer to ${name}`);
}

function sharedData(presets: readonly Preset[]): string[] {
  const contents = presets.map(({ file, data }) => {
    const origin = file.startsWith('presets/models/') ? [...origins].map((key) => data[key]) : [];
    return [JSON.stringify([withoutLabels(data), origin]), file] as const;
  });
  return collisions(contents).map(([, files]) => `${files.join(', ')}: hold the same data; make one an alias`);
}

function withoutLabels(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutLabels);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([key]) => !labels.has(key));
  return Object.fromEntries(
    entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, part]) => [key, withoutLabels(part)]),
  );
}

function collisions(pairs: readonly (readonly [string, string])[]): [string, string[]][] {
  const groups = new Map<string, string[]>();
  for (const [key, file] of pairs) groups.set(key, [...(groups.get(key) ?? []), file]);
  return [...groups].filter(([, files]) => files.length > 1);
}

function idOf(file: string): string {
  return basename(file, '.yaml');
}
