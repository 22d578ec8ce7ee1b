import { z } from 'zod';
import { once } from '../quantity/once.js';
import { ALTERNATE_LAYERS, DEFAULT_VOCAB_SIZE, defaultHeads } from './resolveArchitecture.js';

export { resolveArchitecture } from './resolveArchitecture.js';

/** Ten times the largest vocabulary or width of any model; keeps a slip of the keyboard from hanging the planner. */
const positive = z.int().positive().max(10_000_000);
const count = z.int().nonnegative();

const latentAttentionSchema = () =>
  z.strictObject({
    queryLoraRank: count.describe('Rank of the compressed query; 0 where queries are projected directly.'),
    keyValueLoraRank: positive.describe('Rank of the compressed keys and values.'),
    queryKeyNopeHeadDim: positive.describe('Part of a query or key head that carries no position.'),
    queryKeyRopeHeadDim: positive.describe('Part of a query or key head that is rotated by position.'),
    valueHeadDim: positive.describe('Size of a value head.'),
  });

const mixtureOfExpertsSchema = () =>
  z.strictObject({
    numExperts: positive.describe('Routed experts in a layer.'),
    expertsPerToken: positive.describe('Routed experts that a token visits.'),
    expertIntermediateSize: positive.optional().describe('Width of one expert. Default: intermediateSize.'),
    sharedExperts: count.optional().describe('Experts that every token visits. Default: 0.'),
    sharedExpertIntermediateSize: count
      .optional()
      .describe('Width of all shared experts together. Default: sharedExperts x expertIntermediateSize.'),
    numDenseLayers: count.optional().describe('Leading layers without experts. Default: 0.'),
    every: positive.optional().describe('After the dense ones, every n-th layer has experts. Default: 1, all of them.'),
    routerBias: z.boolean().optional().describe('One bias per expert in the router. Default: false.'),
    expertBias: z.boolean().optional().describe("Biases in the experts' matrices. Default: false."),
    sharedExpertGate: z.boolean().optional().describe('A scalar gate on the shared expert. Default: false.'),
    nodeLimit: count.optional().describe("Most nodes that a token's experts lie on. Default: 0, no limit."),
  });

const biasesSchema = () =>
  z.strictObject({
    queryKeyValue: z.boolean().optional().describe('On the query, key and value projections.'),
    attentionOutput: z.boolean().optional().describe('On the projection after attention.'),
    mlp: z.boolean().optional().describe('On the feed-forward matrices.'),
    head: z.boolean().optional().describe('On the output head. Default: false.'),
  });

const slidingWindowSchema = () =>
  z.union([
    positive,
    z.strictObject({
      size: positive.describe('Tokens a query sees, itself included.'),
      fullAttentionEvery: count.optional().describe('Every n-th layer sees the whole sequence. Default: 0, none does.'),
    }),
    z.string().regex(ALTERNATE_LAYERS, 'expected a number of tokens, such as 4096 or "128 on alternate layers"'),
  ]);

