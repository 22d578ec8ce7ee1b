/** Numbers that a formula may use, by their name in the run file; all of them whole numbers of one point. */
export const formulaNames: readonly string[] = [
  'accelerators',
  'sequenceLength',
  'tensorParallel',
  'contextParallel',
  'pipelineParallel',
  'virtualStages',
  'expertParallel',
  'expertTensorParallel',
  'shardGroupSize',
  'microBatchSize',
  'globalBatchSize',
  'numLayers',
  'hiddenSize',
  'numAttentionHeads',
];
