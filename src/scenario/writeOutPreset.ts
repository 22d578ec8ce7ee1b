import { loadModel } from './loadModel.js';
import { type PresetKind, readPreset } from './presetFiles.js';

/** What `--set cluster.networkEfficiency=0.8` changes a part of: the preset's own figures, as a run file would write them. */
export function writeOutPreset(path: readonly string[], name: string, baseDirectory = '.'): object | undefined {
  switch (path.join('.')) {
    case 'model':
      return changed(loadModel(name, baseDirectory));
    case 'cluster':
      return plainPreset('clusters', name);
    case 'cluster.accelerator':
      return plainPreset('accelerators', name);
    default:
      return undefined;
  }
}

function plainPreset(kind: PresetKind, name: string): object {
  const { aliases: _aliases, sources: _sources, ...fields } = Object(plain(readPreset(kind, name).data));
  return changed(fields);
}

/** It is no longer the thing of that name, and nothing may be said of it that was only checked of that. */
function changed(fields: { readonly id?: string; readonly name?: string | undefined }): object {
  const marked = { ...fields, name: `${fields.name ?? 'unnamed'} (changed)` };
  return fields.id === undefined ? marked : { ...marked, id: `${fields.id}-changed` };
}

/** Figures without their provenance. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  if ('value' in value && 'kind' in value) return value.value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, plain(part)]));
}
