import type { Estimate } from '../estimateResult.js';

/** One cause of a difference. */
export interface WaterfallTerm {
  /** Key of the breakdown, such as `pipelineBubbleSeconds` or `activationsBytes`. */
  readonly cause: string;
  readonly before: number;
  readonly after: number;
  readonly delta: number;
}

/** From one total to another, cause by cause. `delta` is the sum of the terms in their order, exactly. */
export interface Waterfall {
  readonly before: number;
  readonly after: number;
  readonly delta: number;
  readonly terms: readonly WaterfallTerm[];
}

/** The step's exposed times by cause, from estimate `a` to `b`: negative terms are what `b` saves. Seconds. */
export function stepWaterfall(a: Estimate, b: Estimate): Waterfall {
  return waterfall(a.step.breakdown, b.step.breakdown);
}

const memoryCauses = ['weightsBytes', 'gradientsBytes', 'optimizerBytes', 'activationsBytes', 'buffersBytes'] as const;

/** The allocated peak of the fullest stage by what it holds, from estimate `a` to `b`. The two stages may be different ones. Bytes. */
export function memoryWaterfall(a: Estimate, b: Estimate): Waterfall {
  return waterfall(fullestParts(a), fullestParts(b));
}

function fullestParts({ memory }: Estimate): Readonly<Record<string, number>> {
  const fullest = memory.stages.reduce((worst, stage) => (stage.peakBytes > worst.peakBytes ? stage : worst), {
    weightsBytes: 0,
    gradientsBytes: 0,
    optimizerBytes: 0,
    activationsBytes: 0,
    buffersBytes: 0,
    peakBytes: -1,
  });
  return Object.fromEntries(memoryCauses.map((cause) => [cause, fullest[cause]]));
}

/** Any two totals that are made of the same parts; a part that one of them lacks is 0 there. */
export function waterfall(a: object, b: object): Waterfall {
  const before = a as Readonly<Record<string, number>>;
  const after = b as Readonly<Record<string, number>>;
  const causes = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  const terms = causes.map((cause): WaterfallTerm => {
    const from = before[cause] ?? 0;
    const to = after[cause] ?? 0;
    return { cause, before: from, after: to, delta: to - from };
  });
  const sum = (of: (term: WaterfallTerm) => number): number => terms.reduce((total, term) => total + of(term), 0);
  return {
    before: sum((term) => term.before),
    after: sum((term) => term.after),
    delta: sum((term) => term.delta),
    terms,
  };
}

/**
 * Numbers as whole multiples of `unit` that add up to `total` multiples: each is rounded down, and what is then missing goes to those with
 * the largest remainders. A table of them adds up on paper.
 */
export function roundedToSum(numbers: readonly number[], unit: number, total: number): readonly number[] {
  const rounded = numbers.map((number) => Math.floor(number / unit));
  const remainder = (i: number): number => (numbers[i] ?? 0) / unit - (rounded[i] ?? 0);
  let missing = total - rounded.reduce((sum, number) => sum + number, 0);
  while (missing !== 0 && numbers.length > 0) {
    const step = Math.sign(missing);
    let chosen = 0;
    for (let i = 1; i < numbers.length; i++) if (step * (remainder(i) - remainder(chosen)) > 0) chosen = i;
    rounded[chosen] = (rounded[chosen] ?? 0) + step;
    missing -= step;
  }
  return rounded;
}
