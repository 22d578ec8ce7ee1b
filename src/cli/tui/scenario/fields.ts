import { pipelineSchedules } from '../../../parallelism/strategy.js';
import { type RunFileFlag, runFileFlags } from '../../flags.js';

/** One line of the scenario pane: a key of the run file, or a figure that follows from others. */
export interface Field {
  readonly key: string;
  readonly label: string;
  readonly group: string;
  readonly kind: RunFileFlag['kind'] | 'preset' | 'derived';
  readonly choices: readonly string[];
  readonly alias: string | undefined;
  readonly description: string;
}

/** Keys of the run file in the order of the pane. A test holds them equal to the flags, and those to the schema. */
const groups: readonly (readonly [group: string, keys: readonly string[]])[] = [
  ['Run', ['model', 'cluster', 'accelerators', 'sequenceLength', 'framework', 'frameworkVersion', 'task']],
  [
    'Parallelism',
    [
      'strategy.tensorParallel',
      'strategy.sequenceParallel',
      'strategy.contextParallel',
      'strategy.contextMethod',
      'strategy.pipelineParallel',
      'strategy.virtualStages',
      'strategy.pipelineSchedule',
      'strategy.expertParallel',
      'strategy.expertTensorParallel',
      'dataParallel',
    ],
  ],
  ['Batch', ['strategy.microBatchSize', 'strategy.globalBatchSize', 'gradientAccumulation']],
  [
    'Memory',
    [
      'strategy.dataSharding',
      'strategy.shardGroupSize',
      'strategy.recompute',
      'strategy.recomputeModules',
      'strategy.recomputeLayers',
      'strategy.offload',
      'strategy.optimizerOffloadFraction',
      'strategy.activationOffloadLayers',
    ],
  ],
  ['Precision', ['strategy.precision', 'strategy.gradientDtype', 'strategy.optimizer']],
  [
    'Kernels',
    [
      'strategy.attentionKernel',
      'strategy.flashAttention',
      'strategy.fusedNorm',
      'strategy.fusedCrossEntropy',
      'strategy.compile',
      'strategy.cudaGraphs',
    ],
  ],
  [
    'Overlap',
    [
      'strategy.tensorOverlap',
      'strategy.expertOverlap',
      'strategy.expertDispatcher',
      'strategy.overlapGradientReduce',
      'strategy.overlapParameterGather',
      'strategy.overlapPipelineSend',
      'strategy.reshardAfterForward',
    ],
  ],
  ['Uneven stages', ['strategy.stageLayers', 'strategy.pipelineLayout']],
  ['Training', ['training.tokens', 'training.dollarsPerAcceleratorHour']],
];

/** Where the key's own words are too long for the pane. */
const labels: Readonly<Record<string, string>> = {
  'strategy.tensorParallel': 'tensor parallel',
  'strategy.expertTensorParallel': 'expert TP',
  'strategy.optimizerOffloadFraction': 'offload fraction',
  'strategy.activationOffloadLayers': 'offloaded layers',
  'strategy.overlapGradientReduce': 'reduce overlap',
  'strategy.overlapParameterGather': 'gather overlap',
  'strategy.overlapPipelineSend': 'send overlap',
  'strategy.reshardAfterForward': 'reshard weights',
  'strategy.fusedCrossEntropy': 'fused loss',
  'strategy.pipelineSchedule': 'schedule',
  'strategy.expertDispatcher': 'dispatcher',
  'strategy.recomputeModules': 'recompute parts',
  'training.dollarsPerAcceleratorHour': '$ per hour',
  gradientAccumulation: 'micro-batches',
};

/** What the pane knows better than the command line. */
const kinds: Readonly<Record<string, Field['kind']>> = {
  model: 'preset',
  cluster: 'preset',
  'strategy.pipelineSchedule': 'choice',
  'training.tokens': 'number',
  'training.dollarsPerAcceleratorHour': 'number',
};

const derived: Readonly<Record<string, string>> = {
  dataParallel: 'DP: what the other degrees leave: accelerators / (TP x CP x PP).',
  gradientAccumulation: 'Micro-batches per step and pipeline: global batch / (DP x micro-batch).',
};

export const fields: readonly Field[] = groups.flatMap(([group, keys]) => keys.map((key) => fieldOf(key, group)));

export function fieldByKey(key: string): Field | undefined {
  return fields.find((field) => field.key === key);
}

/** A field by what a person types: its key, the key's last word, its alias (`tp`) or its label; upper or lower case. */
export function fieldByName(name: string): Field | undefined {
  const wanted = name.toLowerCase();
  return fields.find((field) => namesOf(field).some((known) => known.toLowerCase() === wanted));
}

export function namesOf({ key, alias, label }: Field): readonly string[] {
  return [key, key.split('.').at(-1) ?? key, ...(alias === undefined ? [] : [alias]), label];
}

function fieldOf(key: string, group: string): Field {
  const label = labels[key] ?? inWords(key.split('.').at(-1) ?? key);
  const flag = runFileFlags.find((one) => one.key === key);
  if (flag === undefined) {
    return { key, label, group, kind: 'derived', choices: [], alias: undefined, description: derived[key] ?? '' };
  }
  return {
    key,
    label,
    group,
    kind: kinds[key] ?? flag.kind,
    // A schedule may also be a file, so its flag takes any text.
    choices: key === 'strategy.pipelineSchedule' ? pipelineSchedules : (flag.choices ?? []),
    alias: flag.alias,
    description: flag.description,
  };
}

function inWords(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
