import fc from 'fast-check';
import { multiplies } from '../../src/parallelism/matrixFormat.js';
import { layersPerChunk } from '../../src/parallelism/stages.js';
import {
  attentionKernels,
  contextMethods,
  dataShardings,
  offloads,
  optimizers,
  pipelineSchedules,
  precisions,
  recomputes,
} from '../../src/parallelism/strategy.js';
import { loadCluster } from '../../src/scenario/loadHardware.js';
import { resolveScenario } from '../../src/scenario/resolveScenario.js';
import type { RunFileInput } from '../../src/scenario/runFileSchema.js';
import type { Scenario } from '../../src/scenario/scenario.js';

/** Shapes of hardware that differ in kind: switch, mesh and torus, small and large domains, with and without bf16 or fp8. */
const clusters = [
  'dgx-a100',
  'dgx-h100',
  'dgx-b200',
  'gb200-nvl72',
  'dgx1v',
  'azure-nd-mi300x',
  'lumi-g',
  'gcp-tpu-v5p',
  'aws-trn2',
  'workstation-4090',
] as const;

const peaks = new Map(clusters.map((id) => [id, loadCluster(id).accelerator.peakFlopsPerSecond] as const));

/** What is drawn; `runFile` turns any draw into degrees that go together, so that none is thrown away and shrinking works. */
const draws = fc.record({
  cluster: fc.constantFrom(...clusters),
  framework: fc.constantFrom('megatron' as const, 'deepspeed' as const, 'fsdp' as const, 'xla' as const),
  headsLog2: fc.integer({ min: 2, max: 6 }),
  headDim: fc.constantFrom(64, 128),
  queriesPerKeyLog2: fc.integer({ min: 0, max: 3 }),
  layersBeyondChunks: fc.integer({ min: 0, max: 40 }),
  vocabSize: fc.integer({ min: 1000, max: 260_000 }),
  gatedMlp: fc.boolean(),
  tiedEmbeddings: fc.boolean(),
  parallelLayers: fc.boolean(),
  slidingWindow: fc.constantFrom(null, 512, 4096),
  experts: fc.constantFrom(null, { log2: 3, visits: 2, shared: 0 }, { log2: 6, visits: 6, shared: 2 }),
  denseLayersFirst: fc.integer({ min: 0, max: 3 }),
  expertLayerEvery: fc.integer({ min: 1, max: 2 }),
  latentAttention: fc.boolean(),
  predictionLayers: fc.constantFrom(0, 0, 0, 1),
  sequenceLog2: fc.integer({ min: 9, max: 15 }),
  tensorLog2: fc.integer({ min: 0, max: 3 }),
  contextLog2: fc.integer({ min: 0, max: 2 }),
  pipelineParallel: fc.constantFrom(1, 2, 3, 4, 6, 8, 16),
  virtualStages: fc.integer({ min: 1, max: 4 }),
  dataParallel: fc.constantFrom(1, 2, 4, 6, 8, 64, 512),
  expertParallelLog2: fc.integer({ min: 0, max: 6 }),
  microBatches: fc.integer({ min: 1, max: 64 }),
  microBatchSize: fc.constantFrom(1, 2, 4),
  schedule: fc.constantFrom(...pipelineSchedules),
  hybridShards: fc.boolean(),
  strategy: fc.record(
    {
      sequenceParallel: fc.boolean(),
      contextMethod: fc.constantFrom(...contextMethods),
      dataSharding: fc.constantFrom(...dataShardings),
      offload: fc.constantFrom(...offloads),
      optimizerOffloadFraction: fc.constantFrom(0, 0.5, 1),
      activationOffloadLayers: fc.constantFrom(0, 1, 100),
      recompute: fc.constantFrom(...recomputes),
      recomputeLayers: fc.constantFrom(0, 1, 3, 100),
      recomputeModules: fc.subarray([
        'core_attn',
        'layernorm',
        'mlp',
        'moe',
        'moe_act',
        'mla_up_proj',
        'shared_experts',
      ] as const),
      precision: fc.constantFrom(...precisions),
      gradientDtype: fc.constantFrom('fp32' as const, 'bf16' as const),
      optimizer: fc.constantFrom(...optimizers),
      attentionKernel: fc.constantFrom(...attentionKernels),
      fusedNorm: fc.boolean(),
      fusedCrossEntropy: fc.boolean(),
      compile: fc.boolean(),
      cudaGraphs: fc.constantFrom('none' as const, 'layer' as const, 'full' as const),
      tensorOverlap: fc.boolean(),
      expertOverlap: fc.boolean(),
      expertDispatcher: fc.constantFrom('alltoall' as const, 'deepep' as const, 'hybridep' as const),
      overlapGradientReduce: fc.boolean(),
      overlapParameterGather: fc.boolean(),
      overlapPipelineSend: fc.boolean(),
    },
    { requiredKeys: [] },
  ),
});

type Draw = typeof draws extends fc.Arbitrary<infer D> ? D : never;

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/** Chunks per stage that the schedule allows: interleaving ones take what is drawn, ZB-V has two, the others one. */
function chunksOf(schedule: Draw['schedule'], pipelineParallel: number, drawn: number): number {
  if (pipelineParallel === 1) return 1;
  if (schedule === 'zb-v') return 2;
  return schedule === 'interleaved-1f1b' || schedule === 'breadth-first' ? drawn : 1;
}

