import { SlipwayError } from '../errors.js';
import type { Prepared } from './prepare.js';

/** What makes a real step uneven: slow accelerators, slow links, noise in every pass. */
export interface Perturbation {
  /** Global rank -> how many times as long its compute takes, 1.3 for 30 % slower. */
  readonly slowRanks: ReadonlyMap<number, number>;
  /** How many times as long messages and data-parallel traffic take. */
  readonly linkFactor: number;
  /** Standard deviation of a pass over its mean. */
  readonly jitter: number;
  /** The same seed gives the same noise, pass by pass. */
  readonly seed: number;
}

/** Stretches tasks as a perturbation says. */
export interface Stretch {
  compute(stage: number, seconds: number): number;
  link(seconds: number): number;
}

/**
 * A slow accelerator slows its whole stage: tensor- and context-parallel ranks wait for it in every layer, and the other
 * replicas at the end of the step.
 */
export function stretchOf(p: Prepared, perturbation: Perturbation): Stretch {
  const perStage = p.degrees.accelerators / p.degrees.pipelineParallel;
  const stageFactor = new Float64Array(p.degrees.pipelineParallel).fill(1);
  for (const [rank, factor] of perturbation.slowRanks) {
    if (!Number.isInteger(rank) || rank < 0 || rank >= p.degrees.accelerators) {
      throw new SlipwayError(
        'invalid-degrees',
        `slow rank ${rank} is not one of the ${p.degrees.accelerators} accelerators; use 0 to ${p.degrees.accelerators - 1}`,
        { key: 'slowRank' },
      );
    }
    const stage = Math.floor(rank / perStage);
    stageFactor[stage] = Math.max(stageFactor[stage] ?? 1, factor);
  }
  const noise = normalDraws(perturbation.seed);
  const { jitter, linkFactor } = perturbation;
  return {
    compute: (stage, seconds) => {
      const drawn = jitter > 0 ? Math.max(0.1, 1 + jitter * noise()) : 1;
      return seconds * (stageFactor[stage] ?? 1) * drawn;
    },
    link: (seconds) => seconds * linkFactor,
  };
}

/** Standard normal draws: mulberry32 and the polar method (Marsaglia & Bray 1964). */
function normalDraws(seed: number): () => number {
  let state = seed >>> 0;
  const uniform = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  return () => {
    for (;;) {
      const x = 2 * uniform() - 1;
      const y = 2 * uniform() - 1;
      const square = x * x + y * y;
      if (square > 0 && square < 1) return x * Math.sqrt((-2 * Math.log(square)) / square);
    }
  };
}

/** A step on one pipeline under noise, and what the slowest of all replicas takes. */
export interface StepAtScale {
  readonly meanSeconds: number;
  readonly deviationSeconds: number;
  /** Expected maximum over the data-parallel replicas, which all wait for the slowest. */
  readonly slowestSeconds: number;
}

/**
 * Expected maximum of n normal draws, in standard deviations above the mean: the quantile (n - 0.375) / (n + 0.25) (Blom 1958);
 * 0 for one draw.
 */
export function expectedMaximum(n: number): number {
  return n <= 1 ? 0 : normalQuantile((n - 0.375) / (n + 0.25));
}

/** Mean, deviation and expected maximum over `replicas` of the step times in `samples`. */
export function stepAtScale(samples: readonly number[], replicas: number): StepAtScale {
  const meanSeconds = samples.reduce((sum, s) => sum + s, 0) / samples.length;
  const square = samples.reduce((sum, s) => sum + (s - meanSeconds) ** 2, 0) / Math.max(1, samples.length - 1);
  const deviationSeconds = Math.sqrt(square);
  return { meanSeconds, deviationSeconds, slowestSeconds: meanSeconds + deviationSeconds * expectedMaximum(replicas) };
}

/** Inverse of the normal distribution for p >= 0.5 (Abramowitz & Stegun 26.2.23, error below 4.5e-4). */
function normalQuantile(p: number): number {
  const t = Math.sqrt(-2 * Math.log(1 - p));
  const upper = 2.515517 + 0.802853 * t + 0.010328 * t * t;
  const lower = 1 + 1.432788 * t + 0.189269 * t * t + 0.001308 * t * t * t;
  return t - upper / lower;
}
