import { z } from 'zod';
import { once } from '../quantity/once.js';
import type { Dimension } from '../quantity/units.js';
import { givenFigure, provenance, sourcedFigure } from './figure.js';

export { resolveAccelerator } from './resolveAccelerator.js';

const count = z.int().nonnegative();
const positive = z.int().positive();
const fraction = z.number().positive().max(1);
const points = once(() => z.array(z.tuple([z.number().positive(), fraction])).min(1));

export const scaleUpTopologies = ['switch', 'mesh', 'torus-2d', 'torus-3d', 'pcie', 'none'] as const;

const gemmCurveSchema = once(() =>
  z.strictObject({
    maxEfficiency: fraction.describe('Fraction of the dense peak that large GEMMs reach alone.'),
    launchSeconds: z.number().nonnegative().describe('Fixed time of one GEMM.'),
    quantiseTrafficMultiplier: z
      .number()
      .nonnegative()
      .optional()
      .describe('Memory traffic of quantising. Default: 0.'),
    ...provenance,
  }),
);

const attentionCurveSchema = once(() =>
  z.strictObject({
    kernel: z.enum(['unfused', 'flash-1', 'flash-2', 'flash-3', 'flash-4', 'cudnn']),
    headDim: positive,
    direction: z.enum(['forward', 'backward']),
    points: points().describe('[sequence length, fraction of the dense 16-bit peak], causal half not counted.'),
    ...provenance,
  }),
);

const collectiveCurveSchema = once(() =>
  z.strictObject({
    ranks: z.int().min(2),
    busBytesPerSecond: z.number().positive(),
    halfBytes: z.number().positive().describe('Size at which half the bandwidth is reached.'),
    power: z.number().positive(),
    minimumSeconds: z.number().nonnegative(),
    ...provenance,
  }),
);

const collectivesSchema = once(() =>
  z.strictObject({
    allReduce: z.array(collectiveCurveSchema()).optional(),
    allGather: z.array(collectiveCurveSchema()).optional(),
    reduceScatter: z.array(collectiveCurveSchema()).optional(),
    allToAll: z.array(collectiveCurveSchema()).optional(),
  }),
);

/** One description for presets and run files; only the way a number is written differs. */
function acceleratorFields<F extends z.ZodType>(figure: (dimension: Dimension) => F) {
  const peak = figure('flopsPerSecond').optional();
  return {
    id: z.string().min(1).optional(),
    name: z.string().min(1).optional(),
    vendor: z.string().optional(),
    generation: z.string().optional(),
    year: count.optional(),
    note: z.string().optional().describe('Free words, ignored.'),
    peakFlopsPerSecond: z
      .strictObject({ fp32: peak, tf32: peak, fp16: peak, bf16: peak, fp8: peak, fp4: peak })
      .describe('Dense peaks, no sparsity. Left out: the hardware has none.'),
    memoryBytes: figure('bytes').describe('HBM as sold; an "80 GB" part holds 80 GiB.'),
    usableMemoryBytes: figure('bytes').optional().describe('HBM that a process can allocate. Default: 97 %.'),
    memoryBytesPerSecond: figure('bytesPerSecond'),
    memoryEfficiency: figure('ratio').optional().describe('What streaming kernels reach of it. Default: 0.85.'),
    l2Bytes: figure('bytes').optional(),
    multiprocessors: figure('count').optional(),
    clockHertz: figure('hertz').optional(),
    watts: figure('watts').optional().describe('Board power limit.'),
    scaleUpBytesPerSecond: figure('bytesPerSecond').optional().describe('Scale-up link, one direction. Default: 0.'),
    scaleUpTopology: z.enum(scaleUpTopologies).optional().describe('Default: switch, or none without a link.'),
    scaleUpDomainSize: positive.optional().describe('Accelerators in a scale-up domain. Default: 8.'),
    scaleUpReduction: z.boolean().optional().describe('The switch reduces (NVLS). Default: false.'),
    scaleOutBytesPerSecond: figure('bytesPerSecond')
      .optional()
      .describe('NIC share of one accelerator, one direction. Default: 50 GB/s.'),
    hostBytesPerSecond: figure('bytesPerSecond').optional().describe('Host link as achieved. Default: 25 GB/s.'),
    overlapContention: figure('count').optional().describe('Slow-down beside communication. Default: 1.13.'),
    gemm: z
      .strictObject({
        bf16: gemmCurveSchema(),
        fp8: gemmCurveSchema().optional(),
        fp4: gemmCurveSchema().optional(),
        wholeWaves: z.boolean().optional().describe('Tiles run in whole waves over the units. Default: false.'),
      })
      .optional()
      .describe('Default: 0.7 of the peak.'),
    sustained: z
      .strictObject({
        bf16: figure('ratio').optional(),
        fp8: figure('ratio').optional(),
        mxfp8: figure('ratio').optional(),
        fp4: figure('ratio').optional(),
        attention: figure('ratio').optional(),
      })
      .optional()
      .describe('What a training step sustains of a kernel measured alone. Default: 1.'),
    attention: z.array(attentionCurveSchema()).optional().describe('Default: the fraction that A100 reaches.'),
    groupedGemm: z
      .strictObject({ points: points(), ...provenance })
      .optional()
      .describe('[tokens per expert, fraction of the dense efficiency].'),
    collectives: collectivesSchema().optional().describe('Measured inside a scale-up domain. Default: the link rate.'),
    collectivesMeasuredAtBytesPerSecond: figure('bytesPerSecond')
      .optional()
      .describe('Link rate of those measurements: at another one they scale with it. Default: scaleUpBytesPerSecond.'),
  };
}

/** An accelerator written out in a run file; made when one is. */
export const acceleratorInputSchema = z.lazy(
  once(() =>
    z
      .strictObject(acceleratorFields(givenFigure))
      .refine(hasSixteenBit, { error: 'needs a bf16 or fp16 peak', path: ['peakFlopsPerSecond'] }),
  ),
);

/** A file of presets/accelerators/. */
export const acceleratorFileSchema = once(() =>
  z
    .strictObject({
      ...acceleratorFields(sourcedFigure),
      id: z.string().min(1),
      name: z.string().min(1),
      aliases: z.array(z.string().min(1)).optional(),
      sources: z.record(z.string(), z.string().min(1)),
    })
    .refine(hasSixteenBit, { error: 'needs a bf16 or fp16 peak', path: ['peakFlopsPerSecond'] }),
);

function hasSixteenBit({ peakFlopsPerSecond }: { peakFlopsPerSecond: { bf16?: unknown; fp16?: unknown } }): boolean {
  return peakFlopsPerSecond.bf16 !== undefined || peakFlopsPerSecond.fp16 !== undefined;
}

export type AcceleratorFile = z.output<ReturnType<typeof acceleratorFileSchema>>;
export type AcceleratorInput = z.output<typeof acceleratorInputSchema>;
