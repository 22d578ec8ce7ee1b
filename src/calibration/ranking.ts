import type { MeasuredRun } from './runs.js';
import { groupBy, mean, median } from './statistics.js';

/** How good the plans are that the model would pick: measured time of its first choice over the measured best, minus 1. */
export interface RankingScore {
  readonly sweeps: number;
  readonly medianRegret: number | null;
  readonly worstRegret: number | null;
}

export interface RankedRun {
  readonly run: MeasuredRun;
  readonly measuredSeconds: number;
  readonly predictedSeconds: number;
}

const smallestSweep = 3;

export function scoreRanking(runs: readonly RankedRun[]): RankingScore {
  const sweeps = [...groupBy(runs, sweepKey).values()].filter((sweep) => sweep.length >= smallestSweep);
  const regrets = sweeps.map(regretOf);
  return {
    sweeps: regrets.length,
    medianRegret: median(regrets),
    worstRegret: regrets.length === 0 ? null : Math.max(...regrets),
  };
}

/** Plans that the model cannot tell apart count with the mean of their measured times: it would pick any of them. */
function regretOf(sweep: readonly RankedRun[]): number {
  const best = Math.min(...sweep.map((run) => run.measuredSeconds));
  const promised = Math.min(...sweep.map((run) => run.predictedSeconds));
  const chosen = sweep.filter((run) => run.predictedSeconds <= promised * (1 + 1e-9));
  const regret = (mean(chosen.map((run) => run.measuredSeconds)) ?? best) / best - 1;
  return Math.max(0, regret);
}

/** Rows of one sweep answer the same question and differ only in strategy: layout, kernels, recomputation. */
function sweepKey({ run }: RankedRun): string {
  const file = run.run;
  const strategy = (file.strategy ?? {}) as Record<string, unknown>;
  const question = [file.model, file.accelerators, file.cluster, file.sequenceLength];
  return JSON.stringify([run.family, ...question, strategy.globalBatchSize, strategy.precision]);
}
