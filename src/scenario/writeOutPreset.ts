import { loadModel } from './loadModel.js';
import { type PresetKind, readPreset } from './presetFiles.js';

/** Where the model's path starts, and the dotted keys that are about to change. */
export interface PresetChange {
  readonly baseDirectory?: string;
  readonly keys?: readonly string[];
}

/** What `--set cluster.networkEfficiency=0.8` changes a part of: the preset's own figures, as a run file would write them. */
export function writeOutPreset(path: readonly string[], name: string, change: PresetChange = {}): object | undefined {
  switch (path.join('.')) {
    case 'model':
      return changed(loadModel(name, change.baseDirectory));
    case 'cluster':
      return plainPreset('clusters', name);
    case 'cluster.accelerator':
      return withoutStale(measuredAt(plainPreset('accelerators', name)), change.keys ?? []);
    default:
      return undefined;
  }
}

/** What can be allocated was measured for the memory as sold; for another size only the usual share is known. */
function withoutStale(fields: object, keys: readonly string[]): object {
  if (!keys.includes('cluster.accelerator.memoryBytes')) return fields;
  return Object.fromEntries(Object.entries(fields).filter(([key]) => key !== 'usableMemoryBytes'));
}

/** Its collectives were measured on the link as sold; should that change, they change with it. */
function measuredAt(fields: object): object {
  if (!('collectives' in fields && 'scaleUpBytesPerSecond' in fields)) return fields;
  return { ...fields, collectivesMeasuredAtBytesPerSecond: fields.scaleUpBytesPerSecond };
}

function plainPreset(kind: PresetKind, name: string): object {
  return changed(plainFields(kind, name));
}

/** A preset's figures as a run file would write them, without where they come from. */
export function plainFields(kind: PresetKind, name: string): Readonly<Record<string, unknown>> {
  const { aliases: _aliases, sources: _sources, ...fields } = Object(plain(readPreset(kind, name).data));
  return fields;
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
