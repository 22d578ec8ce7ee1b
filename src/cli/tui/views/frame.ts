import { basename } from 'node:path';
import { blank, fitted, type Row, type Span, spread, tall, wrapText } from '../screen/row.js';
import { selectedField } from '../state/actions/scenarioActions.js';
import { isUnsaved, shownAnswer } from '../state/change.js';
import { type State, type TabId, tabs, tabTitles } from '../state/state.js';
import { compareView } from './compare.js';
import { type Area, type Draw, theme } from './draw.js';
import { memoryView } from './memory.js';
import { overview } from './overview.js';
import { planView } from './plan.js';
import { presetsView } from './presets.js';
import { promptLine, promptOver } from './prompt.js';
import { runView } from './run.js';
import { scenarioPane } from './scenario.js';
import { statusLine } from './status.js';
import { timelineView } from './timeline.js';
import { headline } from './verdict.js';
import { whatifView } from './whatif.js';

type View = (state: State, area: Area, draw: Draw) => Row[];

const views: Readonly<Record<TabId, View>> = {
  overview,
  memory: memoryView,
  timeline: timelineView,
  plan: planView,
  compare: compareView,
  whatif: whatifView,
  run: runView,
  presets: presetsView,
};

/** Smaller than this nothing can be read. */
const least = { columns: 40, rows: 10 };
/** Below this width scenario and tab take turns. */
const besideFrom = 72;

/** The whole screen but its last line, which a terminal would scroll at; every row exactly as wide as the screen. */
export function frame(state: State, draw: Draw): Row[] {
  const { columns } = state.size;
  const height = Math.max(1, state.size.rows - 1);
  if (columns < least.columns || state.size.rows < least.rows) return tooSmall(state, columns, height);
  const body = bodyRows(state, { columns, rows: height - 4 }, draw);
  const rows = [
    headRow(state, columns, draw),
    tabRow(state, columns),
    ...body,
    noteRow(state, columns, draw),
    statusLine(state, columns, draw),
  ];
  return tall(rows, height).map((row) => fitted(row, columns));
}

function tooSmall({ size }: State, columns: number, height: number): Row[] {
  const text = `slipway needs ${least.columns} x ${least.rows}, this is ${size.columns} x ${size.rows}`;
  const lines = wrapText(text, Math.max(8, columns)).map((line): Row => [[line]]);
  return tall(lines, height).map((row) => fitted(row, columns));
}

function headRow(state: State, columns: number, draw: Draw): Row {
  const { document } = state;
  const name = document.file === undefined ? 'unsaved' : basename(document.file);
  const changed = isUnsaved(state) && document.file !== undefined ? ' *' : '';
  const shown = shownAnswer(state);
  const right: Row = state.answer.ok
    ? shown === undefined
      ? []
      : headline(shown, draw)
    : [[`${draw.glyphs.overflows} cannot run`, theme.bad]];
  return spread(
    [
      [' slipway ', theme.selected],
      [` ${name}${changed}`, theme.title],
    ],
    [...right, [' ']],
    columns,
  );
}

/** Titles in full while they fitted, else only the open one. */
function tabRow(state: State, columns: number): Row {
  const whole = tabs.reduce((sum, tab) => sum + tabTitles[tab].length + 3, 1);
  return tabs.flatMap((tab, index): Span[] => {
    const open = tab === state.tab;
    const title = whole > columns && !open ? '' : ` ${tabTitles[tab]}`;
    const look = open ? (state.focus === 'view' ? theme.selected : openLook) : theme.dim;
    return [[' '], [`${index + 1}${title}`, look]];
  });
}

const openLook = { bold: true, colour: 'cyan' } as const;

function bodyRows(state: State, area: Area, draw: Draw): Row[] {
  const left = paneColumns(area.columns);
  const over = (room: Area): Row[] => promptOver(state, room, draw) ?? views[state.tab](state, room, draw);
  if (area.columns < besideFrom) {
    const alone = state.focus === 'scenario' && !hasOver(state) ? scenarioPane(state, area, draw) : over(area);
    return tall(alone, area.rows);
  }
  const right: Area = { columns: area.columns - left - 2, rows: area.rows };
  const pane = scenarioPane(state, { columns: left, rows: area.rows }, draw);
  const view = clipped(over(right), right, draw);
  return Array.from(
    { length: area.rows },
    (_, index): Row => [
      ...fitted(pane[index] ?? blank, left),
      [`${draw.glyphs.vertical} `, theme.dim],
      ...fitted(view[index] ?? blank, right.columns),
    ],
  );
}

function hasOver({ prompt }: State): boolean {
  return prompt?.kind === 'choose' || prompt?.kind === 'export' || prompt?.kind === 'help';
}

/** What does not fit ends in a sign that there is more. */
function clipped(rows: readonly Row[], { rows: room }: Area, { glyphs }: Draw): readonly Row[] {
  if (rows.length <= room) return rows;
  return [...rows.slice(0, room - 1), [[`${glyphs.down} ${rows.length - room + 1} more lines`, theme.dim]]];
}

export function paneColumns(columns: number): number {
  if (columns < 90) return 30;
  return columns < 150 ? 38 : 44;
}

/** What is asked, else what was said, else what the selected field means. */
function noteRow(state: State, columns: number, draw: Draw): Row {
  const asked = promptLine(state, columns);
  if (asked !== undefined) return asked;
  const { message } = state;
  if (message !== undefined) {
    const look = message.tone === 'bad' ? theme.bad : message.tone === 'good' ? theme.good : theme.note;
    return [[` ${message.text}`, look]];
  }
  if (state.focus === 'view') return [[` ${tabHints[state.tab]}`, theme.dim]];
  const field = selectedField(state);
  if (field === undefined) return blank;
  const refusal = !state.answer.ok && state.answer.key === field.key ? state.answer.message : undefined;
  return refusal === undefined
    ? [
        [` ${field.description}`, theme.dim],
        [defaultSource(state, field.key), theme.dim],
      ]
    : [[` ${draw.glyphs.overflows} ${refusal}`, theme.bad]];
}

function defaultSource({ answer }: State, key: string): string {
  if (!answer.ok) return '';
  const filled = answer.estimate.run.defaultsFilledIn.find((one) => one.key === key);
  return filled === undefined ? '' : `  (${filled.from}'s default)`;
}

const tabHints: Readonly<Record<TabId, string>> = {
  overview: 'advice is what one change would bring; esc goes back to the scenario',
  memory: 'bytes of every pipeline stage on one accelerator; esc goes back to the scenario',
  timeline: 'every task of one step as it was simulated; esc goes back to the scenario',
  plan: 'strategies that fit; enter loads one, esc goes back to the scenario',
  compare: 'pinned scenarios beside the present one; esc goes back to the scenario',
  whatif: 'one figure over the values of a field; esc goes back to the scenario',
  run: 'from the first step to the last; esc goes back to the scenario',
  presets: 'what ships with slipway, every figure with its source; esc goes back to the scenario',
};
