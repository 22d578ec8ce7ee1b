import type { NamedEstimate } from '../../../../planner/compare/compareEstimates.js';
import { changeRun } from '../change.js';
import { only, type State, saying } from '../state.js';
import { type Actions, listActions } from './action.js';

export type NamedScenario = NamedEstimate;

/** Pins in their order, then the scenario as it is now. */
export function scenariosOf({ pins, answer }: State): readonly NamedScenario[] {
  return answer.ok ? [...pins, { name: 'now', estimate: answer.estimate }] : pins;
}

/** What the selected scenario is compared with: the present one, or the first pin where that is selected itself. */
export function comparedWith(
  all: readonly NamedScenario[],
  selected: number,
): { readonly from: NamedScenario; readonly to: NamedScenario } | undefined {
  const from = all[selected];
  const to = all.at(-1) === from ? all[0] : all.at(-1);
  return from === undefined || to === undefined || from === to ? undefined : { from, to };
}

export const compareActions: Actions = {
  ...listActions(
    ({ pins }) => pins.length,
    ({ compare }) => compare.selected,
    (state, selected) => ({ ...state, compare: { selected } }),
  ),
  load: (state) => {
    const pin = state.pins[state.compare.selected];
    if (pin === undefined) return only(saying(state, 'nothing is pinned yet; p pins the scenario'));
    return only(saying(changeRun(state, pin.run), `${pin.name} loaded; u undoes it`, 'good'));
  },
  unpin: (state) => {
    const pins = state.pins.filter((_, index) => index !== state.compare.selected);
    const selected = Math.max(0, Math.min(state.compare.selected, pins.length - 1));
    return only({ ...state, pins, compare: { selected } });
  },
};
