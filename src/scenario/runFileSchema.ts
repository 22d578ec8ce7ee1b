import { z } from 'zod';
import { clusterInputSchema } from '../hardware/clusterSchema.js';
import { architectureInputSchema } from '../model/architectureSchema.js';
import { quantity } from '../quantity/quantitySchema.js';
import { strategySchema } from './strategySchema.js';

export const frameworkIds = ['megatron', 'deepspeed', 'fsdp', 'xla'] as const;

/** A thousand times what exists: a larger number is a typing mistake. */
const MOST_ACCELERATORS = 1e9;
const LONGEST_SEQUENCE = 1e9;

const trainingSchema = z.strictObject({
  tokens: quantity('count').optional().describe('Tokens to train on, such as 15.6T.'),
  dollarsPerAcceleratorHour: quantity('dollarsPerHour')
    .optional()
    .describe("Price of one accelerator, such as 2.5 $/h. Default: the cluster's."),
});

/**
 * The run file: the one source of truth for YAML and JSON, for the flags of the command line (kebab-case, checked by
 * a test), for the printed JSON Schema and for the documentation.
 */
export const runFileSchema = z.strictObject({
  model: z
    .union([z.string().min(1), architectureInputSchema])
    .describe('A preset, a path to a Hugging Face config.json, or an inline architecture.'),
  cluster: z.union([z.string().min(1), clusterInputSchema]).describe('A preset or an inline cluster.'),
  accelerators: z.int().min(1).max(MOST_ACCELERATORS).optional().describe('How many are used. Default: one node.'),
  strategy: strategySchema.optional().describe('How the training is split and executed.'),
  sequenceLength: z.int().min(1).max(LONGEST_SEQUENCE).optional().describe('Tokens per sequence. Default: 4096.'),
  framework: z.enum(frameworkIds).optional().describe('Whose defaults hold. Default: megatron; xla on TPUs.'),
  frameworkVersion: z
    .string()
    .optional()
    .describe('Version of the framework, such as "Megatron-Core 0.8"; some defaults depend on it.'),
  task: z.enum(['pretrain', 'sft']).optional().describe('Default: pretrain.'),
  training: trainingSchema.optional().describe('The whole run: tokens and price.'),
});

/** A run file as written. */
export type RunFileInput = z.input<typeof runFileSchema>;
/** A run file that was accepted; quantities are plain numbers. */
export type RunFile = z.output<typeof runFileSchema>;
