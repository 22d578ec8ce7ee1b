import { formatBytes, formatCount, formatRatio, formatSeconds, grouped } from '../../../quantity/format.js';
import { blank, fitted, type Row, spread, wrapText } from '../screen/row.js';
import { searchQuestion, shownPlans } from '../state/actions/planActions.js';
import type { State } from '../state/state.js';
import type { PlanRow } from '../work/search.js';
import { type Area, type Draw, plainBar, theme, windowOf } from './draw.js';

/** The search as it runs: progress, plans as a table or a scatter, and why other strategies are not among them. */
export function planView(state: State, area: Area, draw: Draw): Row[] {
  const { search } = state;
  const head = headRows(state, area, draw);
  if (search.asked === undefined) return head;
  const foot = whyNotRows(state, area);
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
  if (search.running) return [[['nothing that fits yet', theme.dim]]];
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
  ];
  return all.filter(({ from }) => area.columns >= from);
};

const sortTitles = { tokens: 'tok/s', memory: 'GiB', tp: 'tp', pp: 'pp', dp: 'dp' } as const;

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

/** Memory to the right, speed upwards: what lies on the upper left edge is on the Pareto front. */
function scatterRows(state: State, rows: readonly PlanRow[], room: number, area: Area, { glyphs }: Draw): Row[] {
  const width = Math.max(10, area.columns - 9);
  const height = Math.max(3, room - 2);
  const bytes = rows.map((row) => row.deviceBytes);
  const speeds = rows.map((row) => row.tokensPerSecond);
  const [leastBytes, mostBytes] = [Math.min(...bytes), Math.max(...bytes)];
  const [leastSpeed, mostSpeed] = [Math.min(...speeds), Math.max(...speeds)];
  const cells = Array.from(
    { length: height },
    () => new Map<number, { readonly glyph: string; readonly rank: number }>(),
  );
  rows.forEach((row, index) => {
    const x = Math.round(((row.deviceBytes - leastBytes) / (mostBytes - leastBytes || 1)) * (width - 1));
    const y = Math.round((1 - (row.tokensPerSecond - leastSpeed) / (mostSpeed - leastSpeed || 1)) * (height - 1));
    const rank = index === state.plan.selected ? 2 : row.onFront ? 1 : 0;
    const glyph = [glyphs.dot, glyphs.mark, glyphs.cursor][rank] ?? glyphs.dot;
    const here = cells[y]?.get(x);
    if (here === undefined || here.rank < rank) cells[y]?.set(x, { glyph, rank });
  });
  const picture = cells.map((line, y): Row => {
    const label = y === 0 ? formatCount(mostSpeed) : y === height - 1 ? formatCount(leastSpeed) : '';
    const looks = [theme.dim, theme.accent, theme.selected] as const;
    return [
      [`${label.padStart(7)}${glyphs.vertical}`, theme.dim],
      ...Array.from({ length: width }, (_, x) => {
        const cell = line.get(x);
        return cell === undefined ? ([' '] as const) : ([cell.glyph, looks[cell.rank]] as const);
      }),
    ];
  });
  const chosen = rows[state.plan.selected];
  return [
    ...picture,
    spread(
      [['        '], [formatBytes(leastBytes), theme.dim]],
      [[`${formatBytes(mostBytes)} `, theme.dim]],
      area.columns,
    ),
    [
      ['tokens/s up, memory right  ', theme.dim],
      [chosen === undefined ? '' : shapeOf(chosen), theme.accent],
    ],
  ];
}

function shapeOf(row: PlanRow): string {
  return `tp${row.tensorParallel} pp${row.pipelineParallel} vp${row.virtualStages} dp${row.dataParallel} ${row.dataSharding}: ${formatSeconds(row.stepSeconds)}, ${formatBytes(row.deviceBytes)}`;
}

/** Where the other candidates went, the most frequent reason first. */
function whyNotRows({ search }: State, { columns, rows }: Area): Row[] {
  const rejected = search.progress?.rejected ?? [];
  if (rejected.length === 0) return [];
  const words = rejected.map(([reason, count]) => `${reasonWords[reason] ?? reason} ${grouped(count)}`);
  const lines = wrapText(words.join(', '), columns - 10).slice(0, rows < 24 ? 2 : 4);
  return lines.map(
    (line, index): Row => [
      [index === 0 ? 'Why not  ' : '         ', theme.title],
      [line, theme.dim],
    ],
  );
}

const reasonWords: Readonly<Record<string, string>> = {
  memory: 'does not fit',
  bound: 'cannot be faster',
  condition: 'breaks a condition',
  worse: 'slower when simulated',
};
