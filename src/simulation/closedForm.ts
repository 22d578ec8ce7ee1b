import type { Scenario } from '../scenario/scenario.js';
import { sendSeconds } from '../hardware/collectives/collective.js';
import { activationTable, type MemoryContext, stageBytes } from '../memory/stageMemory.js';
import { type OverlapWindow, type RankParameters, replicatedCost, shardedCost, type ShardedUnit } from '../parallelism/data.js';
import { scheduleOf } from '../parallelism/pipeline/schedules.js';
import { type PipelineLoad, passSeconds, type Schedule, type StagePass } from '../parallelism/pipeline/schedule.js';
import { endRankParameters, layerRankParameters, stageRankParameters } from '../parallelism/rankParameters.js';
import type { Stage } from '../parallelism/stages.js';
import type { Evaluation, StageMemory, StepBreakdown } from './evaluation.js';
import { stepFlops } from './flops.js';
import { optimizerSeconds } from './optimizerStep.js';
import { type Prepared, prepare } from './prepare.js';
import { shardedUnits } from './shardedUnits.js';
import { type LayerTable, layerTable, type StageCost, stageCost } from './stageCost.js';

/** Stages that differ, each timed once; the others are copies. */
interface StageTable {
  readonly stages: readonly Stage[];
  readonly costs: readonly StageCost[];
  readonly parameters: readonly RankParameters[];
  readonly endParameters: readonly number[];
}

/** Memory and time of one optimizer step in closed form; microseconds to milliseconds of work, no I/O. Throws on bad degrees. */
export function evaluate(scenario: Scenario): Evaluation {
  const p = prepare(scenario);
  const layers = layerTable(p);
  const denseLayer = layerRankParameters(p.model, 'dense', p.degrees);
  const moeLayer = p.model.moe === null ? denseLayer : layerRankParameters(p.model, 'moe', p.degrees);
  const table = stageTable(p, layers, denseLayer, moeLayer);
  const schedule = scheduleOf(p.degrees.pipelineParallel > 1 ? p.strategy.pipelineSchedule : '1f1b');
  const memory = stageMemories(p, layers, table, schedule, denseLayer, moeLayer);
  const breakdown = stepBreakdown(p, table, schedule, layers, denseLayer, moeLayer);
  return summarise(p, memory, breakdown);
}

/** Stages with the same content cost the same: a pipeline of 64 has three or four kinds. */
function stageTable(p: Prepared, layers: LayerTable, dense: RankParameters, moe: RankParameters): StageTable {
  const seen = new Map<number, { cost: StageCost; parameters: RankParameters; ends: number }>();
  const costs: StageCost[] = [];
  const parameters: RankParameters[] = [];
  const endParameters: number[] = [];
  for (const stage of p.stages) {
    const key = ((stage.denseLayers * 4096 + stage.moeLayers) * 2 + (stage.hasEmbedding ? 1 : 0)) * 2 + (stage.hasHead ? 1 : 0);
    let entry = seen.get(key);
    if (entry === undefined) {
      const ends = endRankParameters(p.model, stage, p.degrees, p.paddedVocabulary);
      entry = {
        cost: stageCost(p, layers, stage),
        parameters: stageRankParameters(p.model, stage, p.degrees, p.paddedVocabulary, dense, moe),
        ends: ends.embedding + ends.head,
      };
      seen.set(key, entry);
    }
    costs.push(entry.cost);
    parameters.push(entry.parameters);
    endParameters.push(entry.ends);
  }
  return { stages: p.stages, costs, parameters, endParameters };
}