const fieldsSchema = () =>
  z.strictObject({
    name: z.string().min(1).optional().describe('What reports call the model.'),
    numLayers: positive.max(10_000).describe('Transformer layers.'),
    hiddenSize: positive.describe('Width of the residual stream.'),
    numAttentionHeads: positive.optional().describe('Query heads. Default: hiddenSize / 128, or the nearest divisor.'),
    numKeyValueHeads: positive
      .optional()
      .describe('Key and value heads: 1 is multi-query, fewer than the query heads grouped. Default: all heads.'),
    headDim: positive.optional().describe('Size of one head. Default: hiddenSize / numAttentionHeads.'),
    intermediateSize: positive
      .optional()
      .describe(
        'Width of the dense feed-forward layer. Default: 4 x hiddenSize; gated: 8/3 of it, up to a multiple of 256.',
      ),
    vocabSize: positive.optional().describe(`Tokens before padding. Default: ${DEFAULT_VOCAB_SIZE}, as GPT-2.`),
    gatedMlp: z
      .boolean()
      .optional()
      .describe(
        'Three feed-forward matrices (SwiGLU, GeGLU). Default: false. Other defaults follow: GPT or LLaMA shape.',
      ),
    activation: z.enum(['gelu', 'silu', 'relu', 'squared-relu']).optional().describe('Default: gelu; gated: silu.'),
    tiedEmbeddings: z.boolean().optional().describe('The head shares the embedding. Default: true; gated: false.'),
    positionEmbedding: z
      .enum(['learned', 'rotary', 'alibi', 'transformer-xl', 'none'])
      .optional()
      .describe('Default: learned; gated: rotary.'),
    learnedPositions: z.boolean().optional().describe('Short for positionEmbedding: true is learned, false rotary.'),
    maxPositions: count.optional().describe('Rows of the learned position table. Default: the sequence length.'),
    norm: z.enum(['layer', 'rms']).optional().describe('Default: layer; gated: rms.'),
    normsPerLayer: count.optional().describe('Norms over the hidden size in a layer. Default: 2.'),
    normBias: z.boolean().optional().describe('Biases beside the scales of norms. Default: true for layer norms.'),
    finalNorm: z.boolean().optional().describe('A norm before the head. Default: true.'),
    embeddingNorm: z.boolean().optional().describe('A norm after the embedding (BLOOM). Default: false.'),
    queryKeyNorm: z
      .enum(['none', 'head', 'full'])
      .optional()
      .describe('Norm on queries and keys: per head, or over all heads (OLMo 2). Default: none.'),
    biases: biasesSchema().optional().describe('Default: all but the head; gated: none.'),
    parallelLayers: z.boolean().optional().describe('Attention and feed-forward side by side. Default: false.'),
    attentionSinks: z.boolean().optional().describe('One learned sink logit per head (gpt-oss). Default: false.'),
    mla: latentAttentionSchema()
      .nullable()
      .optional()
      .describe('Multi-head latent attention (DeepSeek). Default: none.'),
    moe: mixtureOfExpertsSchema().nullable().optional().describe('Mixture of experts. Default: none.'),
    slidingWindow: slidingWindowSchema().nullable().optional().describe('Local attention. Default: none.'),
    multiTokenPredictionLayers: z
      .union([count, z.boolean()])
      .optional()
      .describe('Multi-token-prediction modules (DeepSeek V3); true is 1. Default: 0.'),
    dropout: z.number().min(0).lt(1).optional().describe('Dropout while training. Default: 0.1; gated: 0.'),
  });

/**
 * An architecture as people write it: only `numLayers` and `hiddenSize` are required. No transforms, so that a
 * resolved `Architecture` is itself valid input and the JSON Schema says the same as the parser. Made when one is read: most run files name
 * a preset.
 */
export const architectureInputSchema = z.lazy(once(() => fieldsSchema().superRefine(checkTogether)));

export type ArchitectureInput = z.input<typeof architectureInputSchema>;

/** What only fields together can get wrong. Each message gives the numbers and the way out. */
function checkTogether(input: z.output<ReturnType<typeof fieldsSchema>>, context: z.RefinementCtx): void {
  const reject = (key: string, message: string) => context.addIssue({ code: 'custom', path: key.split('.'), message });
  const heads = input.numAttentionHeads ?? defaultHeads(input.hiddenSize);
  const keyValueHeads = input.numKeyValueHeads ?? heads;
  if (heads % keyValueHeads !== 0) {
    reject('numKeyValueHeads', `numKeyValueHeads ${keyValueHeads} does not divide numAttentionHeads ${heads}`);
  }
  if (input.headDim === undefined && !input.mla && input.hiddenSize % heads !== 0) {
    reject('headDim', `hiddenSize ${input.hiddenSize} is not a multiple of ${heads} heads; give headDim`);
  }
  if (input.learnedPositions !== undefined && input.positionEmbedding !== undefined) {
    if (input.learnedPositions !== (input.positionEmbedding === 'learned')) {
      reject(
        'learnedPositions',
        `learnedPositions ${input.learnedPositions} contradicts positionEmbedding ${input.positionEmbedding}`,
      );
    }
  }
  if (!input.moe) return;
  const { numExperts, expertsPerToken, numDenseLayers = 0 } = input.moe;
  if (expertsPerToken > numExperts) {
    reject('moe.expertsPerToken', `expertsPerToken ${expertsPerToken} exceeds numExperts ${numExperts}`);
  }
  if (numDenseLayers > input.numLayers) {
    reject('moe.numDenseLayers', `numDenseLayers ${numDenseLayers} exceeds numLayers ${input.numLayers}`);
  }
}
