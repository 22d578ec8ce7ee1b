import { formatBytes, formatCount, formatRatio, formatSeconds, grouped } from '../../../quantity/format.js';
import { chanceOfNotFitting } from '../../../report/uncertaintyLines.js';
import { blank, clipText, fitted, type Row, wrapText } from '../screen/row.js';
import { searchQuestion, shownPlans } from '../state/actions/planActions.js';
import type { State } from '../state/state.js';
import type { PlanRow } from '../work/search.js';
import { type Area, type Draw, plainBar, theme, windowOf } from './draw.js';
import { scatterRows } from './planScatter.js';
import { whyNotRows } from './whyNot.js';

/** The search as it runs: progress, plans as a table or a scatter, and why other strategies are not among them. */
export function planView(state: State, area: Area, draw: Draw): Row[] {
  const { search } = state;
  const head = headRows(state, area, draw);
  if (search.asked === undefined) return head;
  const foot = [...detailRows(state, area, draw), ...whyNotRows(state, area)];
  const room = Math.max(2, area.rows - head.length - foot.length);
  const rows = shownPlans(state);
  if (rows.length === 0) return [...head, ...emptyRows(state, area), ...foot];
  const body =
    state.plan.picture === 'table'
      ? tableRows(state, rows, room, area, draw)
      : scatterRows(state, rows, room, area, draw);
  return [...head, ...body, ...foot];
}

function headRows(state: State, { columns }: Area, draw: Draw): Row[] {
  const { search, plan } = state;
  if (search.asked === undefined) {
    const keep =
      'It keeps model, cluster, accelerators, batch and precision, and any field that f holds in the scenario.';
    return [
      [['Search for the fastest strategy that fits', theme.title]],
      blank,
      [['r', theme.key], [' starts the search.']],
      ...wrapText(keep, columns - 1).map((line): Row => [[line, theme.dim]]),
    ];
  }
  const { progress } = search;
  const order = `sorted by ${sortWords[plan.sort]}${plan.reversed ? ', reversed' : ''}`;
  const stale = searchQuestion(state).id !== search.asked ? '  scenario changed since: r searches again' : '';
  const counts =
    progress === undefined
      ? 'starting'
      : `${grouped(progress.evaluated)} tried, ${grouped(progress.simulated)} confirmed`;
  const left = progress?.secondsLeft === undefined ? '' : `, ${formatSeconds(progress.secondsLeft)} left`;
  const filter = plan.filter === '' ? '' : `  /${plan.filter}`;
  const title = search.running ? 'Searching' : endTitle(search);
  const bar: Row = search.running
    ? plainBar(progress?.fractionDone ?? 0, 1, Math.max(4, Math.min(30, columns - 50)), theme.accent, draw)
    : [];
  return [
    [[title, theme.title], [`  ${counts}${search.running ? left : ''} `, theme.dim], ...bar],
    [
      [order, theme.dim],
      [filter, theme.accent],
      [stale, theme.note],
    ],
  ];
}

function endTitle({ problem, progress }: State['search']): string {
  if (problem !== undefined) return 'Search failed';
  return progress?.fractionDone === 1 ? 'Search done' : 'Search stopped';
}

function emptyRows({ search, plan }: State, { columns }: Area): Row[] {
  if (search.problem !== undefined) return wrapText(search.problem, columns - 1).map((line) => [[line, theme.bad]]);
  if (plan.filter !== '' && (search.result?.length ?? 0) > 0)
    return [[['no plan matches the filter; esc clears it', theme.dim]]];
  if (search.running) return [[['no plan is confirmed yet; the most promising ones come first', theme.dim]]];
  const miss = search.progress?.nearestMiss;
  const text =
    miss === undefined ? 'nothing fits: more accelerators, or free held fields' : `nothing fits; nearest: ${miss}`;
  return wrapText(text, columns - 1).map((line) => [[line, theme.bad]]);
}

interface Column {
  readonly title: string;
  readonly width: number;
  readonly cell: (row: PlanRow) => string;
}

