import type { FlopsConvention } from '../model/flops.js';
import { estimate } from '../planner/estimate.js';
import { estimateTable } from '../report/estimateTable.js';
import { toJson } from '../report/json.js';
import type { TextStyle } from '../report/text.js';
import { estimatedFigures } from '../scenario/estimatedFigures.js';
import { loadRun } from '../scenario/loadScenario.js';
import type { CommandOutput } from './program.js';
import { type FlagValues, overridesOf, requireRun, sourceOf } from './runFileArguments.js';

/** `slipway estimate [run.yaml]`: exit 1 where the strategy does not fit. */
export async function runEstimate(
  file: string | undefined,
  flags: FlagValues,
  style: TextStyle,
): Promise<CommandOutput> {
  const overrides = overridesOf(flags);
  requireRun(file, overrides);
  const { run, scenario } = await loadRun(sourceOf(file), overrides);
  const result = estimate(scenario, {
    flopsConvention: flags.flopsConvention as FlopsConvention,
    advice: flags.advice !== false,
    written: { model: run.model, cluster: run.cluster },
    estimatedFigures: estimatedFigures(run.cluster),
  });
  const text = flags.json === true ? toJson(result) : estimateTable(result, style);
  return { text, exitCode: result.memory.fits ? 0 : 1 };
}
