import { readdirSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { Architecture } from '../../src/model/architecture.js';
import { resolveArchitecture } from '../../src/model/architectureSchema.js';
import { type ModelPreset, modelPresetSchema } from '../../src/model/modelPresetSchema.js';

const folder = new URL('../../presets/models/', import.meta.url);

export interface LoadedPreset {
  readonly id: string;
  readonly preset: ModelPreset;
  readonly architecture: Architecture;
}

/** Every file of presets/models, parsed strictly. */
export const modelPresets: readonly LoadedPreset[] = readdirSync(folder)
  .filter((file) => file.endsWith('.yaml'))
  .map((file) => {
    const preset = modelPresetSchema.parse(parse(readFileSync(new URL(file, folder), 'utf8')));
    const architecture = resolveArchitecture({ name: preset.name, ...preset.architecture });
    return { id: file.replace(/\.yaml$/, ''), preset, architecture };
  });

export function architectureOf(id: string): Architecture {
  const found = modelPresets.find((preset) => preset.id === id);
  if (found === undefined) throw new Error(`no preset ${id}`);
  return found.architecture;
}
