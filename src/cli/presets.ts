import { SlipwayError } from '../errors.js';
import { nearest } from '../quantity/nearest.js';
import { toJson } from '../report/json.js';
import { presetText } from '../report/presetText.js';
import { type TextStyle, tint } from '../report/text.js';
import { listPresets, type PresetFile, type PresetKind, readPreset } from '../scenario/presetFiles.js';
import type { CommandOutput } from './program.js';

const kinds: readonly PresetKind[] = ['models', 'accelerators', 'clusters', 'frameworks'];

interface Flags {
  readonly json?: true | undefined;
}

/** `slipway presets list [kind]` */
export function listAll(kind: string | undefined, flags: Flags, style: TextStyle): CommandOutput {
  const chosen = kind === undefined ? kinds : [kindOf(kind)];
  const entries = chosen.map((one) => [one, listPresets(one).map((id) => ({ id, name: nameOf(one, id) }))] as const);
  if (flags.json) return { text: toJson({ schemaVersion: 1, ...Object.fromEntries(entries) }), exitCode: 0 };
  const sections = entries.map(([one, presets]) => {
    const width = Math.max(...presets.map(({ id }) => id.length), 0);
    return [tint(one, 'bold', style), ...presets.map(({ id, name }) => `  ${id.padEnd(width)}  ${name}`.trimEnd())];
  });
  return { text: `${sections.map((lines) => lines.join('\n')).join('\n\n')}\n`, exitCode: 0 };
}

/** `slipway presets show <name>`: the file, with the full source beside every figure that names one. */
export function show(name: string, flags: Flags, style: TextStyle): CommandOutput {
  const found = kinds.flatMap((one) => withKind(one, name));
  const [first] = found;
  if (first === undefined) throw unknownPreset(name);
  const { kind, id, data } = first;
  const fields = typeof data === 'object' && data !== null ? data : {};
  if (flags.json) return { text: toJson({ schemaVersion: 1, kind, ...fields }), exitCode: 0 };
  const title = tint(`${id}  (presets/${kind}/${id}.yaml)`, 'bold', style);
  return { text: `${title}\n${presetText({ ...fields }, style)}`, exitCode: 0 };
}

/** The preset of that name among one kind, or none. */
function withKind(kind: PresetKind, name: string): readonly (PresetFile & { readonly kind: PresetKind })[] {
  try {
    return [{ ...readPreset(kind, name), kind }];
  } catch (error) {
    if (error instanceof SlipwayError && error.code === 'unknown-preset') return [];
    throw error;
  }
}

function kindOf(text: string): PresetKind {
  const found = kinds.find((kind) => kind === text || kind.slice(0, -1) === text);
  if (found !== undefined) return found;
  const guess = nearest(text, kinds);
  const wayOut = guess === undefined ? `there are ${kinds.join(', ')}` : `did you mean ${guess}?`;
  throw new SlipwayError('unknown-preset', `no presets of the kind '${text}'; ${wayOut}`);
}

function nameOf(kind: PresetKind, id: string): string {
  const { data } = readPreset(kind, id);
  return typeof data === 'object' && data !== null && 'name' in data ? String(data.name) : '';
}

function unknownPreset(name: string): SlipwayError {
  const guess = nearest(
    name,
    kinds.flatMap((kind) => listPresets(kind)),
  );
  const wayOut = guess === undefined ? '`slipway presets list` names all' : `did you mean ${guess}?`;
  return new SlipwayError('unknown-preset', `no preset is called '${name}'; ${wayOut}`);
}