function stageMemories(
  p: Prepared,
  layers: LayerTable,
  table: StageTable,
  schedule: Schedule,
  denseLayer: RankParameters,
  moeLayer: RankParameters,
): { readonly stages: readonly StageMemory[]; readonly hostBytes: number } {
  const context: MemoryContext = {
    model: p.model,
    strategy: p.strategy,
    framework: p.framework,
    degrees: p.degrees,
    share: p.share,
    execution: p.execution,
    schedule,
    recompute: layers.recompute,
    denseGraph: layers.dense.graph,
    moeGraph: layers.moe.graph,
    denseLayer,
    moeLayer,
    paddedVocabulary: p.paddedVocabulary,
  };
  const activations = activationTable(context);
  const overheadBytes = p.framework.memory.contextBytes + p.framework.memory.communicatorBytes;
  let hostBytes = 0;
  const stages = table.stages.map((stage, i): StageMemory => {
    const parameters = table.parameters[i] ?? { dense: 0, expert: 0 };
    const bytes = stageBytes(context, activations, stage, parameters, table.endParameters[i] ?? 0, p.degrees.microBatches);
    hostBytes = Math.max(hostBytes, bytes.hostBytes);
    const { hostBytes: _host, ...device } = bytes;
    return { stage: stage.stage, layers: stage.denseLayers + stage.moeLayers, ...device, overheadBytes };
  });
  return { stages, hostBytes: hostBytes * p.scenario.cluster.acceleratorsPerNode };
}

/** DualPipe runs stage i and its mirror image on the same rank, half of the micro-batches each. */
function rankPasses(p: Prepared, table: StageTable): StagePass[] {
  const passes = table.costs.map((cost) => cost.pass);
  if (p.strategy.pipelineSchedule !== 'dualpipe' || passes.length < 2) return passes;
  return passes.map((pass, i) => {
    const mirror = passes[passes.length - 1 - i] ?? pass;
    return {
      forward: (pass.forward + mirror.forward) / 2,
      inputGradient: (pass.inputGradient + mirror.inputGradient) / 2,
      weightGradient: (pass.weightGradient + mirror.weightGradient) / 2,
    };
  });
}

function busiestStage(passes: readonly StagePass[]): number {
  let busiest = 0;
  let most = -1;
  passes.forEach((pass, stage) => {
    const seconds = passSeconds(pass);
    if (seconds > most) {
      most = seconds;
      busiest = stage;
    }
  });
  return busiest;
}

/**
 * Pipeline sends on the critical path. Filling and draining always wait for each hop; in the steady state a rank also waits,
 * unless sends overlap compute.
 */
function pipelineSendSeconds(p: Prepared, schedule: Schedule): number {
  const { pipelineParallel: stages, microBatches, virtualStages } = p.degrees;
  if (stages <= 1) return 0;
  const { share, strategy, framework } = p;
  const scattered = strategy.sequenceParallel || framework.scatterGatherPipeline;
  const bytes = (share.tokens * p.model.hiddenSize * share.activationBytes) / (scattered ? share.tensorParallel : 1);
  const send = sendSeconds(p.mesh.pipeline, bytes);
  const chunks = schedule.chunked ? virtualStages : 1;
  const fillAndDrain = 2 * (stages - 1) * send;
  const steady = strategy.overlapPipelineSend ? 0 : 2 * microBatches * chunks * send;
  return fillAndDrain + steady;
}

function stepBreakdown(
  p: Prepared,
  table: StageTable,
  schedule: Schedule,
  layers: LayerTable,
  denseLayer: RankParameters,
  moeLayer: RankParameters,
): StepBreakdown {
  const passes = rankPasses(p, table);
  const busiest = busiestStage(passes);
  const cost = table.costs[busiest];
  const pass = passes[busiest];
  if (cost === undefined || pass === undefined) throw new Error('internal error: a pipeline without stages');
  const m = p.degrees.microBatches;
  const load: PipelineLoad = { passes, microBatches: m, chunks: p.degrees.virtualStages };
  const scale = m * (passSeconds(pass) / Math.max(passSeconds(cost.pass), Number.MIN_VALUE));
  const pipelineBubbleSeconds = p.degrees.pipelineParallel > 1 ? schedule.bubbleSeconds(load, busiest) : 0;
  const dataParallelSeconds = dataParallel(p, table, layers, denseLayer, moeLayer);
  const optimizer = worstStage(table, (i) => optimizerSeconds(p, table.parameters[i] ?? { dense: 0, expert: 0 }));
  const parts = {
    computeSeconds: scale * (cost.forwardSeconds + cost.inputGradientSeconds + cost.weightGradientSeconds),
    recomputeSeconds: scale * cost.recomputeSeconds,
    tensorParallelSeconds: scale * cost.tensorSeconds,
    contextParallelSeconds: scale * cost.contextSeconds,
    expertParallelSeconds: scale * cost.expertSeconds,
    pipelineSendSeconds: pipelineSendSeconds(p, schedule),
    pipelineBubbleSeconds,
    dataParallelSeconds,
    optimizerSeconds: optimizer.deviceSeconds,
    offloadSeconds: optimizer.offloadSeconds,
    otherSeconds: scale * cost.hostSeconds + p.framework.stepOverheadSeconds,
  };
  const sum = Object.values(parts).reduce((total, seconds) => total + seconds, 0);
  return { ...parts, otherSeconds: parts.otherSeconds + sum * waitForSlowest(p) };
}

