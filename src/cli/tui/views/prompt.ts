import { fieldByKey } from '../scenario/fields.js';
import { ascii } from '../screen/glyphs.js';
import { clipText, fitted, type Row, type Span, widthOf } from '../screen/row.js';
import { matching } from '../state/choices.js';
import { completions } from '../state/commands.js';
import { exportForms } from '../state/exportForms.js';
import { helpLines } from '../state/helpLines.js';
import { keyName } from '../state/keyTable.js';
import type { LineEdit } from '../state/lineEdit.js';
import type { PathPurpose, Prompt, State } from '../state/state.js';
import { type Area, type Draw, theme, windowOf } from './draw.js';

/** The line above the keys while something is asked; undefined where nothing is. */
export function promptLine({ prompt, document }: State, columns: number): Row | undefined {
  switch (prompt?.kind) {
    case 'edit': {
      const label = fieldByKey(prompt.key)?.label ?? prompt.key;
      return withProblem(` ${label}: `, prompt.line, prompt.problem, columns);
    }
    case 'choose':
      return typing(` ${fieldByKey(prompt.key)?.label ?? prompt.key}, type to filter: `, prompt.line);
    case 'command':
      return withProblem(
        ' :',
        prompt.line,
        prompt.problem ?? hintFor(prompt.line.text),
        columns,
        prompt.problem === undefined,
      );
    case 'whyNot':
      return withProblem(' why not ', prompt.line, prompt.problem, columns);
    case 'filter':
      return typing(' /', prompt.line);
    case 'path':
      return typing(` ${pathQuestion(prompt.purpose)}: `, prompt.line);
    case 'overwrite':
      return [[` ${prompt.path} exists already. Overwrite it?`, theme.tight]];
    case 'quit':
      return [[` ${document.file ?? 'The scenario'} has changes that are not saved. Save them?`, theme.tight]];
    case 'export':
      return [[' Export what?', theme.title]];
    default:
      return undefined;
  }
}

function pathQuestion(purpose: PathPurpose): string {
  if (purpose === 'open') return 'open which run file';
  return purpose === 'save' ? 'save as' : 'write to';
}

/** A line with its cursor, which is an inverse character. */
function typing(label: string, { text, cursor }: LineEdit): Row {
  return [[label, theme.key], [text.slice(0, cursor)], [text[cursor] ?? ' ', theme.selected], [text.slice(cursor + 1)]];
}

function withProblem(label: string, line: LineEdit, problem: string | undefined, columns: number, hint = false): Row {
  const row = typing(label, line);
  if (problem === undefined || problem === '') return row;
  const used = row.reduce((sum, [text]) => sum + widthOf(text), 0);
  return [...row, ['  '], [clipText(problem, Math.max(10, columns - used - 3)), hint ? theme.dim : theme.bad]];
}

function hintFor(text: string): string {
  return completions(text).slice(0, 12).join(' ');
}

/** What lies over the tab: a list of values, the export menu, the help. Undefined where the tab itself stays. */
export function promptOver(state: State, area: Area, draw: Draw): Row[] | undefined {
  const { prompt } = state;
  if (prompt?.kind === 'choose') return chooseRows(prompt, area, draw);
  if (prompt?.kind === 'export') return exportRows(prompt.selected, draw);
  return prompt?.kind === 'help' ? helpRows(prompt.first, area, draw) : undefined;
}

function chooseRows(prompt: Extract<Prompt, { kind: 'choose' }>, area: Area, { glyphs }: Draw): Row[] {
  const field = fieldByKey(prompt.key);
  const choices = matching(prompt);
  const title: Row = [
    [field?.label ?? prompt.key, theme.title],
    [`  ${field?.description ?? ''}`, theme.dim],
  ];
  if (choices.length === 0) return [title, [['nothing matches', theme.dim]]];
  const { from, to } = windowOf(choices.length, prompt.selected, area.rows - 2);
  const shown = choices.slice(from, to);
  const width = Math.max(...shown.map(({ label }) => label.length));
  return [
    title,
    ...shown.map(({ label, facts, refusal }, index): Row => {
      const chosen = from + index === prompt.selected;
      const note = refusal === undefined ? facts : `${glyphs.overflows} ${refusal}`;
      const row: Span[] = [
        [`${chosen ? glyphs.pointer : ' '}${label.padEnd(width)}  `, refusal === undefined ? undefined : theme.dim],
        [note, theme.dim],
      ];
      return chosen
        ? fitted(
            row.map(([text]) => [text, theme.selected]),
            area.columns - 1,
            theme.selected,
          )
        : row;
    }),
    [[`${choices.length} of ${prompt.choices.length}`, theme.dim]],
  ];
}

function exportRows(selected: number, { glyphs }: Draw): Row[] {
  return [
    [['Export', theme.title]],
    ...exportForms.map(({ title, path }, index): Row => {
      const chosen = index === selected;
      return [
        [`${chosen ? glyphs.pointer : ' '} ${title.padEnd(36)}`, chosen ? theme.selected : undefined],
        [`  ${path}`, theme.dim],
      ];
    }),
  ];
}

function helpRows(first: number, area: Area, { glyphs }: Draw): Row[] {
  const lines = helpLines();
  const from = Math.min(first, Math.max(0, lines.length - area.rows));
  return lines.slice(from, from + area.rows).map(({ title, keys, help }): Row => {
    if (title !== undefined) return [[title, theme.accent]];
    const names = (keys ?? []).map((key) => keyName(key, glyphs === ascii)).join(' ');
    return [
      [
        `  ${fitted([[names]], 18)
          .map(([text]) => text)
          .join('')}`,
        theme.key,
      ],
      [help ?? ''],
    ];
  });
}