const columnsOf = (area: Area): readonly Column[] => {
  const all: readonly (Column & { readonly from: number })[] = [
    { title: 'tp', width: 3, from: 0, cell: (row) => `${row.tensorParallel}` },
    { title: 'cp', width: 3, from: 56, cell: (row) => `${row.contextParallel}` },
    { title: 'pp', width: 3, from: 0, cell: (row) => `${row.pipelineParallel}` },
    { title: 'vp', width: 3, from: 0, cell: (row) => `${row.virtualStages}` },
    { title: 'ep', width: 4, from: 60, cell: (row) => `${row.expertParallel}` },
    { title: 'dp', width: 5, from: 50, cell: (row) => `${row.dataParallel}` },
    { title: 'mbs', width: 4, from: 0, cell: (row) => `${row.microBatchSize}` },
    { title: 'sharding', width: 9, from: 70, cell: (row) => row.dataSharding },
    { title: 'schedule', width: 17, from: 108, cell: (row) => row.schedule },
    { title: 'recompute', width: 10, from: 80, cell: (row) => row.recompute },
    { title: 'GiB', width: 6, from: 0, cell: (row) => formatBytes(row.deviceBytes).replace(' GiB', '') },
    { title: 'step', width: 8, from: 0, cell: (row) => formatSeconds(row.stepSeconds) },
    { title: 'tok/s', width: 7, from: 0, cell: (row) => formatCount(row.tokensPerSecond) },
    { title: 'MFU', width: 7, from: 90, cell: (row) => formatRatio(row.mfu) },
    { title: 'risk', width: 6, from: 98, cell: (row) => `${Math.round(100 * row.probabilityOfNotFitting)} %` },
  ];
  return all.filter(({ from }) => area.columns >= from);
};

const sortWords = {
  tokens: 'speed',
  memory: 'memory',
  risk: 'chance of not fitting',
  tp: 'tp',
  pp: 'pp',
  dp: 'dp',
} as const;
const sortTitles = { tokens: 'tok/s', memory: 'GiB', risk: 'risk', tp: 'tp', pp: 'pp', dp: 'dp' } as const;

function tableRows(state: State, rows: readonly PlanRow[], room: number, area: Area, { glyphs }: Draw): Row[] {
  const columns = columnsOf(area);
  const sorted = sortTitles[state.plan.sort];
  const head: Row = [
    ['  '],
    ...columns.map(({ title, width }) => [title.padStart(width), title === sorted ? theme.key : theme.title] as const),
  ];
  const { from, to } = windowOf(rows.length, state.plan.selected, room - 1);
  return [
    head,
    ...rows.slice(from, to).map((row, index): Row => {
      const selected = from + index === state.plan.selected;
      const text = columns.map(({ cell, width }) => cell(row).padStart(width)).join('');
      const mark = row.onFront ? glyphs.mark : ' ';
      const line: Row = [[selected ? glyphs.pointer : ' '], [mark, theme.accent], [text]];
      return selected
        ? fitted(
            line.map(([piece]) => [piece, theme.selected]),
            area.columns - 1,
            theme.selected,
          )
        : line;
    }),
  ];
}

/** What the table has no room for: the selected plan's intervals and its chance of not fitting. */
function detailRows(state: State, { columns, rows: height }: Area, draw: Draw): Row[] {
  const row = shownPlans(state)[state.plan.selected];
  if (row === undefined || height < 14) return [];
  const range = ([low, high]: PlanRow['stepInterval'], text: (value: number) => string): string =>
    `${text(low)} to ${text(high)}`;
  const outside = row.outsideValidatedRange ? '; no published run is like this one' : '';
  const error = `80 %: step ${range(row.stepInterval, formatSeconds)}, MFU ${range(row.mfuInterval, formatRatio)}${outside}`;
  const memory = `${formatBytes(row.deviceBytes)} of ${formatBytes(row.capacityBytes)}, ${chanceOfNotFitting(row.probabilityOfNotFitting)}`;
  const { ellipsis } = draw.glyphs;
  return [
    [[clipText(row.label, columns - 1, ellipsis), theme.accent]],
    ...[error, memory].flatMap((text) => wrapText(text, columns - 1)).map((line): Row => [[line, theme.dim]]),
  ];
}
