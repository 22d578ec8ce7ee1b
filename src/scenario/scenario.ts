import type { Cluster } from '../hardware/cluster.js';
import type { Architecture } from '../model/architecture.js';
import type { Framework } from '../parallelism/framework.js';
import type { Strategy } from '../parallelism/strategy.js';

/** One question, fully resolved: what is trained, on what, split how, for how long. Every evaluator takes this. */
export interface Scenario {
  readonly model: Architecture;
  readonly cluster: Cluster;
  /** Accelerators in use. */
  readonly accelerators: number;
  readonly strategy: Strategy;
  readonly sequenceLength: number;
  readonly framework: Framework;
  readonly task: 'pretrain' | 'sft';
  readonly training: TrainingRun;
  /** Key paths of the run file that were left out and filled in, with the value and who says so. */
  readonly defaultsFilledIn: readonly FilledDefault[];
}

export interface TrainingRun {
  /** Tokens to train on; 0 where not given. */
  readonly tokens: number;
  /** 0 means take the cluster's price. */
  readonly dollarsPerAcceleratorHour: number;
}

export interface FilledDefault {
  readonly key: string;
  readonly value: string | number | boolean;
  /** `megatron`, `model`, `cluster` or `slipway`. */
  readonly from: string;
}