/** Expected maximum of n normal draws over their mean: sigma sqrt(2 ln n). */
function waitForSlowest(p: Prepared): number {
  return p.framework.jitter * Math.sqrt(2 * Math.log(p.degrees.accelerators));
}

function worstStage<T extends { readonly totalSeconds: number }>(table: StageTable, of: (stage: number) => T): T {
  let worst = of(0);
  // Only the ends and one inner stage can differ in what they hold.
  for (const i of new Set([1, table.stages.length - 1])) {
    if (i >= table.stages.length) continue;
    const other = of(i);
    if (other.totalSeconds > worst.totalSeconds) worst = other;
  }
  return worst;
}

/** Backward compute beside which gradients travel: the last micro-batch, or most of the last p with interleaving. */
function overlapWindow(p: Prepared, cost: StageCost): OverlapWindow {
  const { virtualStages: v, pipelineParallel, microBatches } = p.degrees;
  const backward = cost.pass.inputGradient + cost.pass.weightGradient;
  const ready = v > 1 ? (Math.min(microBatches, pipelineParallel) * (v - 1) + 1) / v : 1;
  return { backwardSeconds: backward * ready, forwardSeconds: cost.pass.forward * ready };
}

function dataParallel(
  p: Prepared,
  table: StageTable,
  layers: LayerTable,
  denseLayer: RankParameters,
  moeLayer: RankParameters,
): number {
  const { strategy, framework, mesh, contention } = p;
  if (strategy.dataSharding === 'zero-3') {
    const cost = worstStage(table, (i) => shardedCost(mesh, stageUnits(table, i, layers, denseLayer, moeLayer), strategy, framework, contention));
    return cost.exposedSeconds * p.degrees.microBatches;
  }
  return worstStage(table, (i) => {
    const cost = table.costs[i];
    const parameters = table.parameters[i];
    if (cost === undefined || parameters === undefined) return { totalSeconds: 0, exposedSeconds: 0 };
    return replicatedCost(mesh, parameters, strategy, framework, overlapWindow(p, cost), p.degrees.microBatches, contention);
  }).exposedSeconds;
}

function stageUnits(
  table: StageTable,
  index: number,
  layers: LayerTable,
  denseLayer: RankParameters,
  moeLayer: RankParameters,
): ShardedUnit[] {
  const stage = table.stages[index];
  return stage === undefined ? [] : shardedUnits(stage, table.endParameters[index] ?? 0, layers, denseLayer, moeLayer);
}

function summarise(
  p: Prepared,
  memory: { readonly stages: readonly StageMemory[]; readonly hostBytes: number },
  breakdown: StepBreakdown,
): Evaluation {
  let allocatedBytes = 0;
  for (const stage of memory.stages) allocatedBytes = Math.max(allocatedBytes, stage.peakBytes);
  const { contextBytes, communicatorBytes, fragmentation } = p.framework.memory;
  const reservedBytes = allocatedBytes * (1 + fragmentation);
  const deviceBytes = reservedBytes + contextBytes + communicatorBytes;
  const capacityBytes = p.accelerator.usableMemoryBytes;
  const flops = stepFlops(p);
  return {
    feasible: true,
    reasons: [],
    dataParallel: p.degrees.dataParallel,
    gradientAccumulation: p.degrees.microBatches,
    stepSeconds: Object.values(breakdown).reduce((total: number, seconds: number) => total + seconds, 0),
    breakdown,
    stages: memory.stages,
    allocatedBytes,
    reservedBytes,
    deviceBytes,
    capacityBytes,
    fits: deviceBytes <= capacityBytes,
    hostBytes: memory.hostBytes,
    modelFlops: flops.model,
    hardwareFlops: flops.hardware,
  };
}
