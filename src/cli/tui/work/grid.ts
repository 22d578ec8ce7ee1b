import { exactAnswerOf } from '../scenario/answer.js';
import type { RunValue } from '../scenario/runValue.js';

/** The main figures of one point, or why it cannot run. */
export interface GridPoint {
  readonly refusal: string | undefined;
  readonly fits: boolean;
  readonly deviceBytes: number;
  readonly capacityBytes: number;
  readonly stepSeconds: number;
  readonly tokensPerSecond: number;
  readonly mfu: number;
  readonly days: number | null;
}

export type GridResult = readonly GridPoint[];

/** The figures of one run, as `slipway estimate` gives them. */
export function pointOf(run: RunValue, baseDirectory: string): GridPoint {
  const answer = exactAnswerOf(run, baseDirectory);
  if (!answer.ok) {
    const none = { deviceBytes: 0, capacityBytes: 0, stepSeconds: 0, tokensPerSecond: 0, mfu: 0, days: null };
    return { refusal: answer.message, fits: false, ...none };
  }
  const { memory, step, throughput, training } = answer.estimate;
  return {
    refusal: undefined,
    fits: memory.fits,
    deviceBytes: memory.deviceBytes,
    capacityBytes: memory.capacityBytes,
    stepSeconds: step.seconds,
    tokensPerSecond: throughput.tokensPerSecond,
    mfu: throughput.mfu,
    days: training.days,
  };
}
