import { SlipwayError } from '../../errors.js';
import { type FlopsConvention, modelFlops } from '../../model/flops.js';
import { countParameters } from '../../model/parameters.js';
import type { Scenario } from '../../scenario/scenario.js';
import { evaluateStep } from '../../simulation/evaluateStep.js';
import { type Interval, scaled, uncertaintyOf } from '../../uncertainty/intervals.js';
import { throughput } from '../throughput.js';
import { gapCauses, type SlideCause } from './gapCauses.js';

/** What was measured: the time of a step, or a figure from which it follows with a convention. */
export interface Measured {
  readonly kind: 'seconds' | 'mfu' | 'teraflops' | 'tokensPerSecond';
  readonly value: number;
}

/** One thing that could account for a gap, alone. */
export interface GapExplanation {
  readonly name: string;
  /** The setting that comes closest to what was measured, in words; empty for a switch. */
  readonly setting: string;
  /** The step that the estimate, or the measurement read in another way, then has. */
  readonly stepSeconds: number;
  /** Share of the gap that it accounts for: 1 is all of it, more is too much. */
  readonly explains: number;
  /** Whether it changes the estimate or how the measurement is read. */
  readonly about: 'run' | 'convention';
  readonly fits: boolean;
}

export interface GapReport {
  readonly schemaVersion: 1;
  readonly estimatedSeconds: number;
  /** What 80 % of like runs take: a measurement within it needs no other cause than the model's own error. */
  readonly estimatedSecondsInterval: Interval;
  readonly measuredSeconds: number;
  /** Measured over estimated, minus one. */
  readonly gapDelta: number;
  /** Likeliest first: what accounts for the gap by itself within what has been seen in practice, then what does so in part. */
  readonly causes: readonly GapExplanation[];
}

/** Causes that account for less are left out. */
const LEAST_SHARE = 0.03;
/** One that overshoots by more than this is no explanation by itself. */
const MOST_SHARE = 2.5;

/** Why a measurement differs from the estimate: each possible cause evaluated by itself and ranked by how well it accounts for the gap. */
export function explainGap(
  scenario: Scenario,
  measured: Measured,
  convention: FlopsConvention = 'megatron',
): GapReport {
  const evaluation = evaluateStep(scenario);
  const estimatedSeconds = evaluation.stepSeconds;
  const measuredSeconds = secondsOf(scenario, measured, convention);
  const gap = measuredSeconds - estimatedSeconds;
  const found = gapCauses(scenario).flatMap((cause): Ranked[] => {
    if (cause.kind === 'slide') return slide(cause, estimatedSeconds, measuredSeconds);
    const then = tried(cause.scenario);
    if (then === undefined) return [];
    const explains = gap === 0 ? 0 : (then.stepSeconds - estimatedSeconds) / gap;
    return [
      {
        name: cause.name,
        setting: '',
        stepSeconds: then.stepSeconds,
        explains,
        about: 'run',
        fits: then.fits,
        stretch: 0,
      },
    ];
  });
  const ranked = [...found, ...conventions(scenario, measured, convention, { estimatedSeconds, measuredSeconds })]
    .filter(({ explains }) => explains >= LEAST_SHARE && explains <= MOST_SHARE)
    .sort((a, b) => distance(a) - distance(b));
  return {
    schemaVersion: 1,
    estimatedSeconds,
    estimatedSecondsInterval: scaled(estimatedSeconds, uncertaintyOf(scenario, evaluation).stepFactors),
    measuredSeconds,
    gapDelta: measuredSeconds / estimatedSeconds - 1,
    causes: ranked.map(({ stretch: _, ...explanation }) => explanation),
  };
}

interface Ranked extends GapExplanation {
  /** How much of the plausible range the setting takes, 0 to 1. */
  readonly stretch: number;
}

/** What misses the gap is further away; of two that meet it, the one that needs the more unusual setting. */
function distance({ explains, stretch, fits }: Ranked): number {
  return Math.abs(Math.log(explains)) + 0.7 * stretch + (fits ? 0 : 0.5);
}

