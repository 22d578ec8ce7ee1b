import { SlipwayError } from '../../errors.js';
import type { FlopsConvention } from '../../model/flops.js';
import { sensitivity } from '../../planner/sensitivity/sensitivity.js';
import { figureName } from '../../planner/sweep/figures.js';
import { toJson } from '../../report/json.js';
import { sensitivitySvg, sensitivityTable } from '../../report/sensitivityTable.js';
import { shortName } from '../../report/sweepTable.js';
import type { TextStyle } from '../../report/text.js';
import { loadRun } from '../../scenario/loadScenario.js';
import type { CommandOutput } from '../program.js';
import { type FlagValues, overridesOf, requireRun, sourceOf } from '../runFileArguments.js';
import { writeWhole } from '../writeFile.js';

/** `slipway whatif run.yaml --sensitivity [percent]`: which input moves the result most. */
export async function runSensitivity(
  file: string | undefined,
  flags: FlagValues,
  style: TextStyle,
): Promise<CommandOutput> {
  if (flags.vary !== undefined) {
    throw new SlipwayError('invalid-run-file', 'changes every figure by itself; leave --vary out', {
      key: '--sensitivity',
    });
  }
  const overrides = overridesOf(flags);
  requireRun(file, overrides);
  const { scenario } = await loadRun(sourceOf(file), overrides);
  const usual = scenario.training.tokens > 0 ? 'training.days' : 'step.seconds';
  const result = sensitivity(scenario, {
    metric: typeof flags.metric === 'string' ? figureName(flags.metric, '--metric') : usual,
    fraction: fractionOf(flags.sensitivity),
    flopsConvention: flags.flopsConvention as FlopsConvention,
  });
  if (typeof flags.svg === 'string') {
    writeWhole(flags.svg, sensitivitySvg(result, `What moves ${shortName(result.metric)} of ${scenario.model.name}`));
  }
  return { text: flags.json === true ? toJson(result) : sensitivityTable(result, style), exitCode: 0 };
}

function fractionOf(given: unknown): number {
  if (given === true) return 0.1;
  const [, digits = ''] = /^\s*(\d+(?:\.\d+)?)\s*%?\s*$/.exec(String(given)) ?? [];
  const percent = digits === '' ? Number.NaN : Number(digits);
  if (percent > 0 && percent < 100) return percent / 100;
  throw new SlipwayError('invalid-quantity', `'${String(given)}' is not a percentage between 0 and 100`, {
    key: '--sensitivity',
  });
}
