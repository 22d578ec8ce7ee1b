import { checkRunFile } from '../scenario/parseRunFile.js';
import { resolveCheckedRun } from '../scenario/resolveScenario.js';
import { evaluateStep } from '../simulation/evaluateStep.js';
import type { Predict } from './validate.js';

/** Slipway's own predictor: what `estimate` answers for the run file, presets and framework defaults filled in. */
export const predictRun: Predict = (run) => {
  const scenario = resolveCheckedRun(checkRunFile(run));
  return { scenario, evaluation: evaluateStep(scenario) };
};
