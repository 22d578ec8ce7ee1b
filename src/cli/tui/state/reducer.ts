import { idOf, refined, remembered } from '../scenario/answer.js';
import type { Actions } from './actions/action.js';
import { compareActions } from './actions/compareActions.js';
import { setFilter } from './actions/filters.js';
import { globalActions } from './actions/globalActions.js';
import { planActions } from './actions/planActions.js';
import { presetActions } from './actions/presetActions.js';
import * as prompts from './actions/promptActions.js';
import { scenarioActions } from './actions/scenarioActions.js';
import { timelineActions } from './actions/timelineActions.js';
import { memoryActions, overviewActions } from './actions/viewActions.js';
import { axesOf, gridId, whatifActions } from './actions/whatifActions.js';
import { whyNotActions } from './actions/whyNotActions.js';
import { changeRun, openRun, questionId } from './change.js';
import { bindingFor, type Place } from './keyTable.js';
import { editLine } from './lineEdit.js';
import { type Effect, type Event, only, type Result, type State, saying, type Work } from './state.js';

export const actionsOf: Readonly<Record<Place, Actions>> = {
  scenario: scenarioActions,
  overview: overviewActions,
  memory: memoryActions,
  timeline: timelineActions,
  plan: planActions,
  compare: compareActions,
  whatif: whatifActions,
  run: {},
  presets: presetActions,
  everywhere: globalActions,
  edit: prompts.editActions,
  choose: prompts.chooseActions,
  command: prompts.commandActions,
  filter: prompts.filterActions,
  whyNot: whyNotActions,
  path: prompts.pathActions,
  export: prompts.exportActions,
  overwrite: prompts.overwriteActions,
  quit: prompts.quitActions,
  help: prompts.helpActions,
};

/** The next state and what is to be done outside, for everything that can happen. Pure but for the presets that it reads. */
export function reduce(state: State, event: Event): Result {
  if (event.kind === 'keys') return settled(allKeys(state, event.keys));
  return settled(happened(state, event));
}

/** Keys that arrived together are as many steps and one frame. */
function allKeys(state: State, keys: readonly string[]): Result {
  let now = state;
  const effects: Effect[] = [];
  for (const key of keys) {
    const result = onKey(now, key);
    now = result.state;
    effects.push(...result.effects);
    if (result.effects.some((effect) => effect.do === 'quit')) break;
  }
  return { state: now, effects };
}

function onKey(state: State, key: string): Result {
  // A message stands until the next key.
  const quiet = state.message === undefined ? state : { ...state, message: undefined };
  const binding = bindingFor(quiet, key);
  if (binding !== undefined) return actionsOf[binding.place][binding.action]?.(quiet, key) ?? only(quiet);
  return only(typed(quiet, key));
}

/** A key that no binding takes goes into the line that is being typed. */
function typed(state: State, key: string): State {
  const { prompt } = state;
  if (prompt === undefined || !('line' in prompt)) return state;
  const line = editLine(prompt.line, key);
  if (line === undefined) return state;
  if (prompt.kind === 'filter') return setFilter({ ...state, prompt: { ...prompt, line } }, prompt.target, line.text);
  if (prompt.kind === 'choose') return { ...state, prompt: { ...prompt, line, selected: 0 } };
  if (prompt.kind === 'path') return { ...state, prompt: { ...prompt, line } };
  return { ...state, prompt: { ...prompt, line, problem: undefined } };
}

