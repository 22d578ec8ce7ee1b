import type { StepSample } from '../../interop/stepLog.js';
import { median } from '../statistics.js';

/** What a run takes once it runs: its warm-up dropped, single slow steps (checkpoints, evaluation) outvoted. */
export interface SteadySteps {
  readonly seconds: number;
  /** Relative spread of the steps: 1.4826 times the median distance from the median, which slow steps do not move. */
  readonly spread: number;
  readonly kept: number;
  readonly warmUp: number;
}

/** The first steps count as warm-up while they take so much longer than the second half of the log. */
const warmUpFactor = 1.15;
const fewestSteps = 3;

/** Null where fewer than three steps are left. */
export function steadySteps(samples: readonly StepSample[]): SteadySteps | null {
  const sorted = samples.toSorted((a, b) => a.step - b.step);
  const late = median(sorted.slice(Math.floor(sorted.length / 2)).map(({ seconds }) => seconds));
  if (late === null) return null;
  let warmUp = 0;
  while (warmUp < sorted.length / 2 && (sorted[warmUp]?.seconds ?? 0) > warmUpFactor * late) warmUp++;
  const kept = sorted.slice(warmUp).map(({ seconds }) => seconds);
  const middle = median(kept);
  if (middle === null || kept.length < fewestSteps) return null;
  const distance = median(kept.map((seconds) => Math.abs(seconds - middle))) ?? 0;
  return { seconds: middle, spread: (1.4826 * distance) / middle, kept: kept.length, warmUp };
}

/**
 * The spread of one rank behind the spread of a step that waits for the slowest of n: the largest of n normal draws has the standard
 * deviation sigma pi / sqrt(6) / sqrt(2 ln n) for large n (Gumbel's limit).
 */
export function rankJitter(stepSpread: number, ranks: number): number {
  return (stepSpread * Math.sqrt(6) * Math.sqrt(2 * Math.log(Math.max(ranks, 2)))) / Math.PI;
}
