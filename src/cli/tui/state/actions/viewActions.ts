import { withValues } from '../../scenario/runValue.js';
import { changeRun } from '../change.js';
import { only, saying } from '../state.js';
import { type Actions, listActions } from './action.js';

export const overviewActions: Actions = {
  ...listActions(
    ({ answer }) => (answer.ok ? answer.estimate.advice.length : 0),
    ({ advice }) => advice,
    (state, advice) => ({ ...state, advice }),
  ),
  apply: (state) => {
    if (state.answer.ok && state.answer.rough)
      return only(saying(state, 'a moment: the advice for this is on its way'));
    const advice = state.answer.ok ? state.answer.estimate.advice[state.advice] : undefined;
    if (advice === undefined) return only(saying(state, 'there is no advice to apply'));
    const changes = Object.fromEntries(Object.entries(advice.change).map(([key, value]) => [`strategy.${key}`, value]));
    // An empty list of modules is how a strategy says that there are none; a run file leaves the key out.
    const written = Object.entries(changes).map(([key, value]) => [
      key,
      Array.isArray(value) && value.length === 0 ? undefined : value,
    ]);
    const run = withValues(state.document.run, Object.fromEntries(written));
    return only(saying(changeRun(state, run), 'applied; u undoes it', 'good'));
  },
};

export const memoryActions: Actions = listActions(
  ({ answer }) => (answer.ok ? answer.estimate.memory.stages.length : 0),
  ({ memory }) => memory.stage,
  (state, stage) => ({ ...state, memory: { stage } }),
);
