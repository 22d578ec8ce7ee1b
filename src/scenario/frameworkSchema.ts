import { z } from 'zod';
import { figureKinds } from '../hardware/figure.js';
import { once } from '../quantity/once.js';
import { frameworkIds } from './runFileSchema.js';
import { strategySchema } from './strategySchema.js';

/** A number that says where it comes from (`npm run fit` writes those), or one whose comment does. */
const factor = sourced(z.number().positive());
const seconds = sourced(z.number().nonnegative());
const bytes = z.number().nonnegative();

function sourced<T extends z.ZodType<number>>(value: T) {
  return z.union([value, z.strictObject({ value, kind: z.enum(figureKinds), source: z.string().min(1) })]);
}

/** Figures of one framework; `Framework` in parallelism/framework.ts says what each means. */
const figuresSchema = once(() =>
  z.strictObject({
    fusion: z.enum(['eager', 'compiled', 'fused']),
    hostLaunchSeconds: seconds,
    hostLayerSeconds: seconds,
    hostExpertLayerSeconds: seconds,
    hostExpertOverlapFactor: factor,
    hostPassSeconds: seconds,
    microBatchOverheadSeconds: seconds,
    stepOverheadSeconds: seconds,
    gemmTimeFactor: factor,
    attentionTimeFactor: factor,
    elementwiseTimeFactor: factor,
    eagerQuantiseTraffic: z.number().nonnegative(),
    interleavesPipeline: z.boolean(),
    asyncTensorBackward: z.boolean(),
    recomputeStopsEarly: z.boolean(),
    fusedGradientAccumulation: z.boolean(),
    gradientBucketBytes: bytes,
    gradientReduceBytes: z.literal([2, 4]),
    gradientAllReduce: z.boolean(),
    networkShare: sourced(z.number().positive().max(1)),
    scatterGatherPipeline: z.boolean(),
    blockingReceive: z.boolean(),
    slicedLoss: z.boolean(),
    gatheredLogits: z.boolean(),
    dropout: z.number().min(0).max(1),
    gatedDropout: z.number().min(0).max(1),
    lowPrecisionWeights: z.boolean(),
    vocabularyPadding: z.int().positive(),
    weightBytes: z.literal([2, 4]),
    masterWeights: z.boolean(),
    optimizerExtraBytes: bytes,
    jitter: seconds,
    memory: z.strictObject({
      contextBytes: bytes,
      communicatorBytes: bytes,
      fragmentation: seconds,
      loss: z.enum(['megatron', 'megatron-2021', 'torch', 'torch-kept', 'compiled']),
      placeholderGradients: z.boolean(),
      gradientBuffer: z.boolean(),
      keepsStageOutput: z.boolean(),
      tensorCopies: z.number().nonnegative(),
      sequenceCopies: z.number().nonnegative(),
      gradientBytes: z.strictObject({ fp16: bytes.optional(), bf16: bytes.optional() }),
      gatherUnit: z.enum(['layer', 'matrix']),
    }),
  }),
);

/** A file of presets/frameworks. The first version with a match inside `frameworkVersion` changes the base. */
export const frameworkFileSchema = once(() =>
  z.strictObject({
    id: z.enum(frameworkIds),
    name: z.string(),
    aliases: z.array(z.string()).optional(),
    sources: z.union([z.array(z.string()), z.record(z.string(), z.string())]),
    base: figuresSchema().extend({ version: z.string(), defaults: strategySchema }),
    versions: z.array(
      figuresSchema()
        .omit({ memory: true })
        .partial()
        .extend({
          version: z.string(),
          match: z.array(z.string().min(1)).min(1),
          memory: figuresSchema().shape.memory.partial().optional(),
          defaults: strategySchema.optional(),
        }),
    ),
  }),
);

export type FrameworkFile = z.output<ReturnType<typeof frameworkFileSchema>>;
