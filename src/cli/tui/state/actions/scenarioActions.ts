import { type Field, fields, namesOf } from '../../scenario/fields.js';
import { withValue, writtenAt } from '../../scenario/runValue.js';
import { currentValue, editableText } from '../../scenario/shown.js';
import { stepField } from '../../scenario/step.js';
import { searchedKeys } from '../../work/search.js';
import { changeRun } from '../change.js';
import { choicesOf } from '../choices.js';
import { lineOf } from '../lineEdit.js';
import { only, type Result, type State, saying } from '../state.js';
import { type Actions, listActions } from './action.js';
import { openFilter } from './filters.js';

/** Fields that the filter leaves: every word of it is in a name of the field, its group or its description. */
export function visibleFields({ fieldFilter }: State): readonly Field[] {
  const words = fieldFilter.toLowerCase().split(' ').filter(Boolean);
  if (words.length === 0) return fields;
  return fields.filter((field) => {
    const text = [...namesOf(field), field.group].join(' ').toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

export function selectedField(state: State): Field | undefined {
  const visible = visibleFields(state);
  return visible[Math.min(state.field, visible.length - 1)];
}

export const scenarioActions: Actions = {
  ...listActions(
    (state) => visibleFields(state).length,
    (state) => state.field,
    (state, field) => ({ ...state, field }),
  ),
  increase: (state) => stepped(state, 1),
  decrease: (state) => stepped(state, -1),
  edit: (state) => {
    const field = selectedField(state);
    return only(field === undefined ? state : editField(state, field));
  },
  default: (state) => {
    const field = selectedField(state);
    if (field === undefined || field.kind === 'derived') return only(state);
    if (field.key === 'model' || field.key === 'cluster') {
      return only(saying(state, `a run needs a ${field.key}; enter lists them`));
    }
    if (writtenAt(state.document.run, field.key) === undefined) {
      return only(saying(state, `${field.label} is at its default`));
    }
    return only(changeRun(state, withValue(state.document.run, field.key, undefined)));
  },
  hold: (state) => {
    const field = selectedField(state);
    if (field === undefined) return only(state);
    if (!searchedKeys.includes(field.key)) return only(saying(state, `a plan search never changes ${field.label}`));
    const isHeld = state.held.includes(field.key);
    const held = isHeld ? state.held.filter((key) => key !== field.key) : [...state.held, field.key];
    return only(saying({ ...state, held }, `a plan search ${isHeld ? 'may change' : 'keeps'} ${field.label}`));
  },
  nextGroup: (state) => only(toGroup(state, 1)),
  previousGroup: (state) => only(toGroup(state, -1)),
  filter: (state) => only(openFilter(state, 'scenario')),
};

/** Opens what suits the field: a list of values to choose from, or a line to type in. */
export function editField(state: State, field: Field): State {
  if (field.kind === 'derived') return saying(state, field.description);
  const { key } = field;
  const choices = choicesOf(field, state);
  if (choices.length > 0) {
    const now = currentValue(field, state.document.run, state.answer);
    const selected = Math.max(
      0,
      choices.findIndex(({ value }) => value === now),
    );
    return { ...state, prompt: { kind: 'choose', key, line: lineOf(''), selected, choices } };
  }
  const text = editableText(currentValue(field, state.document.run, state.answer));
  return { ...state, prompt: { kind: 'edit', key, line: lineOf(text), problem: undefined } };
}

function stepped(state: State, direction: 1 | -1): Result {
  const field = selectedField(state);
  if (field === undefined) return only(state);
  const { document, answer, lastGood } = state;
  const { run, message } = stepField(field, direction, {
    run: document.run,
    answer,
    lastGood,
    baseDirectory: document.baseDirectory,
  });
  const next = run === undefined ? state : changeRun(state, run);
  return only(message === undefined ? next : saying(next, message, run === undefined ? 'bad' : 'note'));
}

function toGroup(state: State, direction: 1 | -1): State {
  const visible = visibleFields(state);
  const starts = visible.flatMap(({ group }, index) => (visible[index - 1]?.group === group ? [] : [index]));
  const ahead =
    direction > 0 ? starts.find((index) => index > state.field) : starts.filter((index) => index < state.field).at(-1);
  return { ...state, field: ahead ?? state.field };
}
