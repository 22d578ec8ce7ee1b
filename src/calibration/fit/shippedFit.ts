import type { Accelerator } from '../../hardware/accelerator.js';
import { readPreset } from '../../scenario/presetFiles.js';
import { frameworkIds } from '../../scenario/runFileSchema.js';
import { loadShippedRuns } from '../shippedRuns.js';
import { Fitter } from './fit.js';
import { type FrameworkFigures, makeParameters } from './parameters.js';
import { fitRows } from './rows.js';

/** The fit of every constant to the runs that ship. */
export function shippedFitter(): Fitter {
  const rows = fitRows(loadShippedRuns());
  const accelerators = new Map<string, Accelerator>();
  for (const { scenario } of rows) accelerators.set(scenario.cluster.accelerator.id, scenario.cluster.accelerator);
  const frameworks = frameworkIds.map((id) => readPreset('frameworks', id).data as FrameworkFigures);
  return new Fitter(rows, makeParameters([...accelerators.values()], frameworks));
}
