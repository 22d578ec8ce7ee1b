import { commandLine } from '../../scenario/commandLine.js';
import { redo, undo } from '../change.js';
import { lineOf } from '../lineEdit.js';
import { only, type State, saying, type TabId, tabs } from '../state.js';
import type { Actions } from './action.js';
import { setFilter } from './filters.js';
import { quit, save } from './promptActions.js';

export const globalActions: Actions = {
  tab: (state, key) => {
    const tab = tabs[Number(key) - 1];
    return only(tab === undefined ? state : { ...state, tab, focus: 'view' });
  },
  nextTab: (state) => only(neighbour(state, 1)),
  previousTab: (state) => only(neighbour(state, -1)),
  otherPane: (state) => only({ ...state, focus: state.focus === 'view' ? 'scenario' : 'view' }),
  back: (state) => only(back(state)),
  undo: (state) => only(undo(state) ?? saying(state, 'nothing to undo')),
  redo: (state) => only(redo(state) ?? saying(state, 'nothing to redo')),
  pin: (state) => only(pin(state, undefined)),
  save: (state) => save(state, false),
  saveAs: (state) => {
    const line = lineOf(state.document.file ?? 'run.yaml');
    return only({ ...state, prompt: { kind: 'path', purpose: 'save', line, thenQuit: false } });
  },
  export: (state) => only({ ...state, prompt: { kind: 'export', selected: 0 } }),
  copy: (state) => {
    const { run, saved, file } = state.document;
    const text = commandLine(run, saved, file);
    return { state: saying(state, `copied: ${text}`, 'good'), effects: [{ do: 'copy', text }] };
  },
  command: (state) => only({ ...state, prompt: { kind: 'command', line: lineOf(''), problem: undefined } }),
  help: (state) => only({ ...state, prompt: { kind: 'help', first: 0 } }),
  suspend: (state) => ({ state, effects: [{ do: 'suspend' }] }),
  quit,
};

function neighbour(state: State, step: 1 | -1): State {
  const at = (tabs.indexOf(state.tab) + step + tabs.length) % tabs.length;
  return { ...state, tab: tabs[at] ?? 'overview' };
}

/** One thing at a time: the filter of where one is, the focus, then the first tab. */
function back(state: State): State {
  if (state.focus === 'scenario') {
    if (state.fieldFilter !== '') return setFilter(state, 'scenario', '');
    return state.tab === 'overview' ? state : { ...state, tab: 'overview' satisfies TabId };
  }
  if (state.tab === 'plan' && state.plan.filter !== '') return setFilter(state, 'plan', '');
  if (state.tab === 'presets' && state.presets.filter !== '') return setFilter(state, 'presets', '');
  return { ...state, focus: 'scenario' };
}

/** More do not fit beside each other on any screen. */
const mostPins = 12;

export function pin(state: State, name: string | undefined): State {
  if (!state.answer.ok) return saying(state, 'a scenario that cannot run cannot be pinned', 'bad');
  if (state.pins.length >= mostPins)
    return saying(state, `${mostPins} are pinned already; x in Compare forgets one`, 'bad');
  const { estimate, rough } = state.answer;
  const own = name ?? freeName(state);
  const pins = [...state.pins, { name: own, run: state.document.run, estimate, rough }];
  return saying({ ...state, pins }, `pinned as ${own}; 5 compares`, 'good');
}

function freeName({ pins }: State): string {
  for (let number = 1; ; number++) {
    const name = String.fromCharCode(64 + number);
    if (!pins.some((one) => one.name === name)) return name;
  }
}
