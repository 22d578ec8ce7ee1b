import { listPresets, type PresetKind, readPreset } from '../../scenario/presetFiles.js';
import { presetFacts } from './scenario/presetFacts.js';

/** A preset takes a millisecond to read: while nobody types, a few at a time, so that their list opens at once. */
const atATime = 4;
const pauseMilliseconds = 25;

export function prewarmPresets(): void {
  const waiting = (['models', 'clusters', 'accelerators'] as const).flatMap((kind) =>
    listPresets(kind).map((id): readonly [PresetKind, string] => [kind, id]),
  );
  const next = (): void => {
    for (const [kind, id] of waiting.splice(0, atATime)) presetFacts(kind, readPreset(kind, id));
    if (waiting.length > 0) setTimeout(next, pauseMilliseconds).unref();
  };
  setTimeout(next, pauseMilliseconds).unref();
}