/** What is pasted goes into the line that is being typed; a whole run file becomes the scenario; nothing of it is a key. */
function pasted(state: State, text: string): Result {
  if (state.prompt !== undefined && 'line' in state.prompt) {
    const now = [...text.trim().replaceAll(/\s+/g, ' ')].reduce(typed, state);
    return only(now);
  }
  if (state.prompt === undefined && /^\s*(model|cluster|strategy|\{)/m.test(text) && text.includes(':')) {
    return { state, effects: [{ do: 'read', text }] };
  }
  return only(saying(state, 'pasted text is no run file; enter edits a field, then paste the value'));
}

function happened(state: State, event: Exclude<Event, { kind: 'keys' }>): Result {
  switch (event.kind) {
    case 'pasted':
      return pasted(state, event.text);
    case 'pastedRun':
      return only(saying(changeRun(state, event.run), 'the pasted run file is the scenario now; u undoes it', 'good'));
    case 'resize':
      return only({ ...state, size: { columns: event.columns, rows: event.rows } });
    case 'estimated':
      return only(estimated(state, event));
    case 'simulated':
      return only({ ...state, simulation: worked(state.simulation, event) });
    case 'gridded':
      return only({ ...state, grid: gridded(state.grid, event) });
    case 'searching':
      return only(searching(state, event));
    case 'answered':
      return only({ ...state, whyNot: worked(state.whyNot, event) });
    case 'saved': {
      const document = { ...state.document, file: event.path, saved: event.run };
      return only(saying({ ...state, document }, `saved ${event.path}`, 'good'));
    }
    case 'exists': {
      const { purpose, path, thenQuit } = event;
      return only({ ...state, prompt: { kind: 'overwrite', purpose, path, thenQuit } });
    }
    case 'opened':
      return only(saying(openRun(state, event.path, event.run, event.baseDirectory), `opened ${event.path}`, 'good'));
    case 'calculated':
      return only(changeRun(state, event.run));
    case 'message':
      return only({ ...state, message: event.message });
  }
}

interface Answered<R> {
  readonly id: string;
  readonly result?: R;
  readonly problem?: string;
}

/** An answer to a question that is no longer asked is dropped; the old picture stays until the new one is there. */
function worked<R>(work: Work<R>, { id, result, problem }: Answered<R>): Work<R> {
  if (id !== work.asked) return work;
  if (result === undefined) return { ...work, running: false, problem };
  return { asked: id, running: false, result, resultFor: id, problem: undefined };
}

/** A grid fills point by point. */
function gridded(grid: State['grid'], event: Extract<Event, { kind: 'gridded' }>): State['grid'] {
  if (event.id !== grid.asked) return grid;
  const running = event.problem === undefined && event.done !== true;
  return { ...grid, ...worked(grid, event), running };
}

function searching(state: State, event: Extract<Event, { kind: 'searching' }>): State {
  const { search } = state;
  if (event.id !== search.asked || !search.running) return state;
  const running = event.done !== true && event.problem === undefined;
  return {
    ...state,
    search: {
      ...search,
      running,
      result: event.rows ?? search.result,
      resultFor: event.id,
      progress: event.progress ?? search.progress,
      problem: event.problem,
    },
  };
}

/** Figures that arrive for the present scenario, for a pin, or for a scenario that was only passed through. */
function estimated(state: State, { id, estimate, problem }: Extract<Event, { kind: 'estimated' }>): State {
  const found = { ...(estimate === undefined ? {} : { estimate }), ...(problem === undefined ? {} : { problem }) };
  const refining = state.refining.filter((one) => one !== id);
  const { document, answer } = state;
  const pins = state.pins.map((pin) =>
    estimate !== undefined && idOf(pin.run, document.baseDirectory) === id ? { ...pin, estimate, rough: false } : pin,
  );
  if (id !== questionId(state) || !answer.ok) return { ...state, refining, pins };
  const exact = remembered(document.run, document.baseDirectory, refined(answer, found));
  return { ...state, refining, pins, answer: exact, lastGood: exact.ok ? exact : state.lastGood };
}

/** Asks for what is shown and nobody has worked out yet. */
function settled(result: Result): Result {
  const exact = askEstimates(result.state);
  const simulated = askSimulation(exact.state);
  const gridded = askGrid(simulated.state);
  return {
    state: gridded.state,
    effects: [...result.effects, ...exact.effects, ...simulated.effects, ...gridded.effects],
  };
}

/** Exact figures of the scenario and of pins, where there are only rough ones. */
function askEstimates(state: State): Result {
  const { document, answer } = state;
  const { baseDirectory } = document;
  const rough = [
    ...(answer.ok && answer.rough ? [{ run: document.run, passing: true }] : []),
    ...state.pins.filter((pin) => pin.rough).map(({ run }) => ({ run, passing: false })),
  ];
  const wanted = rough.map(({ run, passing }) => {
    return { do: 'estimate' as const, id: idOf(run, baseDirectory), run, baseDirectory, passing };
  });
  const asked = wanted.filter(({ id }) => !state.refining.includes(id));
  if (asked.length === 0 && wanted.length === state.refining.length) return only(state);
  // What is no longer wanted may be wanted again: then it is asked again.
  return { state: { ...state, refining: wanted.map(({ id }) => id) }, effects: asked };
}

function askSimulation(state: State): Result {
  if ((state.tab !== 'timeline' && state.tab !== 'memory') || !state.answer.ok) return only(state);
  const id = questionId(state);
  if (state.simulation.asked === id) return only(state);
  const { run, baseDirectory } = state.document;
  const simulation = { ...state.simulation, asked: id, running: true, problem: undefined };
  return { state: { ...state, simulation }, effects: [{ do: 'simulate', id, run, baseDirectory }] };
}

function askGrid(state: State): Result {
  if (state.tab !== 'whatif' || state.whatif.keys.length === 0) return only(state);
  const id = gridId(state);
  if (state.grid.asked === id) return only(state);
  const axes = axesOf(state);
  const running = axes.length > 0;
  const grid = { asked: id, running, axes, result: undefined, resultFor: undefined, problem: undefined };
  const { run, baseDirectory } = state.document;
  return { state: { ...state, grid }, effects: running ? [{ do: 'grid', id, run, axes, baseDirectory }] : [] };
}
