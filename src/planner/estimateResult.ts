import type { Architecture } from '../model/architecture.js';
import type { FlopsConvention } from '../model/flops.js';
import type { Strategy } from '../parallelism/strategy.js';
import type { FilledDefault } from '../scenario/scenario.js';
import type { Evaluation, StageMemory, StepBreakdown } from '../simulation/evaluation.js';
import type { TrainingEstimate } from '../training/run.js';
import type { Interval } from '../uncertainty/intervals.js';

/** The answer of `slipway estimate`, and its JSON document. Keys may be added; those here stay. */
export interface Estimate {
  readonly schemaVersion: 1;
  /** The run file with every default filled in. */
  readonly run: FilledRun;
  readonly model: { readonly name: string; readonly parameters: number; readonly activeParameters: number };
  readonly memory: EstimatedMemory;
  readonly step: {
    readonly seconds: number;
    readonly secondsInterval: Interval;
    /** What the time rests on. */
    readonly method: Evaluation['method'];
    readonly breakdown: StepBreakdown;
  };
  readonly throughput: Throughput & { readonly mfuInterval: Interval };
  readonly training: TrainingEstimate & {
    readonly daysInterval: Interval | null;
    readonly costUsdInterval: Interval | null;
  };
  /** Every interval holds this share of runs like those that were published, or is wider where none of them is like this one. */
  readonly uncertainty: { readonly level: number; readonly outsideValidatedRange: boolean };
  readonly warnings: readonly Warning[];
  readonly advice: readonly Advice[];
}

export interface FilledRun {
  /** As the run file wrote it: a preset's name, a path or an inline architecture. */
  readonly model: string | Architecture | object;
  readonly cluster: string | object;
  readonly accelerators: number;
  readonly strategy: Strategy;
  readonly sequenceLength: number;
  readonly framework: string;
  readonly frameworkVersion: string;
  readonly task: 'pretrain' | 'sft';
  readonly training: { readonly tokens?: number; readonly dollarsPerAcceleratorHour?: number };
  readonly dataParallel: number;
  readonly gradientAccumulation: number;
  readonly defaultsFilledIn: readonly FilledDefault[];
}

export interface EstimatedMemory {
  /** Allocated by the framework on the fullest accelerator. */
  readonly peakBytes: number;
  readonly peakBytesInterval: Interval;
  /** That a process runs out of memory on the fullest accelerator; 0.5 where it needs just what there is. */
  readonly probabilityOfNotFitting: number;
  /** What its allocator holds, fragmentation included. */
  readonly reservedBytes: number;
  /** What nvidia-smi shows. */
  readonly deviceBytes: number;
  readonly capacityBytes: number;
  readonly fits: boolean;
  readonly hostBytes: number;
  readonly stages: readonly StageMemory[];
}

export interface Throughput {
  readonly tokensPerSecond: number;
  readonly tokensPerSecondPerAccelerator: number;
  readonly modelTflopsPerAccelerator: number;
  readonly hardwareTflopsPerAccelerator: number;
  readonly mfu: number;
  readonly hfu: number;
  readonly flopsConvention: FlopsConvention;
  /** Number format whose dense peak mfu and hfu are fractions of. */
  readonly peakFormat: string;
  readonly peakTflopsPerAccelerator: number;
}

export interface Warning {
  readonly code:
    | 'does-not-fit'
    | 'tight-fit'
    | 'infeasible'
    | 'outside-validated-range'
    | 'figure-is-estimate'
    | 'no-price';
  readonly message: string;
}

/** A neighbouring strategy that is better: faster, or one that fits where this one does not. */
export interface Advice {
  readonly change: Partial<Strategy>;
  readonly stepSecondsDelta: number;
  readonly peakBytesDelta: number;
  readonly message: string;
}
