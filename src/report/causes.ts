import { breakdownKeys, type StepBreakdown } from '../simulation/evaluation.js';

/** One of the causes that the time of a step goes to. */
export interface StepCause {
  readonly key: keyof StepBreakdown;
  readonly name: string;
  /** Heading of a narrow column. */
  readonly short: string;
}

const short: Readonly<Partial<Record<keyof StepBreakdown, string>>> = {
  recomputeSeconds: 'recomp',
  tensorParallelSeconds: 'tp',
  contextParallelSeconds: 'cp',
  expertParallelSeconds: 'ep',
  pipelineSendSeconds: 'send',
  pipelineBubbleSeconds: 'bubble',
  dataParallelSeconds: 'dp',
  optimizerSeconds: 'optim',
};

/** All causes in the order in which they are shown, named alike in every report. */
export const stepCauses: readonly StepCause[] = breakdownKeys.map((key) => ({
  key,
  name: causeName(key),
  short: short[key] ?? causeName(key),
}));

/** `pipelineBubbleSeconds` as `pipeline bubble`, `weightsBytes` as `weights`. */
export function causeName(cause: string): string {
  return cause.replace(/(Seconds|Bytes)$/, '').replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