/** The drawn choices with no more layers than there are, and without a number format that the cluster's matrix units lack. */
function strategyOf({ cluster, strategy }: Draw, numLayers: number): RunFileInput['strategy'] {
  const { precision, activationOffloadLayers, recomputeLayers, ...others } = strategy;
  const rates = peaks.get(cluster);
  const known = precision !== undefined && rates !== undefined && multiplies(rates, precision);
  return {
    ...others,
    ...(known ? { precision } : {}),
    ...(activationOffloadLayers === undefined
      ? {}
      : { activationOffloadLayers: Math.min(activationOffloadLayers, numLayers) }),
    ...(recomputeLayers === undefined ? {} : { recomputeLayers: Math.min(recomputeLayers, numLayers) }),
  };
}

/** DualPipe feeds the pipeline from both ends: an even number of at least two micro-batches for each stage. */
function microBatchesOf({ schedule, microBatches }: Draw, pipelineParallel: number): number {
  if (schedule !== 'dualpipe' || pipelineParallel === 1) return microBatches;
  return 2 * Math.max(pipelineParallel, Math.ceil(microBatches / 2));
}

function modelOf(d: Draw, chunks: number): Exclude<RunFileInput['model'], string> {
  const heads = 2 ** d.headsLog2;
  const hiddenSize = heads * d.headDim;
  const numLayers = chunks + d.layersBeyondChunks;
  const experts = d.experts;
  return {
    name: 'drawn',
    numLayers,
    hiddenSize,
    numAttentionHeads: heads,
    numKeyValueHeads: d.latentAttention ? heads : Math.max(1, heads / 2 ** d.queriesPerKeyLog2),
    intermediateSize: 4 * hiddenSize,
    vocabSize: d.vocabSize,
    gatedMlp: d.gatedMlp,
    tiedEmbeddings: d.tiedEmbeddings,
    parallelLayers: d.parallelLayers,
    slidingWindow: d.slidingWindow,
    multiTokenPredictionLayers: d.predictionLayers,
    mla: d.latentAttention
      ? {
          queryLoraRank: 512,
          keyValueLoraRank: 256,
          queryKeyNopeHeadDim: 64,
          queryKeyRopeHeadDim: 32,
          valueHeadDim: 64,
        }
      : null,
    moe:
      experts === null
        ? null
        : {
            numExperts: 2 ** experts.log2,
            expertsPerToken: experts.visits,
            expertIntermediateSize: 2 * hiddenSize,
            sharedExperts: experts.shared,
            numDenseLayers: Math.min(d.denseLayersFirst, numLayers),
            every: d.expertLayerEvery,
          },
  };
}

function runFile(d: Draw): RunFileInput {
  const tensorParallel = 2 ** Math.min(d.tensorLog2, d.headsLog2);
  const heads = 2 ** d.headsLog2 / tensorParallel;
  // Ulysses divides the heads, and is some frameworks' default.
  const contextParallel = greatestCommonDivisor(2 ** d.contextLog2, heads);
  const oddDualPipe = d.schedule === 'dualpipe' && d.pipelineParallel % 2 === 1;
  const pipelineParallel = oddDualPipe ? d.pipelineParallel - 1 || 1 : d.pipelineParallel;
  const virtualStages = chunksOf(d.schedule, pipelineParallel, d.virtualStages);
  const ranks = tensorParallel * contextParallel * d.dataParallel;
  const expertParallel =
    d.experts === null ? 1 : greatestCommonDivisor(2 ** Math.min(d.expertParallelLog2, d.experts.log2), ranks);
  const shards = d.dataParallel * contextParallel;
  const model = modelOf(d, pipelineParallel * virtualStages);
  return {
    model,
    cluster: d.cluster,
    accelerators: ranks * pipelineParallel,
    sequenceLength: 2 ** d.sequenceLog2,
    framework: d.framework,
    strategy: {
      ...strategyOf(d, model.numLayers),
      tensorParallel,
      contextParallel,
      pipelineParallel,
      virtualStages,
      // Chunks that do not divide the layers have to be spelled out.
      ...(virtualStages > 1
        ? { stageLayers: [...layersPerChunk(model.numLayers, pipelineParallel * virtualStages, [])] }
        : {}),
      pipelineSchedule: d.schedule,
      expertParallel,
      ...(d.hybridShards && shards % 2 === 0 ? { shardGroupSize: shards / 2 } : {}),
      microBatchSize: d.microBatchSize,
      globalBatchSize: d.dataParallel * d.microBatchSize * microBatchesOf(d, pipelineParallel),
    },
  };
}

/** Run files that obey every rule of the degrees: dense and with experts, all schedules, shardings, formats and clusters. */
export const runs: fc.Arbitrary<RunFileInput> = draws.map(runFile);

/** Asserts `property` of many scenarios; a counterexample is shown as its run file. */
export function forEveryScenario(property: (scenario: Scenario) => void, numRuns = 200): void {
  fc.assert(
    fc.property(runs, (run) => property(resolveScenario(run))),
    { numRuns },
  );
}

/** The same scenario with other choices of strategy; other chunks are filled as evenly as they go. */
export function withStrategy(scenario: Scenario, change: Partial<Scenario['strategy']>): Scenario {
  const chunks = change.virtualStages !== undefined || change.pipelineSchedule !== undefined;
  const split = chunks && change.stageLayers === undefined ? { stageLayers: [] } : {};
  return { ...scenario, strategy: { ...scenario.strategy, ...split, ...change } };
}

/** The same scenario on an accelerator that differs. */
export function withAccelerator(scenario: Scenario, change: Partial<Scenario['cluster']['accelerator']>): Scenario {
  const { cluster } = scenario;
  return { ...scenario, cluster: { ...cluster, accelerator: { ...cluster.accelerator, ...change } } };
}
