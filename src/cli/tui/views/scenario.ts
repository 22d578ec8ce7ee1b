import type { Field } from '../scenario/fields.js';
import { shownValue } from '../scenario/shown.js';
import { clipText, type Look, type Row, type Span, widthOf } from '../screen/row.js';
import { visibleFields } from '../state/actions/scenarioActions.js';
import type { State } from '../state/state.js';
import { searchedKeys } from '../work/search.js';
import { type Area, type Draw, theme, windowOf } from './draw.js';

type Line = { readonly heading: string } | { readonly field: Field; readonly index: number };

/** Every field of the run file, grouped; what the file does not say is dim. */
export function scenarioPane(state: State, area: Area, draw: Draw): Row[] {
  const visible = visibleFields(state);
  if (visible.length === 0) return [[['no field matches; esc clears', theme.dim]]];
  const lines: Line[] = visible.flatMap((field, index): Line[] => {
    const line = { field, index };
    return visible[index - 1]?.group === field.group ? [line] : [{ heading: field.group }, line];
  });
  const selected = lines.findIndex(
    (line) => 'index' in line && line.index === Math.min(state.field, visible.length - 1),
  );
  const { from, to } = windowOf(lines.length, selected, area.rows);
  const rows = lines
    .slice(from, to)
    .map((line) =>
      'heading' in line
        ? headingRow(line.heading, area, draw)
        : fieldRow(line.field, line.index === Math.min(state.field, visible.length - 1), state, area, draw),
    );
  return marked(rows, { above: from > 0, below: to < lines.length }, area, draw);
}

function headingRow(heading: string, { columns }: Area, { glyphs }: Draw): Row {
  const line = glyphs.horizontal.repeat(Math.max(0, columns - heading.length - 3));
  return [
    [`${heading} `, theme.accent],
    [line, theme.dim],
  ];
}

function fieldRow(field: Field, selected: boolean, state: State, { columns }: Area, draw: Draw): Row {
  const { glyphs } = draw;
  const { text, written } = shownValue(field, state.document.run, state.answer);
  const room = columns - 5 - Math.min(18, widthOf(field.label));
  const value = clipText(text, Math.max(4, room), glyphs.ellipsis);
  const broken = !state.answer.ok && state.answer.key === field.key;
  const held = state.held.includes(field.key) && searchedKeys.includes(field.key) ? '=' : ' ';
  const label = clipText(field.label, columns - widthOf(value) - 4, glyphs.ellipsis);
  const gap = ' '.repeat(Math.max(1, columns - widthOf(label) - widthOf(value) - 4));
  const pointer = selected ? glyphs.pointer : ' ';
  if (selected && state.focus === 'scenario') {
    return [
      [`${pointer}${label}${gap}`, theme.selected],
      [value, { ...theme.selected, bold: true }],
      [` ${held} `, theme.selected],
    ];
  }
  const end: Span = broken ? [` ${glyphs.overflows} `, theme.bad] : [` ${held} `, theme.dim];
  return [
    [`${pointer}${label}${gap}`, written ? undefined : theme.dim],
    [value, valueLook(field, written, broken)],
    end,
  ];
}

function valueLook({ kind }: Field, written: boolean, broken: boolean): Look | undefined {
  if (broken) return theme.bad;
  if (kind === 'derived') return theme.accent;
  return written ? theme.title : theme.dim;
}

/** Signs in the last column that there is more above or below. */
function marked(
  rows: readonly Row[],
  more: { readonly above: boolean; readonly below: boolean },
  { columns }: Area,
  { glyphs }: Draw,
): Row[] {
  return rows.map((row, index) => {
    const sign = index === 0 && more.above ? glyphs.up : index === rows.length - 1 && more.below ? glyphs.down : '';
    if (sign === '') return row;
    const last = row.at(-1);
    const width = row.reduce((sum, [text]) => sum + widthOf(text), 0);
    if (last !== undefined && width >= columns)
      return [...row.slice(0, -1), [last[0].slice(0, -1), last[1]], [sign, theme.accent]];
    return [...row, [' '.repeat(columns - 1 - width)], [sign, theme.accent]];
  });
}
