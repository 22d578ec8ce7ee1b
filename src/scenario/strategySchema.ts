import { z } from 'zod';
import {
  attentionKernels,
  contextMethods,
  dataShardings,
  offloads,
  optimizers,
  pipelineSchedules,
  precisions,
  recomputes,
} from '../parallelism/strategy.js';
import { nearest } from '../quantity/nearest.js';
import { parsePipelineLayout } from './pipelineLayout.js';

/** Megatron's `--recompute-modules`. */
const recomputeModules = ['core_attn', 'layernorm', 'mla_up_proj', 'mlp', 'moe', 'moe_act', 'shared_experts'] as const;

/** Types stay texts, because a strategy that comes from another program has texts. */
function checkModule(name: string, context: z.RefinementCtx): void {
  if (recomputeModules.some((known) => known === name)) return;
  const guess = nearest(name, recomputeModules);
  const wayOut = guess === undefined ? `one of ${recomputeModules.join(', ')}` : `did you mean ${guess}?`;
  context.addIssue({ code: 'custom', message: `'${name}' is no module; ${wayOut}` });
}

const degree = z.int().min(1);
const countOfLayers = z.int().nonnegative();

/** The `strategy` block of the run file: every field may be left out, the framework's default then holds. */
export const strategySchema = z.strictObject({
  tensorParallel: degree.optional().describe('TP: accelerators that share every matrix. Default: 1, off.'),
  sequenceParallel: z
    .boolean()
    .optional()
    .describe('Megatron sequence parallelism: activations between tensor-parallel regions are split as well.'),
  contextParallel: degree.optional().describe('CP: accelerators that share every sequence. Default: 1, off.'),
  contextMethod: z
    .enum(contextMethods)
    .optional()
    .describe('How context-parallel attention exchanges keys and values.'),
  pipelineParallel: degree.optional().describe('PP: stages that the layers are split into. Default: 1, off.'),
  virtualStages: degree.optional().describe('Model chunks per pipeline rank (interleaving). Default: 1, off.'),
  pipelineSchedule: z
    .union([z.enum(pipelineSchedules), z.string().regex(/[./\\]/, { abort: true })])
    .optional()
    .describe(
      `Order of forward and backward passes in a pipeline: ${pipelineSchedules.join(', ')}, or a file for simulate.`,
    ),
  expertParallel: degree.optional().describe('EP: accelerators that share the experts of a layer. Default: 1, off.'),
  expertTensorParallel: degree.optional().describe('TP inside experts. Default: tensorParallel in Megatron, else 1.'),
  dataSharding: z
    .enum(dataShardings)
    .optional()
    .describe('What data-parallel ranks share: nothing, optimizer states, gradients too, parameters too (FSDP).'),
  shardGroupSize: z
    .int()
    .nonnegative()
    .optional()
    .describe('With zero-3: ranks that share one copy of the states (hybrid sharding). Default: 0, all of them.'),
  reshardAfterForward: z
    .boolean()
    .optional()
    .describe('With zero-3: drop gathered weights after the forward pass and gather them again. Default: true.'),
  offload: z.enum(offloads).optional().describe('Model states that live on the host or on its NVMe drives.'),
  optimizerOffloadFraction: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe('Fraction of the optimizer states that optimizer-cpu moves to the host. Default: 1.'),
  activationOffloadLayers: countOfLayers
    .optional()
    .describe('Layers per stage whose activations are copied to the host. Default: 0.'),
  microBatchSize: degree.optional().describe('Sequences that one pipeline runs at a time. Default: 1.'),
  globalBatchSize: degree
    .optional()
    .describe('Sequences per optimizer step. Default: one micro-batch per data-parallel rank.'),
  recompute: z.enum(recomputes).optional().describe('Activations computed again in the backward pass, not stored.'),
  recomputeLayers: countOfLayers
    .optional()
    .describe('With full: layers per stage that are recomputed (block recompute). Default: 0, all.'),
  recomputeModules: z
    .array(z.string().superRefine(checkModule))
    .optional()
    .describe("With selective: which modules, in Megatron's names. Default: core_attn."),
  precision: z.enum(precisions).optional().describe('Number format of the matrix multiplications. Default: bf16.'),
  gradientDtype: z
    .enum(['fp32', 'bf16', 'fp16'])
    .optional()
    .describe('Format that gradients are added up and sent in.'),
  optimizer: z.enum(optimizers).optional().describe('Default: adamw.'),
  flashAttention: z
    .boolean()
    .optional()
    .describe('A fused attention kernel, the best one for the accelerator; attentionKernel names it exactly.'),
  attentionKernel: z.enum(attentionKernels).optional().describe('Exactly which attention kernel runs.'),
  fusedNorm: z.boolean().optional().describe('Norms run as one hand-written kernel.'),
  fusedCrossEntropy: z.boolean().optional().describe('The loss is one kernel, without a second copy of the logits.'),
  compile: z.boolean().optional().describe('torch.compile fuses the operators between matrix multiplications.'),
  cudaGraphs: z.enum(['none', 'layer', 'full']).optional().describe('Kernels are launched from captured graphs.'),
  tensorOverlap: z
    .boolean()
    .optional()
    .describe('Tensor-parallel collectives overlap with their matrix multiplications.'),
  expertOverlap: z
    .boolean()
    .optional()
    .describe('Expert all-to-all overlaps with the other pass of another micro-batch.'),
  expertDispatcher: z
    .enum(['alltoall', 'deepep', 'hybridep'])
    .optional()
    .describe('What moves tokens to their experts.'),
  overlapGradientReduce: z.boolean().optional().describe('Gradient reduction overlaps the last backward pass.'),
  overlapParameterGather: z.boolean().optional().describe('Parameter all-gather overlaps the first forward pass.'),
  overlapPipelineSend: z.boolean().optional().describe('Sends between pipeline stages overlap compute.'),
  stageLayers: z
    .array(countOfLayers)
    .min(1)
    .optional()
    .describe('Layers of each model chunk in order of depth (PP x virtualStages of them). Default: an even split.'),
  pipelineLayout: z
    .string()
    .superRefine((text, context) => {
      const layout = parsePipelineLayout(text);
      if ('problem' in layout) context.addIssue({ code: 'custom', message: layout.problem });
    })
    .optional()
    .describe('The same in Megatron\'s words: "Et*4|(t*4|)*14tmL": E embedding, t layer, m MTP, L loss, | next chunk.'),
});
