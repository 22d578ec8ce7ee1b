import { SlipwayError } from '../../errors.js';
import { nearest } from '../../quantity/nearest.js';
import type { LoadedFramework } from '../../scenario/frameworkDefaults.js';
import { loadFramework } from '../../scenario/frameworkDefaults.js';
import { loadCluster } from '../../scenario/loadHardware.js';
import { checkRunFileWithExpressions } from '../../scenario/parseRunFile.js';
import { loadRunModel, usualFramework } from '../../scenario/resolveScenario.js';
import type { RunFile } from '../../scenario/runFileSchema.js';
import { type Override, setPaths } from '../../scenario/setPath.js';
import { writeOutPreset } from '../../scenario/writeOutPreset.js';
import { type Axis, keyOf } from './axis.js';
import type { SweepDefinition } from './definition.js';
import { mapNumbers, valueAt } from './runPaths.js';

/** Keys that name a thing of its own: what is varied below them starts from each of these things anew. */
const presetKeys = new Set(['model', 'cluster', 'cluster.accelerator', 'framework', 'frameworkVersion']);

export function isPresetAxis(axis: Axis): boolean {
  return presetKeys.has(keyOf(axis));
}

/** One choice of model, cluster, accelerator and framework: the checked run file that all its points share. */
export interface PointContext {
  /** Presets of which a part is varied are written out in it. */
  readonly run: RunFile;
  readonly usual: LoadedFramework;
}

/**
 * The run file with the presets of one combination in it, and with everything written out that the other axes change. Those start from
 * their first value; a relative axis, from the preset's own number. Throws where a preset is unknown or the run file wrong.
 */
export async function pointContext(
  { run, baseDirectory, axes }: SweepDefinition,
  presets: readonly Override[],
): Promise<PointContext> {
  const nested = axes.filter(({ path }) => path.length > 1 && (path[0] === 'model' || path[0] === 'cluster'));
  const below = nested.filter((axis) => !isPresetAxis(axis));
  const keys = below.map(keyOf);
  const write = (path: readonly string[], name: string): object | undefined =>
    writeOutPreset(path, name, { baseDirectory, keys });
  const listed = below.flatMap((axis): Override[] =>
    axis.change.kind === 'list' ? [{ path: axis.path, value: axis.change.values[0] }] : [],
  );
  const sorted = [...presets].sort((a, b) => a.path.length - b.path.length);
  const first = setPaths(run, [...sorted, ...listed], write);
  const relative = below.filter(({ change }) => change.kind !== 'list');
  const written =
    relative.length === 0 ? first : setPaths(first, await ownNumbers(first, relative, baseDirectory), write);
  const checked = await checkRunFileWithExpressions(written);
  return { run: checked, usual: frameworkOf(checked) };
}

export function frameworkOf(run: RunFile): LoadedFramework {
  const id = run.framework ?? usualFramework(loadCluster(run.cluster));
  return loadFramework(id, run.frameworkVersion);
}

/** What relative axes start from, set as it is, so that the presets are written out. */
async function ownNumbers(
  written: Readonly<Record<string, unknown>>,
  relative: readonly Axis[],
  baseDirectory: string,
): Promise<readonly Override[]> {
  const run = await checkRunFileWithExpressions(written);
  const resolved = {
    cluster: loadCluster(run.cluster),
    model: loadRunModel(run, frameworkOf(run), { baseDirectory }),
  };
  return relative.map((axis): Override => {
    const value = ownNumber(run, resolved, axis.path);
    if (value === undefined && axis.change.kind !== 'formula') throw noNumber(axis, resolved);
    return { path: axis.path, value: value ?? 1 };
  });
}

/** There is nothing of that name to be multiplied or added to, at any point. */
function noNumber(axis: Axis, resolved: unknown): SlipwayError {
  const { path } = axis;
  const beside = valueAt(resolved, path.slice(0, -1));
  const names = typeof beside === 'object' && beside !== null ? Object.keys(beside) : [];
  const guess = nearest(path.at(-1) ?? '', names);
  const wayOut = guess === undefined ? '' : `, did you mean ${guess}?`;
  return new SlipwayError('invalid-run-file', `there is no number to change${wayOut}`, { key: keyOf(axis) });
}

/** The number, or the numbers, that a run file has at a path, written there or filled in. Undefined where there is none. */
export function ownNumber(run: unknown, resolved: unknown, path: readonly string[]): unknown {
  const written = mapNumbers(valueAt(run, path), (value) => value);
  if (written !== undefined) return written;
  if (path.at(-1) === 'nodeNetworkGbitPerSecond') {
    const bytes = valueAt(resolved, [...path.slice(0, -1), 'nodeNetworkBytesPerSecond']);
    return typeof bytes === 'number' ? (bytes * 8) / 1e9 : undefined;
  }
  return mapNumbers(valueAt(resolved, path), (value) => value);
}
