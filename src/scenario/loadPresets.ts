import { listPresets, type PresetFile, type PresetKind, readPreset } from './presetFiles.js';

/** All presets of a kind as their files have them, sorted by id. `loadCluster` and `loadModel` give one ready for use. */
export function loadPresets(kind: PresetKind): readonly PresetFile[] {
  return listPresets(kind).map((id) => readPreset(kind, id));
}
