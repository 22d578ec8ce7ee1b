import type { Interval } from '../../../uncertainty/intervals.js';
import type { RunValue } from '../scenario/runValue.js';

/** One plan of a search, as the table and the scatter show it. */
export interface PlanRow {
  /** The run file of this plan, ready to be loaded. */
  readonly run: RunValue;
  /** The strategy in a few words. */
  readonly label: string;
  readonly tensorParallel: number;
  readonly contextParallel: number;
  readonly pipelineParallel: number;
  readonly virtualStages: number;
  readonly expertParallel: number;
  readonly dataParallel: number;
  readonly microBatchSize: number;
  readonly schedule: string;
  readonly dataSharding: string;
  readonly recompute: string;
  readonly deviceBytes: number;
  readonly capacityBytes: number;
  readonly stepSeconds: number;
  /** 80 % of runs like the published ones lie inside. */
  readonly stepInterval: Interval;
  readonly tokensPerSecond: number;
  readonly mfu: number;
  readonly mfuInterval: Interval;
  readonly probabilityOfNotFitting: number;
  readonly outsideValidatedRange: boolean;
  /** Whether no other plan is both faster and smaller. */
  readonly onFront: boolean;
}

export interface SearchProgress {
  readonly evaluated: number;
  readonly simulated: number;
  /** 0 to 1. */
  readonly fractionDone: number;
  readonly secondsLeft: number | undefined;
  /** Candidates that are not among the plans, by reason, the most frequent first. */
  readonly rejected: readonly (readonly [reason: string, candidates: number])[];
  /** Where nothing fits: what came nearest and what it lacks. */
  readonly nearestMiss: string | undefined;
}

/** Why not a plan that somebody had in mind. */
export interface WhyNotAnswer {
  /** As it was asked: `tp=4,pp=8`. */
  readonly text: string;
  /** Whether there is such a plan. */
  readonly works: boolean;
  readonly texts: readonly string[];
  /** That plan, or the nearest one that works. */
  readonly row: PlanRow | undefined;
}

/** Keys of the run file that a search may change; the others stay as the scenario has them. */
export const searchedKeys: readonly string[] = [
  'tensorParallel',
  'sequenceParallel',
  'contextParallel',
  'contextMethod',
  'pipelineParallel',
  'virtualStages',
  'pipelineSchedule',
  'expertParallel',
  'expertTensorParallel',
  'dataSharding',
  'shardGroupSize',
  'offload',
  'optimizerOffloadFraction',
  'activationOffloadLayers',
  'microBatchSize',
  'recompute',
  'recomputeLayers',
  'recomputeModules',
  'stageLayers',
  'pipelineLayout',
].map((key) => `strategy.${key}`);
