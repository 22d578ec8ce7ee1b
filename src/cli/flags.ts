/**
 * The flags that every key of the run file has, written out so that `--help` need not load the schema. A test holds them
 * equal to it. `key` is the path in the run file; the flag is its last word in kebab-case.
 */
export interface RunFileFlag {
  readonly key: string;
  readonly kind: 'text' | 'number' | 'boolean' | 'choice' | 'list';
  readonly choices?: readonly string[];
  /** Short spelling, such as `--tp`. */
  readonly alias?: string;
  readonly description: string;
}

export const runFileFlags: readonly RunFileFlag[] = [
  {
    key: 'model',
    kind: 'text',
    description: 'A preset, a path to a Hugging Face config.json, or an inline architecture.',
  },
  { key: 'cluster', kind: 'text', description: 'A preset or an inline cluster.' },
  { key: 'accelerators', kind: 'number', description: 'How many are used. Default: one node.' },
  {
    key: 'strategy.tensorParallel',
    kind: 'number',
    alias: 'tp',
    description: 'TP: accelerators that share every matrix. Default: 1, off.',
  },
  {
    key: 'strategy.sequenceParallel',
    kind: 'boolean',
    description: 'Megatron sequence parallelism: activations between tensor-parallel regions are split as well.',
  },
  {
    key: 'strategy.contextParallel',
    kind: 'number',
    alias: 'cp',
    description: 'CP: accelerators that share every sequence. Default: 1, off.',
  },
  {
    key: 'strategy.contextMethod',
    kind: 'choice',
    choices: ['ring', 'all-gather', 'ulysses'],
    description: 'How context-parallel attention exchanges keys and values.',
  },
  {
    key: 'strategy.pipelineParallel',
    kind: 'number',
    alias: 'pp',
    description: 'PP: stages that the layers are split into. Default: 1, off.',
  },
  {
    key: 'strategy.virtualStages',
    kind: 'number',
    alias: 'vp',
    description: 'Model chunks per pipeline rank (interleaving). Default: 1, off.',
  },
  {
    key: 'strategy.pipelineSchedule',
    kind: 'text',
    description:
      'Order of forward and backward passes in a pipeline: gpipe, 1f1b, interleaved-1f1b, breadth-first, zb-h1, zb-h2, zb-v, dualpipe, or a file for simulate.',
  },
  {
    key: 'strategy.expertParallel',
    kind: 'number',
    alias: 'ep',
    description: 'EP: accelerators that share the experts of a layer. Default: 1, off.',
  },
  {
    key: 'strategy.expertTensorParallel',
    kind: 'number',
    alias: 'etp',
    description: 'TP inside experts. Default: tensorParallel in Megatron, else 1.',
  },
  {
    key: 'strategy.dataSharding',
    kind: 'choice',
    choices: ['ddp', 'zero-1', 'zero-2', 'zero-3'],
    description: 'What data-parallel ranks share: nothing, optimizer states, gradients too, parameters too (FSDP).',
  },
  {
    key: 'strategy.shardGroupSize',
    kind: 'number',
    description: 'With zero-3: ranks that share one copy of the states (hybrid sharding). Default: 0, all of them.',
  },
  {
    key: 'strategy.reshardAfterForward',
    kind: 'boolean',
    description: 'With zero-3: drop gathered weights after the forward pass and gather them again. Default: true.',
  },
  {
    key: 'strategy.offload',
    kind: 'choice',
    choices: ['none', 'optimizer-cpu', 'optimizer-nvme', 'parameters-cpu', 'parameters-nvme'],
    description: 'Model states that live on the host or on its NVMe drives.',
  },
  {
    key: 'strategy.optimizerOffloadFraction',
    kind: 'number',
    description: 'Fraction of the optimizer states that optimizer-cpu moves to the host. Default: 1.',
  },
  {
    key: 'strategy.activationOffloadLayers',
    kind: 'number',
    description: 'Layers per stage whose activations are copied to the host. Default: 0.',
  },
  {
    key: 'strategy.microBatchSize',
    kind: 'number',
    alias: 'mbs',
    description: 'Sequences that one pipeline runs at a time. Default: 1.',
  },
  {
    key: 'strategy.globalBatchSize',
    kind: 'number',
    alias: 'gbs',
    description: 'Sequences per optimizer step. Default: one micro-batch per data-parallel rank.',
  },
  {
    key: 'strategy.recompute',
    kind: 'choice',
    choices: ['none', 'selective', 'full'],
    description: 'Activations computed again in the backward pass, not stored.',
  },
  {
    key: 'strategy.recomputeLayers',
    kind: 'number',
    description: 'With full: layers per stage that are recomputed (block recompute). Default: 0, all.',
  },
  {
    key: 'strategy.recomputeModules',
    kind: 'list',
    description: "With selective: which modules, in Megatron's names. Default: core_attn.",
  },
  {
    key: 'strategy.precision',
    kind: 'choice',
    choices: ['fp32', 'tf32', 'fp16', 'bf16', 'fp8', 'mxfp8', 'nvfp4'],
    description: 'Number format of the matrix multiplications. Default: bf16.',
  },
  {
    key: 'strategy.gradientDtype',
    kind: 'choice',
    choices: ['fp32', 'bf16', 'fp16'],
    description: 'Format that gradients are added up and sent in.',
  },
  {
    key: 'strategy.optimizer',
    kind: 'choice',
    choices: ['adamw', 'adam8bit', 'sgd', 'adafactor', 'lion', 'muon'],
    description: 'Default: adamw.',
  },
  {
    key: 'strategy.flashAttention',
    kind: 'boolean',
    description: 'A fused attention kernel, the best one for the accelerator; attentionKernel names it exactly.',
  },
  {
    key: 'strategy.attentionKernel',
    kind: 'choice',
    choices: ['unfused', 'fused-softmax', 'flash-1', 'flash-2', 'flash-3', 'flash-4', 'cudnn'],
    description: 'Exactly which attention kernel runs.',
  },
  { key: 'strategy.fusedNorm', kind: 'boolean', description: 'Norms run as one hand-written kernel.' },
  {
    key: 'strategy.fusedCrossEntropy',
    kind: 'boolean',
    description: 'The loss is one kernel, without a second copy of the logits.',
  },
  {
    key: 'strategy.compile',
    kind: 'boolean',
    description: 'torch.compile fuses the operators between matrix multiplications.',
  },
  {
    key: 'strategy.cudaGraphs',
    kind: 'choice',
    choices: ['none', 'layer', 'full'],
    description: 'Kernels are launched from captured graphs.',
  },
  {
    key: 'strategy.tensorOverlap',
    kind: 'boolean',
    description: 'Tensor-parallel collectives overlap with their matrix multiplications.',
  },
  {
    key: 'strategy.expertOverlap',
    kind: 'boolean',
    description: 'Expert all-to-all overlaps with the other pass of another micro-batch.',
  },
  {
    key: 'strategy.expertDispatcher',
    kind: 'choice',
    choices: ['alltoall', 'deepep', 'hybridep'],
    description: 'What moves tokens to their experts.',
  },
  {
    key: 'strategy.overlapGradientReduce',
    kind: 'boolean',
    description: 'Gradient reduction overlaps the last backward pass.',
  },
  {
    key: 'strategy.overlapParameterGather',
    kind: 'boolean',
    description: 'Parameter all-gather overlaps the first forward pass.',
  },
  {
    key: 'strategy.overlapPipelineSend',
    kind: 'boolean',
    description: 'Sends between pipeline stages overlap compute.',
  },
  {
    key: 'strategy.stageLayers',
    kind: 'list',
    description: 'Layers of each model chunk in order of depth (PP x virtualStages of them). Default: an even split.',
  },
  {
    key: 'strategy.pipelineLayout',
    kind: 'text',
    description:
      'The same in Megatron\'s words: "Et*4|(t*4|)*14tmL": E embedding, t layer, m MTP, L loss, | next chunk.',
  },
  { key: 'sequenceLength', kind: 'number', description: 'Tokens per sequence. Default: 4096.' },
  {
    key: 'framework',
    kind: 'choice',
    choices: ['megatron', 'deepspeed', 'fsdp', 'xla'],
    description: 'Whose defaults hold. Default: megatron; xla on TPUs.',
  },
  {
    key: 'frameworkVersion',
    kind: 'text',
    description: 'Version of the framework, such as "Megatron-Core 0.8"; some defaults depend on it.',
  },
  { key: 'task', kind: 'choice', choices: ['pretrain', 'sft'], description: 'Default: pretrain.' },
  { key: 'training.tokens', kind: 'text', description: 'Tokens to train on, such as 15.6T.' },
  {
    key: 'training.dollarsPerAcceleratorHour',
    kind: 'text',
    description: "Price of one accelerator, such as 2.5 $/h. Default: the cluster's.",
  },
];

/** `strategy.tensorParallel` has the flag `--tensor-parallel`. */
export function flagName({ key }: RunFileFlag): string {
  const word = key.split('.').at(-1) ?? key;
  return word.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
