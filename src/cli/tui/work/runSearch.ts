import { performance } from 'node:perf_hooks';
import {
  type PlanProgress,
  type PlanRequest,
  type PlanResult,
  planSearch,
  type RunFileInput,
  resolveScenario,
} from '../../../index.js';
import type { RunValue } from '../scenario/runValue.js';
import { PlanRows } from './planRow.js';
import type { PlanRow, SearchProgress } from './search.js';

/** Plans that the table lists, each of other degrees; the Pareto front comes on top. More would take the search much longer. */
const mostPlans = 20;
/** Progress is shown ten times a second. */
const newsMilliseconds = 100;

export interface SearchNews {
  readonly rows: readonly PlanRow[];
  readonly progress: SearchProgress;
  readonly done: boolean;
}

/** The question of the Plan tab. Number formats decide what is learned, so they stay whether the run file gives them or not. */
export function planRequest(run: RunValue, baseDirectory: string): PlanRequest {
  const scenario = resolveScenario(run as RunFileInput, { baseDirectory });
  const { precision, gradientDtype } = scenario.strategy;
  return { scenario, fix: { precision: [precision], gradientDtype: [gradientDtype] } };
}

/** Searches the strategies that leave the held keys alone, and tells the best ones so far until it is done. */
export async function* searchPlans(
  run: RunValue,
  held: readonly string[],
  baseDirectory: string,
  signal: AbortSignal,
): AsyncGenerator<SearchNews> {
  const request = planRequest(run, baseDirectory);
  const rows = new PlanRows(run, held, request.scenario);
  const search = planSearch({
    ...request,
    top: mostPlans,
    diverse: true,
    pareto: ['step', 'memory'],
    signal,
    now: () => performance.now() / 1000,
  });
  let last = Number.NEGATIVE_INFINITY;
  for (;;) {
    const { done, value } = await search.next();
    if (done === true) {
      yield { rows: rows.of(value.plans), progress: endOf(value), done: true };
      return;
    }
    const now = performance.now();
    if (now - last < newsMilliseconds) continue;
    last = now;
    yield { rows: rows.of(value.plans), progress: progressOf(value), done: false };
  }
}

function progressOf(progress: PlanProgress): SearchProgress {
  return {
    evaluated: progress.evaluated,
    simulated: progress.simulated,
    fractionDone: progress.fractionDone,
    secondsLeft: progress.secondsLeft ?? undefined,
    rejected: Object.entries(progress.rejectedByReason),
    nearestMiss: undefined,
  };
}

function endOf(result: PlanResult): SearchProgress {
  return {
    evaluated: result.evaluated,
    simulated: result.simulated,
    fractionDone: result.complete ? 1 : 0,
    secondsLeft: undefined,
    rejected: Object.entries(result.rejectedByReason),
    nearestMiss: result.nearestMiss?.reason.message,
  };
}
