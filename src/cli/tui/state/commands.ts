import { nearest } from '../../../quantity/nearest.js';
import { fieldByName, fields, namesOf } from '../scenario/fields.js';
import { globalActions, pin } from './actions/globalActions.js';
import { startSearch } from './actions/planActions.js';
import { quit } from './actions/promptActions.js';
import { editField } from './actions/scenarioActions.js';
import { varyTyped } from './actions/whatifActions.js';
import { exportForms } from './exportForms.js';
import { lineOf } from './lineEdit.js';
import { setTyped } from './setField.js';
import { only, type Result, type State, tabs } from './state.js';

type Done = (Result & { readonly problem?: undefined }) | { readonly problem: string };

interface Command {
  readonly name: string;
  readonly usage: string;
  /** What may stand after the name, for completion. */
  readonly words: () => readonly string[];
  readonly run: (state: State, words: readonly string[]) => Done;
}

/** What the command line knows beside the fields' own names (`tp 4` sets a field). */
export const commands: readonly Command[] = [
  {
    name: 'set',
    usage: 'set <field> <value>',
    words: fieldNames,
    run: (state, [name = '', ...rest]) => setNamed(state, name, rest),
  },
  {
    name: 'default',
    usage: 'default <field>',
    words: fieldNames,
    run: (state, [name = '']) => setNamed(state, name, []),
  },
  { name: 'edit', usage: 'edit <field>', words: fieldNames, run: editNamed },
  { name: 'tab', usage: `tab <${tabs.join('|')}>`, words: () => tabs, run: openTab },
  { name: 'plan', usage: 'plan', words: none, run: (state) => startSearch({ ...state, tab: 'plan', focus: 'view' }) },
  {
    name: 'pin',
    usage: 'pin [name]',
    words: none,
    run: (state, words) => only(pin(state, words.join(' ') || undefined)),
  },
  { name: 'vary', usage: 'vary <key=values>', words: none, run: vary },
  { name: 'save', usage: 'save [path]', words: none, run: savePath },
  { name: 'open', usage: 'open <path>', words: none, run: openPath },
  { name: 'export', usage: 'export <form> [path]', words: () => exportForms.map(({ kind }) => kind), run: exportForm },
  { name: 'copy', usage: 'copy', words: none, run: named('copy') },
  { name: 'undo', usage: 'undo', words: none, run: named('undo') },
  { name: 'redo', usage: 'redo', words: none, run: named('redo') },
  { name: 'help', usage: 'help', words: none, run: named('help') },
  { name: 'quit', usage: 'quit', words: none, run: (state) => quit(state) },
  { name: 'q', usage: 'q', words: none, run: (state) => quit(state) },
  { name: 'q!', usage: 'q!', words: none, run: (state) => ({ state, effects: [{ do: 'quit' }] }) },
  { name: 'wq', usage: 'wq', words: none, run: (state) => saveAndQuit(state) },
];

export function runCommand(state: State, text: string): Done {
  const [name = '', ...words] = text.trim().split(/\s+/);
  if (name === '') return only(state);
  const command = commands.find((one) => one.name === name);
  if (command !== undefined) return command.run(state, words);
  if (fieldByName(name) !== undefined) return setNamed(state, name, words);
  const guess = nearest(name, [...commands.map((one) => one.name), ...fieldNames()]);
  return {
    problem: `no command is called '${name}'${guess === undefined ? '; ? lists them' : `, did you mean ${guess}?`}`,
  };
}

/** The line with its last word completed as far as all that may stand there agree. */
export function completed(text: string): string {
  const options = completions(text);
  const [first = ''] = options;
  if (options.length === 0) return text;
  let common = first;
  for (const option of options) while (!option.startsWith(common)) common = common.slice(0, -1);
  const before = text.slice(0, text.length - lastWord(text).length);
  return `${before}${common}${options.length === 1 ? ' ' : ''}`;
}

/** What the last word of a command line may become. */
export function completions(text: string): readonly string[] {
  const words = text.trimStart().split(/\s+/);
  const last = lastWord(text);
  return optionsAfter(words.slice(0, -1)).filter((option) => option.startsWith(last));
}

function optionsAfter([name, ...words]: readonly string[]): readonly string[] {
  if (name === undefined) return [...commands.map((one) => one.name), ...fieldNames()];
  if (words.length === 0) {
    const command = commands.find((one) => one.name === name);
    return command === undefined ? valuesOf(name) : command.words();
  }
  return words.length === 1 && name === 'set' ? valuesOf(words[0] ?? '') : [];
}

function valuesOf(name: string): readonly string[] {
  const field = fieldByName(name);
  return field?.kind === 'boolean' ? ['on', 'off'] : (field?.choices ?? []);
}

function lastWord(text: string): string {
  return text.split(/\s+/).at(-1) ?? '';
}

function fieldNames(): readonly string[] {
  return fields.filter(({ kind }) => kind !== 'derived').map((field) => field.alias ?? namesOf(field)[1] ?? field.key);
}

function none(): readonly string[] {
  return [];
}

function setNamed(state: State, name: string, words: readonly string[]): Done {
  const field = fieldByName(name);
  if (field === undefined) {
    const guess = nearest(name, fieldNames());
    return { problem: `no field is called '${name}'${guess === undefined ? '' : `, did you mean ${guess}?`}` };
  }
  return setTyped(state, field, words.join(' '));
}

function editNamed(state: State, [name = '']: readonly string[]): Done {
  const field = fieldByName(name);
  return field === undefined ? { problem: `no field is called '${name}'` } : only(editField(state, field));
}

function openTab(state: State, [name = '']: readonly string[]): Done {
  const tab = tabs.find((one) => one.startsWith(name.toLowerCase()));
  return tab === undefined || name === ''
    ? { problem: `tabs are ${tabs.join(', ')}` }
    : only({ ...state, tab, focus: 'view' });
}

function savePath(state: State, words: readonly string[]): Done {
  const path = words.join(' ') || state.document.file;
  if (path === undefined) return { problem: 'give a path, such as save run.yaml' };
  const { run, file, baseDirectory } = state.document;
  return {
    state,
    effects: [{ do: 'write', purpose: 'save', path, run, baseDirectory, overwrite: path === file, thenQuit: false }],
  };
}

function saveAndQuit(state: State): Done {
  const { run, file, baseDirectory } = state.document;
  if (file === undefined)
    return only({ ...state, prompt: { kind: 'path', purpose: 'save', line: lineOf('run.yaml'), thenQuit: true } });
  return {
    state,
    effects: [{ do: 'write', purpose: 'save', path: file, run, baseDirectory, overwrite: true, thenQuit: true }],
  };
}

function openPath(state: State, words: readonly string[]): Done {
  const path = words.join(' ');
  return path === '' ? { problem: 'give the path of a run file' } : { state, effects: [{ do: 'open', path }] };
}

function exportForm(state: State, [kind = '', ...rest]: readonly string[]): Done {
  const form = exportForms.find((one) => one.kind === kind);
  if (form === undefined) return { problem: `forms are ${exportForms.map((one) => one.kind).join(', ')}` };
  const path = rest.join(' ') || form.path;
  const { run, baseDirectory } = state.document;
  return {
    state,
    effects: [{ do: 'write', purpose: form.kind, path, run, baseDirectory, overwrite: false, thenQuit: false }],
  };
}

function vary(state: State, words: readonly string[]): Done {
  const varied = varyTyped(state, words.join(' '));
  return 'problem' in varied ? varied : only(varied);
}

function named(action: string): Command['run'] {
  return (state) => globalActions[action]?.(state, '') ?? only(state);
}