/** The setting at which the estimate meets the measurement, or the furthest plausible one where none does. */
function slide(cause: SlideCause, estimatedSeconds: number, measuredSeconds: number): Ranked[] {
  const gap = measuredSeconds - estimatedSeconds;
  const at = (
    share: number,
  ): { readonly setting: number; readonly seconds: number; readonly fits: boolean } | undefined => {
    const setting = cause.now + share * (cause.furthest - cause.now);
    const then = tried(cause.at(setting));
    return then === undefined ? undefined : { setting, seconds: then.stepSeconds, fits: then.fits };
  };
  let share = 1;
  let best = at(1);
  if (best === undefined || (best.seconds - estimatedSeconds) / gap <= 0) return [];
  if ((best.seconds - estimatedSeconds) / gap > 1) {
    let low = 0;
    let high = 1;
    for (let i = 0; i < 24; i++) {
      const middle = (low + high) / 2;
      const then = at(middle);
      if (then === undefined) break;
      if ((then.seconds - estimatedSeconds) / gap < 1) low = middle;
      else high = middle;
      [share, best] = [middle, then];
    }
  }
  const explains = (best.seconds - estimatedSeconds) / gap;
  return [
    {
      name: cause.name,
      setting: cause.words(best.setting),
      stepSeconds: best.seconds,
      explains,
      about: 'run',
      fits: best.fits,
      stretch: share,
    },
  ];
}

/** Other ways to read a utilisation: against the sparse peak, with other FLOPs, with recomputed ones. A measured time has none. */
function conventions(
  scenario: Scenario,
  measured: Measured,
  convention: FlopsConvention,
  { estimatedSeconds, measuredSeconds }: { readonly estimatedSeconds: number; readonly measuredSeconds: number },
): Ranked[] {
  if (measured.kind !== 'mfu' && measured.kind !== 'teraflops') return [];
  const evaluation = evaluateStep(scenario);
  const { active } = countParameters(scenario.model);
  const now = throughput(scenario, evaluation, convention, active);
  const others = (['megatron', 'palm', 'causal'] as const).filter((name) => name !== convention);
  const factors: readonly (readonly [string, number])[] = [
    ...(measured.kind === 'mfu'
      ? ([['the figure is a share of the sparse peak, twice the dense one', 1 / 2]] as const)
      : []),
    ...others.map(
      (name) =>
        [
          `the figure counts FLOPs as ${name} does, not as ${convention} does`,
          flopsOf(scenario, name) / flopsOf(scenario, convention),
        ] as const,
    ),
    ['the figure counts recomputed FLOPs as well (HFU)', now.hfu / now.mfu],
  ];
  return factors.map(([name, factor]) => {
    const stepSeconds = measuredSeconds * factor;
    const explains = (measuredSeconds - stepSeconds) / (measuredSeconds - estimatedSeconds);
    return { name, setting: '', stepSeconds, explains, about: 'convention', fits: true, stretch: 0 };
  });
}

function flopsOf({ model, sequenceLength, strategy }: Scenario, convention: FlopsConvention): number {
  return modelFlops(model, sequenceLength, strategy.globalBatchSize, convention, countParameters(model).active);
}

/** The time of a step that a figure stands for. */
function secondsOf(scenario: Scenario, { kind, value }: Measured, convention: FlopsConvention): number {
  if (kind === 'seconds') return value;
  if (kind === 'tokensPerSecond') return (scenario.strategy.globalBatchSize * scenario.sequenceLength) / value;
  const evaluation = evaluateStep(scenario);
  const now = throughput(scenario, evaluation, convention, countParameters(scenario.model).active);
  const ratio = kind === 'mfu' ? now.mfu / value : now.modelTflopsPerAccelerator / value;
  return evaluation.stepSeconds * ratio;
}

function tried(scenario: Scenario): { readonly stepSeconds: number; readonly fits: boolean } | undefined {
  try {
    return evaluateStep(scenario);
  } catch (error) {
    if (error instanceof SlipwayError) return undefined;
    throw error;
  }
}
