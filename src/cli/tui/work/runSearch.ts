import { performance } from 'node:perf_hooks';
import {
  countParameters,
  type Plan,
  type PlanProgress,
  type PlanResult,
  planSearch,
  type RunFileInput,
  resolveScenario,
  type Scenario,
  type Strategy,
} from '../../../index.js';
import { throughput } from '../../../planner/throughput.js';
import { type RunValue, withValues } from '../scenario/runValue.js';
import { type PlanRow, type SearchProgress, searchedKeys } from './search.js';

/** Plans that the table lists, each of other degrees; the Pareto front comes on top. More would take the search much longer. */
const mostPlans = 20;
/** Progress is shown ten times a second. */
const newsMilliseconds = 100;

export interface SearchNews {
  readonly rows: readonly PlanRow[];
  readonly progress: SearchProgress;
  readonly done: boolean;
}

/** Searches the strategies that leave the held keys alone, and tells how far it is until it is done. */
export async function* searchPlans(
  run: RunValue,
  held: readonly string[],
  baseDirectory: string,
  signal: AbortSignal,
): AsyncGenerator<SearchNews> {
  const scenario = resolveScenario(run as RunFileInput, { baseDirectory });
  const pack = (plan: Plan, onFront: boolean): PlanRow => rowOf(plan, { run, held, scenario, onFront });
  const search = planSearch({
    scenario,
    top: mostPlans,
    diverse: true,
    pareto: ['step', 'memory'],
    signal,
    now: () => performance.now() / 1000,
  });
  const seen = new Map<string, PlanRow>();
  let last = Number.NEGATIVE_INFINITY;
  for (;;) {
    const step = await search.next();
    if (step.done) {
      yield { rows: rowsOf(step.value, pack), progress: endOf(step.value), done: true };
      return;
    }
    const { best } = step.value;
    if (best !== null) seen.set(JSON.stringify(best.strategy), pack(best, false));
    const now = performance.now();
    if (now - last < newsMilliseconds) continue;
    last = now;
    yield { rows: [...seen.values()], progress: progressOf(step.value), done: false };
  }
}

function rowsOf({ plans, pareto }: PlanResult, pack: (plan: Plan, onFront: boolean) => PlanRow): PlanRow[] {
  const front = new Set(pareto);
  return plans.map((plan, index) => pack(plan, front.has(index)));
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

interface Packing {
  readonly run: RunValue;
  readonly held: readonly string[];
  readonly scenario: Scenario;
  readonly onFront: boolean;
}

function rowOf({ strategy: s, evaluation }: Plan, { run, held, scenario, onFront }: Packing): PlanRow {
  const { deviceBytes, capacityBytes, stepSeconds, dataParallel } = evaluation;
  const active = countParameters(scenario.model).active;
  const { tokensPerSecond, mfu } = throughput({ ...scenario, strategy: s }, evaluation, 'megatron', active);
  return {
    run: withValues(run, writtenStrategy(s, held)),
    tensorParallel: s.tensorParallel,
    contextParallel: s.contextParallel,
    pipelineParallel: s.pipelineParallel,
    virtualStages: s.virtualStages,
    expertParallel: s.expertParallel,
    dataParallel,
    microBatchSize: s.microBatchSize,
    schedule: s.pipelineSchedule,
    dataSharding: s.dataSharding,
    recompute: s.recompute,
    deviceBytes,
    capacityBytes,
    stepSeconds,
    tokensPerSecond,
    mfu,
    onFront,
  };
}

/** The searched keys as a run file writes them: an empty list is no list. */
function writtenStrategy(strategy: Strategy, held: readonly string[]): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const key of searchedKeys) {
    if (held.includes(key)) continue;
    const value: unknown = Object(strategy)[key.replace('strategy.', '')];
    values[key] = Array.isArray(value) && value.length === 0 ? undefined : value;
  }
  return values;
}
