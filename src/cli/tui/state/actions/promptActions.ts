import { fieldByKey } from '../../scenario/fields.js';
import { withValue } from '../../scenario/runValue.js';
import { changeRun, isUnsaved } from '../change.js';
import { matching } from '../choices.js';
import { completed, runCommand } from '../commands.js';
import { exportForms } from '../exportForms.js';
import { helpLines } from '../helpLines.js';
import { lineOf } from '../lineEdit.js';
import { setTyped } from '../setField.js';
import { type Effect, only, type PathPurpose, type Prompt, type State, saying } from '../state.js';
import { type Action, type Actions, clamp, page } from './action.js';
import { setFilter } from './filters.js';

type Of<Kind extends Prompt['kind']> = Extract<Prompt, { kind: Kind }>;

/** An action that only makes sense while a prompt of its kind is open. */
function on<Kind extends Prompt['kind']>(
  kind: Kind,
  act: (state: State, prompt: Of<Kind>, key: string) => ReturnType<Action>,
): Action {
  return (state, key) => (state.prompt?.kind === kind ? act(state, state.prompt as Of<Kind>, key) : only(state));
}

const close: Action = (state) => only({ ...state, prompt: undefined });

export const editActions: Actions = {
  accept: on('edit', (state, prompt) => {
    const field = fieldByKey(prompt.key);
    if (field === undefined) return close(state, '');
    const set = setTyped(state, field, prompt.line.text);
    if (set.problem !== undefined) return only({ ...state, prompt: { ...prompt, problem: set.problem } });
    return { state: { ...set.state, prompt: undefined }, effects: set.effects };
  }),
  back: close,
};

const chooseBy = (step: number): Action =>
  on('choose', (state, prompt) => {
    const most = Math.max(0, matching(prompt).length - 1);
    return only({ ...state, prompt: { ...prompt, selected: clamp(prompt.selected + step, 0, most) } });
  });

export const chooseActions: Actions = {
  down: chooseBy(1),
  up: chooseBy(-1),
  pageDown: chooseBy(page),
  pageUp: chooseBy(-page),
  accept: on('choose', (state, prompt) => {
    const choice = matching(prompt)[prompt.selected];
    if (choice === undefined) return only(state);
    if (choice.refusal !== undefined) return only(saying(state, choice.refusal, 'bad'));
    const next = { ...state, prompt: undefined };
    const field = fieldByKey(prompt.key);
    if (field?.kind !== 'preset') return only(changeRun(next, withValue(state.document.run, prompt.key, choice.value)));
    const set = setTyped(next, field, String(choice.value));
    // Another model or cluster may not suit the strategy; it is taken all the same, and the pane says what to change.
    if (set.problem === undefined) return only(set.state);
    return only(changeRun(next, withValue(state.document.run, prompt.key, choice.value)));
  }),
  back: close,
};

export const commandActions: Actions = {
  accept: on('command', (state, prompt) => {
    const done = runCommand({ ...state, prompt: undefined }, prompt.line.text);
    if (done.problem !== undefined) return only({ ...state, prompt: { ...prompt, problem: done.problem } });
    return done;
  }),
  complete: on('command', (state, prompt) =>
    only({ ...state, prompt: { ...prompt, line: lineOf(completed(prompt.line.text)), problem: undefined } }),
  ),
  back: close,
};

export const filterActions: Actions = {
  accept: close,
  back: on('filter', (state, { target }) => only({ ...setFilter(state, target, ''), prompt: undefined })),
  down: (state) => only(state),
  up: (state) => only(state),
};

export const pathActions: Actions = {
  accept: on('path', (state, { purpose, line, thenQuit }) => {
    const path = line.text.trim();
    if (path === '') return only(state);
    return { state: { ...state, prompt: undefined }, effects: [fileEffect(state, purpose, path, { thenQuit })] };
  }),
  back: close,
};

export const overwriteActions: Actions = {
  accept: on('overwrite', (state, { purpose, path, thenQuit }) => ({
    state: { ...state, prompt: undefined },
    effects: [fileEffect(state, purpose, path, { thenQuit, overwrite: true })],
  })),
  back: close,
};

function fileEffect(
  state: State,
  purpose: PathPurpose,
  path: string,
  options: { readonly thenQuit: boolean; readonly overwrite?: boolean },
): Effect {
  if (purpose === 'open') return { do: 'open', path };
  const overwrite = options.overwrite === true || (purpose === 'save' && path === state.document.file);
  const { run, baseDirectory } = state.document;
  return { do: 'write', purpose, path, run, baseDirectory, overwrite, thenQuit: options.thenQuit };
}

const chooseForm = (step: number): Action =>
  on('export', (state, prompt) => {
    const selected = clamp(prompt.selected + step, 0, exportForms.length - 1);
    return only({ ...state, prompt: { ...prompt, selected } });
  });

export const exportActions: Actions = {
  down: chooseForm(1),
  up: chooseForm(-1),
  accept: on('export', (state, { selected }) => {
    const form = exportForms[selected];
    if (form === undefined) return only(state);
    return only({ ...state, prompt: { kind: 'path', purpose: form.kind, line: lineOf(form.path), thenQuit: false } });
  }),
  back: close,
};

export const quitActions: Actions = {
  save: (state) => save({ ...state, prompt: undefined }, true),
  discard: (state) => ({ state, effects: [{ do: 'quit' }] }),
  back: close,
};

/** Into the file it came from, else asks for a name. */
export function save(state: State, thenQuit: boolean): ReturnType<Action> {
  const { file, run, baseDirectory } = state.document;
  if (file === undefined) {
    return only({ ...state, prompt: { kind: 'path', purpose: 'save', line: lineOf('run.yaml'), thenQuit } });
  }
  return {
    state,
    effects: [{ do: 'write', purpose: 'save', path: file, run, baseDirectory, overwrite: true, thenQuit }],
  };
}

export function quit(state: State): ReturnType<Action> {
  if (isUnsaved(state)) return only({ ...state, prompt: { kind: 'quit' } });
  return { state, effects: [{ do: 'quit' }] };
}

const scroll = (step: number): Action =>
  on('help', (state, prompt) =>
    only({
      ...state,
      prompt: { ...prompt, first: clamp(prompt.first + step, 0, Math.max(0, helpLines().length - 5)) },
    }),
  );

export const helpActions: Actions = {
  down: scroll(1),
  up: scroll(-1),
  pageDown: scroll(page),
  pageUp: scroll(-page),
  back: close,
};
