import { type RunFileInput, resolveScenario, SlipwayError } from '../../../index.js';
import { canonical, type RunValue, withValue, writtenAt } from './runValue.js';

/** The run without those of the keys that the framework's defaults would fill in just so: a run file says what was decided. */
export function withoutDefaults(run: RunValue, keys: readonly string[], baseDirectory: string): RunValue {
  const wanted = strategyOf(run, baseDirectory);
  return keys.reduce((kept, key) => {
    if (writtenAt(kept, key) === undefined) return kept;
    const shorter = withValue(kept, key, undefined);
    return strategyOf(shorter, baseDirectory) === wanted ? shorter : kept;
  }, run);
}

/** The strategy that a run comes to, as a text; undefined where it comes to none. */
function strategyOf(run: RunValue, baseDirectory: string): string | undefined {
  try {
    return canonical(resolveScenario(run as RunFileInput, { baseDirectory }).strategy);
  } catch (error) {
    if (error instanceof SlipwayError) return undefined;
    throw error;
  }
}
