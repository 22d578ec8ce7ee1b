import { checkRunFile } from '../scenario/parseRunFile.js';
import { resolveCheckedRun } from '../scenario/resolveScenario.js';
import { evaluate } from '../simulation/closedForm.js';
import type { Predict } from './validate.js';

/** Slipway's own predictor: the closed form on the run file, presets and framework defaults filled in. */
export const predictRun: Predict = (run) => {
  const scenario = resolveCheckedRun(checkRunFile(run));
  return { scenario, evaluation: evaluate(scenario) };
};
