import { listPresets } from '../../../../scenario/presetFiles.js';
import { withValue } from '../../scenario/runValue.js';
import { changeRun } from '../change.js';
import { only, type PresetTab, type State, saying } from '../state.js';
import { type Actions, listActions } from './action.js';
import { openFilter } from './filters.js';

export const presetKinds: readonly PresetTab[] = ['models', 'clusters', 'accelerators'];

/** Presets of the kind that is open, as the filter leaves them. */
export function shownPresets({ presets }: State): readonly string[] {
  const words = presets.filter.toLowerCase().split(' ').filter(Boolean);
  return idsOf(presets.kind).filter((id) => words.every((word) => id.includes(word)));
}

function idsOf(kind: PresetTab): readonly string[] {
  const known = ids.get(kind) ?? listPresets(kind);
  ids.set(kind, known);
  return known;
}

/** Presets do not come and go while the UI runs. */
const ids = new Map<PresetTab, readonly string[]>();

function scrolled(state: State, lines: number): State {
  const first = Math.max(0, state.presets.first + lines);
  return { ...state, presets: { ...state.presets, first } };
}

function ofKind(state: State, direction: 1 | -1): State {
  const at = presetKinds.indexOf(state.presets.kind) + direction;
  const kind = presetKinds[(at + presetKinds.length) % presetKinds.length] ?? 'models';
  return { ...state, presets: { kind, selected: 0, filter: '', first: 0 } };
}

export const presetActions: Actions = {
  ...listActions(
    (state) => shownPresets(state).length,
    ({ presets }) => presets.selected,
    (state, selected) => ({ ...state, presets: { ...state.presets, selected, first: 0 } }),
  ),
  use: (state) => {
    const id = shownPresets(state)[state.presets.selected];
    const { kind } = state.presets;
    if (id === undefined) return only(state);
    if (kind === 'accelerators') return only(saying(state, 'an accelerator is part of a cluster; choose a cluster'));
    const key = kind === 'models' ? 'model' : 'cluster';
    return only(
      saying(changeRun(state, withValue(state.document.run, key, id)), `${key} is ${id} now; u undoes it`, 'good'),
    );
  },
  nextKind: (state) => only(ofKind(state, 1)),
  previousKind: (state) => only(ofKind(state, -1)),
  textDown: (state) => only(scrolled(state, 5)),
  textUp: (state) => only(scrolled(state, -5)),
  filter: (state) => only(openFilter(state, 'presets')),
};
