import {
  type Estimate,
  estimate,
  evaluate,
  type RunFileInput,
  resolveScenario,
  type Scenario,
  SlipwayError,
} from '../../../index.js';
import { degreesOf, deriveDegrees } from '../../../parallelism/degrees.js';
import { estimatedFigures } from '../../../scenario/estimatedFigures.js';
import { checkRunFile } from '../../../scenario/parseRunFile.js';
import { canonical, type RunValue } from './runValue.js';

/** What the planner says about a run: its estimate, or why there is none. */
export type Answer =
  | {
      readonly ok: true;
      readonly scenario: Scenario;
      readonly estimate: Estimate;
      /** In closed form and without advice: what a key can wait for. The simulation's figures follow. */
      readonly rough: boolean;
    }
  | { readonly ok: false; readonly message: string; readonly key: string | undefined };

export type GoodAnswer = Extract<Answer, { ok: true }>;

/** Passes of a step up to which its simulation is a matter of a few milliseconds. */
const quickPasses = 256;

/**
 * What can be said at once: the figures of `slipway estimate` where they are known or quick, else those of the closed form.
 * Mistakes of the run are answers, bugs are thrown.
 */
export function answerOf(run: RunValue, baseDirectory: string): Answer {
  return known(run, baseDirectory) ?? remembered(run, baseDirectory, computed(run, baseDirectory, 'quick'));
}

/** The figures of `slipway estimate`, however long they take. */
export function exactAnswerOf(run: RunValue, baseDirectory: string): Answer {
  const answer = known(run, baseDirectory);
  if (answer !== undefined && !(answer.ok && answer.rough)) return answer;
  return remembered(run, baseDirectory, computed(run, baseDirectory, 'exact'));
}

/** The answer with the figures that a thread has worked out in the meantime, or with what it stumbled over. */
export function refined(
  answer: GoodAnswer,
  found: { readonly estimate?: Estimate; readonly problem?: string },
): Answer {
  if (found.estimate !== undefined) return { ...answer, estimate: found.estimate, rough: false };
  return { ok: false, message: found.problem ?? 'the step cannot be simulated', key: undefined };
}

/** Undo, redo and stepping back and forth ask again for what was answered. Presets do not change while the UI runs. */
const answers = new Map<string, Answer>();
const mostAnswers = 64;

function known(run: RunValue, baseDirectory: string): Answer | undefined {
  return answers.get(idOf(run, baseDirectory));
}

export function remembered(run: RunValue, baseDirectory: string, answer: Answer): Answer {
  if (answers.size >= mostAnswers) answers.delete(answers.keys().next().value ?? '');
  answers.set(idOf(run, baseDirectory), answer);
  return answer;
}

export function idOf(run: RunValue, baseDirectory: string): string {
  return `${baseDirectory}\n${canonical(run)}`;
}

function computed(run: RunValue, baseDirectory: string, how: 'quick' | 'exact'): Answer {
  return orRefusal(() => {
    const checked = checkRunFile(run);
    const scenario = resolveScenario(run as RunFileInput, { baseDirectory });
    deriveDegrees(scenario);
    const { pipelineParallel, virtualStages, microBatches } = degreesOf(scenario);
    const rough = how === 'quick' && 2 * pipelineParallel * virtualStages * microBatches > quickPasses;
    const options = {
      written: { model: checked.model, cluster: checked.cluster },
      estimatedFigures: estimatedFigures(checked.cluster),
      ...(rough ? { advice: false, evaluation: evaluate(scenario) } : {}),
    };
    return { ok: true, scenario, estimate: estimate(scenario, options), rough };
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
