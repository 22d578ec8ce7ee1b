import {
  type Estimate,
  estimate,
  type RunFileInput,
  resolveScenario,
  type Scenario,
  SlipwayError,
} from '../../../index.js';
import { deriveDegrees } from '../../../parallelism/degrees.js';
import { estimatedFigures } from '../../../scenario/estimatedFigures.js';
import { checkRunFile } from '../../../scenario/parseRunFile.js';
import { canonical, type RunValue } from './runValue.js';

/** What the planner says about a run: its estimate, or why there is none. */
export type Answer =
  | { readonly ok: true; readonly scenario: Scenario; readonly estimate: Estimate }
  | { readonly ok: false; readonly message: string; readonly key: string | undefined };

export type GoodAnswer = Extract<Answer, { ok: true }>;

/** The same figures as `slipway estimate` gives for the run; mistakes of the run are answers, bugs are thrown. */
export function answerOf(
  run: RunValue,
  baseDirectory: string,
  options: { readonly advice: boolean } = { advice: true },
): Answer {
  const id = `${options.advice}\n${baseDirectory}\n${canonical(run)}`;
  const known = answers.get(id);
  if (known !== undefined) return known;
  const answer = computed(run, baseDirectory, options.advice);
  if (answers.size >= mostAnswers) answers.delete(answers.keys().next().value ?? '');
  answers.set(id, answer);
  return answer;
}

/** Undo, redo and stepping back and forth ask again for what was answered. Presets do not change while the UI runs. */
const answers = new Map<string, Answer>();
const mostAnswers = 64;

function computed(run: RunValue, baseDirectory: string, advice: boolean): Answer {
  return orRefusal(() => {
    const checked = checkRunFile(run);
    const scenario = resolveScenario(run as RunFileInput, { baseDirectory });
    deriveDegrees(scenario);
    const written = { model: checked.model, cluster: checked.cluster };
    return {
      ok: true,
      scenario,
      estimate: estimate(scenario, { advice, written, estimatedFigures: estimatedFigures(checked.cluster) }),
    };
  });
}

/** Why a run cannot be planned, or undefined where it can: the checks of `answerOf` without the estimate. */
export function refusalOf(
  run: RunValue,
  baseDirectory: string,
): { message: string; key: string | undefined } | undefined {
  const answer = orRefusal(() => {
    deriveDegrees(resolveScenario(run as RunFileInput, { baseDirectory }));
    return undefined;
  });
  return answer === undefined || answer.ok ? undefined : answer;
}

function orRefusal<T extends Answer | undefined>(compute: () => T): T | Extract<Answer, { ok: false }> {
  try {
    return compute();
  } catch (error) {
    if (error instanceof SlipwayError) return { ok: false, message: error.message, key: error.place.key };
    throw error;
  }
}
