import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { SlipwayError } from '../errors.js';
import { nearest } from '../quantity/nearest.js';
import { listProfiles, readProfile } from './clusterProfiles.js';

export type PresetKind = 'models' | 'accelerators' | 'clusters' | 'frameworks';

export interface PresetFile {
  /** The file's name; an alias asked for is replaced by it. */
  readonly id: string;
  /** Full path. */
  readonly file: string;
  /** As written; the caller's schema checks it. */
  readonly data: unknown;
  /** From `npm run build`, which wrote what the schema had accepted: no need to check it at every start. */
  readonly compiled: boolean;
  /** The user's own profile, written as in a run file. */
  readonly own?: true;
}

const singular: Readonly<Record<PresetKind, string>> = {
  models: 'model',
  accelerators: 'accelerator',
  clusters: 'cluster',
  frameworks: 'framework',
};

/** Reads one preset. Only a name that is no file's makes it look through all aliases of the kind. */
export function readPreset(kind: PresetKind, name: string): PresetFile {
  const exact = isFileName(name) ? tryRead(kind, name) : undefined;
  return exact ?? readByAlias(kind, name) ?? ownCluster(kind, name) ?? unknown(kind, name);
}

/** A cluster that `slipway calibrate` saved. */
function ownCluster(kind: PresetKind, name: string): PresetFile | undefined {
  const profile = kind === 'clusters' ? readProfile(name) : undefined;
  return profile === undefined ? undefined : { id: name, ...profile, compiled: false, own: true };
}

/** Ids of all presets of a kind, sorted. */
export function listPresets(kind: PresetKind): string[] {
  return filesBelow(join(presetsFolder(), kind))
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => file.slice(0, -'.yaml'.length))
    .sort();
}

/** No file system takes a longer one, and no preset has one. */
const LONGEST_NAME = 100;

/** Ids never leave their folder: no separators, no leading dot. */
function isFileName(name: string): boolean {
  return name.length <= LONGEST_NAME && /^[a-z0-9][\w.+-]*$/.test(name);
}

function tryRead(kind: PresetKind, id: string): PresetFile | undefined {
  const file = fileOf(kind, id);
  const compiled = readIfThere(join(compiledFolder, kind, `${id}.json`));
  if (compiled !== undefined) return { id, file, data: JSON.parse(compiled), compiled: true };
  const text = readIfThere(file);
  return text === undefined ? undefined : { id, file, data: parsed(text, file), compiled: false };
}

/** `npm run build` leaves every preset as JSON beside the built code, half of the start-up time; sources read the YAML. */
const compiledFolder = join(dirname(fileURLToPath(import.meta.url)), '..', 'presets');

function fileOf(kind: PresetKind, id: string): string {
  return join(presetsFolder(), kind, `${id}.yaml`);
}

function readByAlias(kind: PresetKind, name: string): PresetFile | undefined {
  const wanted = name.toLowerCase();
  for (const id of listPresets(kind)) {
    const file = fileOf(kind, id);
    const text = readIfThere(file);
    // Parsing takes a hundred times as long as this look, and most files do not hold the word at all.
    if (!text?.toLowerCase().includes(wanted)) continue;
    const preset = { id, file, data: parsed(text, file), compiled: false };
    if (namesOf(preset).some((known) => known.toLowerCase() === wanted)) return preset;
  }
  return undefined;
}

function namesOf({ id, data }: PresetFile): string[] {
  const aliases = typeof data === 'object' && data !== null && 'aliases' in data ? data.aliases : [];
  return [id, ...(Array.isArray(aliases) ? aliases.map(String) : [])];
}

/** Ids and aliases of all presets of a kind. */
export function namesOfPresets(kind: PresetKind): string[] {
  return listPresets(kind).flatMap((id) => {
    const preset = tryRead(kind, id);
    return preset ? namesOf(preset) : [];
  });
}

function unknown(kind: PresetKind, name: string): never {
  const known = [...namesOfPresets(kind), ...(kind === 'clusters' ? listProfiles() : [])];
  const suggestion = nearest(name, known);
  const wayOut =
    suggestion === undefined ? `\`slipway presets list\` names all ${known.length}` : `did you mean ${suggestion}?`;
  throw new SlipwayError('unknown-preset', `no ${singular[kind]} preset is called '${shortened(name)}'; ${wayOut}`, {
    key: singular[kind],
    ...(suggestion === undefined ? {} : { suggestion }),
  });
}

function shortened(name: string): string {
  return name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME)}...` : name;
}

function parsed(text: string, file: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    throw new SlipwayError('invalid-syntax', error instanceof Error ? error.message : String(error), { file });
  }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw new SlipwayError('unreadable-file', `cannot read ${file}: ${String(error)}`, { file });
  }
}

/** A kind that ships no presets has an empty folder or none. */
function filesBelow(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

let folder: string | undefined;

/** The package's presets/, wherever this code runs from: src/, dist/ or the one bundled file in dist/bin/. */
function presetsFolder(): string {
  folder ??= join(packageRoot(dirname(fileURLToPath(import.meta.url))), 'presets');
  return folder;
}

function packageRoot(from: string): string {
  const text = readIfThere(join(from, 'package.json'));
  if (text !== undefined && /"name":\s*"slipway"/.test(text)) return from;
  const parent = dirname(from);
  if (parent === from)
    throw new SlipwayError('unreadable-file', 'the presets folder of slipway is missing; install it again');
  return packageRoot(parent);
}
