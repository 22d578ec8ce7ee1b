import { presetText } from '../../../report/presetText.js';
import { readPreset } from '../../../scenario/presetFiles.js';
import { presetFacts } from '../scenario/presetFacts.js';
import { clipText, fitted, type Row, type Span } from '../screen/row.js';
import { presetKinds, shownPresets } from '../state/actions/presetActions.js';
import type { PresetTab, State } from '../state/state.js';
import { type Area, type Draw, theme, windowOf } from './draw.js';

/** Presets of a kind to the left, every figure of the selected one with its source to the right or below. */
export function presetsView(state: State, area: Area, draw: Draw): Row[] {
  const { presets } = state;
  const ids = shownPresets(state);
  const id = ids[Math.min(presets.selected, ids.length - 1)];
  const head = headRow(state, ids.length);
  if (id === undefined) return [head, [['no preset matches the filter; esc clears it', theme.dim]]];
  const wide = area.columns >= 90;
  const listRows = wide ? area.rows - 1 : Math.max(4, Math.floor(area.rows / 2) - 2);
  const listColumns = wide ? Math.min(64, Math.floor(area.columns * 0.45)) : area.columns;
  const list = listOf(state, ids, { rows: listRows, columns: listColumns }, draw);
  const textColumns = wide ? area.columns - listColumns - 2 : area.columns - 1;
  const text = textOf(presets.kind, id, textColumns);
  const first = Math.min(presets.first, Math.max(0, text.length - 3));
  if (!wide) return [head, ...list, [[draw.glyphs.horizontal.repeat(area.columns), theme.dim]], ...text.slice(first)];
  const lines = Array.from(
    { length: area.rows - 1 },
    (_, index): Row => [
      ...fitted(list[index] ?? [], listColumns),
      [`${draw.glyphs.vertical} `, theme.dim],
      ...(text[first + index] ?? []),
    ],
  );
  return [head, ...lines];
}

function headRow({ presets }: State, count: number): Row {
  const filter = presets.filter === '' ? '' : `  /${presets.filter}`;
  return [
    ...presetKinds.flatMap((kind): Span[] => [
      [` ${kind} `, kind === presets.kind ? theme.selected : theme.dim],
      [' '],
    ]),
    [`${count}`, theme.dim],
    [filter, theme.accent],
  ];
}

function listOf(state: State, ids: readonly string[], { rows, columns }: Area, { glyphs }: Draw): Row[] {
  const { selected, kind } = state.presets;
  const { from, to } = windowOf(ids.length, selected, rows);
  const shown = ids.slice(from, to);
  const width = Math.max(...shown.map((id) => id.length));
  return shown.map((id, index): Row => {
    const chosen = from + index === selected;
    const facts = clipText(presetFacts(kind, readPreset(kind, id)), Math.max(0, columns - width - 4), glyphs.ellipsis);
    return [
      [`${chosen ? glyphs.pointer : ' '}${id.padEnd(width)}`, chosen ? theme.selected : undefined],
      [`  ${facts}`, theme.dim],
    ];
  });
}

/** The text of `slipway presets show`; laid out once for a preset and a width. */
function textOf(kind: PresetTab, id: string, columns: number): readonly Row[] {
  const key = `${kind}/${id}/${columns}`;
  const known = texts.get(key);
  if (known !== undefined) return known;
  const { data } = readPreset(kind, id);
  const preset = typeof data === 'object' && data !== null ? { ...data } : {};
  const rows = presetText(preset, { columns: Math.max(40, columns), color: false })
    .trimEnd()
    .split('\n')
    .map((line): Row => [[line, line === 'Sources' ? theme.title : undefined]]);
  if (texts.size > 100) texts.clear();
  texts.set(key, rows);
  return rows;
}

const texts = new Map<string, readonly Row[]>();
