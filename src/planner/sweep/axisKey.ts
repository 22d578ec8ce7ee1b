import { SlipwayError } from '../../errors.js';
import { nearest } from '../../quantity/nearest.js';
import { runFileSchema } from '../../scenario/runFileSchema.js';
import { strategySchema } from '../../scenario/strategySchema.js';

/** The field's short forms, as the command's flags have them, and the memory's usual name. */
const shortForms: Readonly<Record<string, string>> = {
  tp: 'strategy.tensorParallel',
  cp: 'strategy.contextParallel',
  pp: 'strategy.pipelineParallel',
  vp: 'strategy.virtualStages',
  ep: 'strategy.expertParallel',
  etp: 'strategy.expertTensorParallel',
  mbs: 'strategy.microBatchSize',
  gbs: 'strategy.globalBatchSize',
  tokens: 'training.tokens',
  dollarsPerAcceleratorHour: 'training.dollarsPerAcceleratorHour',
  'cluster.accelerator.hbmBytesPerSecond': 'cluster.accelerator.memoryBytesPerSecond',
  'cluster.accelerator.hbmBytes': 'cluster.accelerator.memoryBytes',
};

/**
 * The path in the run file of a key as people write it: `tensorParallel`, `tp`, `accelerator.memoryBytes`. What is below `model`, `cluster`
 * and `training` is left to the run file's own check.
 */
export function pathOfKey(name: string, where: string): readonly string[] {
  const full = name.replace(/^accelerator\./, 'cluster.accelerator.');
  const meant = Object.hasOwn(shortForms, full) ? (shortForms[full] ?? full) : full;
  const [first = '', ...rest] = meant.split('.');
  const top = Object.keys(runFileSchema.shape);
  if (rest.length > 0 && top.includes(first)) return [first, ...rest];
  if (rest.length === 0 && Object.hasOwn(strategySchema.shape, first)) return ['strategy', first];
  if (rest.length === 0 && top.includes(first) && !['strategy', 'training'].includes(first)) return [first];
  const known = [...top, ...Object.keys(strategySchema.shape), ...Object.keys(shortForms)];
  const guess = nearest(first, known);
  const wayOut = guess === undefined ? '' : `, did you mean ${guess}?`;
  throw new SlipwayError('invalid-run-file', `unknown key '${name}'${wayOut}`, { key: where });
}
