import { SlipwayError } from '../../../../index.js';
import { parseFix } from '../../../../planner/search/parseFix.js';
import { lineOf } from '../lineEdit.js';
import { only, type State } from '../state.js';
import type { Actions } from './action.js';
import { searchQuestion, shownPlans } from './planActions.js';

/** Starts from what was asked last, or from the degrees of the scenario. */
export function openWhyNot(state: State): State {
  const text = state.whyNot.result?.text ?? ownDegrees(state);
  return { ...state, prompt: { kind: 'whyNot', line: lineOf(text), problem: undefined } };
}

function ownDegrees({ answer, lastGood }: State): string {
  const scenario = answer.ok ? answer.scenario : lastGood?.scenario;
  if (scenario === undefined) return 'tp=8,pp=4';
  const { tensorParallel, pipelineParallel } = scenario.strategy;
  return `tp=${tensorParallel},pp=${pipelineParallel}`;
}

export const whyNotActions: Actions = {
  accept: (state) => {
    if (state.prompt?.kind !== 'whyNot') return only(state);
    const text = state.prompt.line.text.trim();
    if (text === '') return only({ ...state, prompt: undefined });
    try {
      parseFix([text], 'why not');
    } catch (error) {
      if (!(error instanceof SlipwayError)) throw error;
      return only({ ...state, prompt: { ...state.prompt, problem: error.message } });
    }
    const { id: question, run } = searchQuestion(state);
    const id = `${question}\n${text}`;
    const { held, document } = state;
    const best = state.search.asked === question ? shownPlans(fastestFirst(state))[0]?.run : undefined;
    const whyNot = { ...state.whyNot, asked: id, running: true, problem: undefined };
    return {
      state: { ...state, prompt: undefined, whyNot },
      effects: [{ do: 'whyNot', id, text, run, held, baseDirectory: document.baseDirectory, best }],
    };
  },
  back: (state) => only({ ...state, prompt: undefined }),
};

/** However the table is sorted and filtered. */
function fastestFirst(state: State): State {
  return { ...state, plan: { ...state.plan, sort: 'tokens', reversed: false, filter: '' } };
}
