import type { RunValue } from '../scenario/runValue.js';

/** One plan of a search, as the table and the scatter show it. */
export interface PlanRow {
  /** The run file of this plan, ready to be loaded. */
  readonly run: RunValue;
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
  readonly tokensPerSecond: number;
  readonly mfu: number;
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
