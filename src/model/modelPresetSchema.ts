import { z } from 'zod';
import { architectureInputSchema } from './architectureSchema.js';

const count = z.number().positive();
const source = z.string().min(1);

/** What authors count as a model's parameters differs; each figure says which sum it is. */
const publishedSchema = z.strictObject({
  parameters: count.describe('As published.'),
  parametersInclude: z
    .enum(['all', 'layers-and-prediction'])
    .optional()
    .describe(
      'all: the model without multi-token-prediction modules. layers-and-prediction: with them, without embedding and head. Default: all.',
    ),
  rounding: count.optional().describe('Half a unit of the last published digit, where that is coarser than 0.5 %.'),
  source: source.describe('Where the count was published.'),
  activeParameters: count.optional().describe('What one token passes through, as published.'),
  activeIncludes: z
    .enum(['all', 'without-embedding', 'layers'])
    .optional()
    .describe('layers: neither embedding nor head. Default: all.'),
  activeRounding: count.optional().describe('As rounding, for the active parameters.'),
  activeSource: source.optional(),
  checkpointParameters: count
    .optional()
    .describe(
      "Parameters in the released files: the model, its prediction modules and those modules' copies of both tables.",
    ),
  checkpointSource: source.optional(),
});

/** A file of presets/models: one published model, and where every figure comes from. */
export const modelPresetSchema = z.strictObject({
  name: z.string().min(1).describe('What reports call the model.'),
  aliases: z.array(z.string().min(1)).optional().describe('Other names that find this file.'),
  source: source.describe('Where the architecture was published.'),
  note: z.string().optional().describe('What the architecture leaves out, or why it differs from its source.'),
  published: publishedSchema,
  architecture: architectureInputSchema,
});

export type ModelPreset = z.output<typeof modelPresetSchema>;
export type PublishedCounts = z.output<typeof publishedSchema>;
