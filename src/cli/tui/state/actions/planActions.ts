import { canonical, withValue, writtenAt } from '../../scenario/runValue.js';
import { withoutDefaults } from '../../scenario/withoutDefaults.js';
import { type PlanRow, searchedKeys } from '../../work/search.js';
import { changeRun } from '../change.js';
import { only, type PlanSort, type Result, type State, saying } from '../state.js';
import { type Actions, listActions } from './action.js';
import { openFilter } from './filters.js';
import { openWhyNot } from './whyNotActions.js';

const sorts: readonly PlanSort[] = ['tokens', 'memory', 'risk', 'tp', 'pp', 'dp'];

const orderOf: Readonly<Record<PlanSort, (a: PlanRow, b: PlanRow) => number>> = {
  tokens: (a, b) => b.tokensPerSecond - a.tokensPerSecond,
  memory: (a, b) => a.deviceBytes - b.deviceBytes,
  risk: (a, b) => a.probabilityOfNotFitting - b.probabilityOfNotFitting || b.tokensPerSecond - a.tokensPerSecond,
  tp: (a, b) => a.tensorParallel - b.tensorParallel || b.tokensPerSecond - a.tokensPerSecond,
  pp: (a, b) => a.pipelineParallel - b.pipelineParallel || b.tokensPerSecond - a.tokensPerSecond,
  dp: (a, b) => a.dataParallel - b.dataParallel || b.tokensPerSecond - a.tokensPerSecond,
};

/** Plans of the search in the order and through the filter of the table. */
export function shownPlans({ search, plan }: State): readonly PlanRow[] {
  const words = plan.filter.toLowerCase().split(' ').filter(Boolean);
  const rows = (search.result ?? []).filter((row) => {
    const text = planWords(row);
    return words.every((word) => text.some((known) => known.startsWith(word)));
  });
  const sorted = rows.toSorted(orderOf[plan.sort]);
  return plan.reversed ? sorted.reverse() : sorted;
}

function planWords(row: PlanRow): readonly string[] {
  return [
    `tp${row.tensorParallel}`,
    `cp${row.contextParallel}`,
    `pp${row.pipelineParallel}`,
    `vp${row.virtualStages}`,
    `ep${row.expertParallel}`,
    `dp${row.dataParallel}`,
    `mbs${row.microBatchSize}`,
    row.schedule,
    row.dataSharding,
    row.recompute,
    ...(row.onFront ? ['front'] : []),
  ];
}

export const planActions: Actions = {
  ...listActions(
    (state) => shownPlans(state).length,
    ({ plan }) => plan.selected,
    (state, selected) => ({ ...state, plan: { ...state.plan, selected } }),
  ),
  load: (state) => {
    const row = shownPlans(state)[state.plan.selected];
    if (row === undefined) return startSearch(state);
    return only(loaded(state, row));
  },
  search: (state) => startSearch(state),
  stop: (state) => {
    if (!state.search.running && !state.whyNot.running) return only(saying(state, 'no search is running'));
    const whyNot = { ...state.whyNot, running: false };
    // The thread still hands over what it has found.
    return { state: saying({ ...state, whyNot }, 'stopping'), effects: [{ do: 'stopSearch' }] };
  },
  picture: (state) =>
    only({ ...state, plan: { ...state.plan, picture: state.plan.picture === 'table' ? 'scatter' : 'table' } }),
  sort: (state) => {
    const sort = sorts[(sorts.indexOf(state.plan.sort) + 1) % sorts.length] ?? 'tokens';
    return only({ ...state, plan: { ...state.plan, sort, reversed: false, selected: 0 } });
  },
  reverse: (state) => only({ ...state, plan: { ...state.plan, reversed: !state.plan.reversed, selected: 0 } }),
  whyNot: (state) => only(openWhyNot(state)),
  loadAnswer: (state) => {
    const row = state.whyNot.result?.row;
    if (row === undefined) return only(saying(state, 'no why-not has named a plan; w asks one'));
    return only(loaded(state, row));
  },
  filter: (state) => only(openFilter(state, 'plan')),
};

function loaded(state: State, row: PlanRow): State {
  const { document } = state;
  const chosen = Object.keys(Object(row.run.strategy)).map((key) => `strategy.${key}`);
  const added = chosen.filter((key) => searchedKeys.includes(key) || writtenAt(document.run, key) === undefined);
  const run = withoutDefaults(row.run, added, document.baseDirectory);
  return saying(changeRun(state, run), 'plan loaded into the scenario; u undoes it', 'good');
}

/** What a search asks: the run without the keys that it may change. */
export function searchQuestion({ document, held }: State): {
  readonly id: string;
  readonly run: State['document']['run'];
} {
  const free = searchedKeys.filter((key) => !held.includes(key));
  const run = free.reduce((value, key) => withValue(value, key, undefined), document.run);
  return { id: `${document.baseDirectory}\n${canonical(run)}\n${held.join()}`, run };
}

export function startSearch(state: State): Result {
  const { id, run } = searchQuestion(state);
  const search = {
    asked: id,
    running: true,
    result: undefined,
    resultFor: undefined,
    problem: undefined,
    progress: undefined,
  };
  const { held, document } = state;
  const { baseDirectory } = document;
  return {
    state: { ...state, search, plan: { ...state.plan, selected: 0 } },
    effects: [{ do: 'search', id, run, held, baseDirectory }],
  };
}
