import type { Cluster } from '../hardware/cluster.js';
import { type ActivationTable, activationTable, type StageBytes, stageBytes } from '../memory/stageMemory.js';
import { fullestTotals, memoryTotals } from '../memory/totals.js';
import type { Schedule } from '../parallelism/pipeline/schedule.js';
import { scheduleFor } from '../parallelism/pipeline/schedules.js';
import type { Chunk, Stage } from '../parallelism/stages.js';
import type { Strategy } from '../parallelism/strategy.js';
import type { Scenario } from '../scenario/scenario.js';
import { kindCosts, type SharedWork, type WorkCost } from './chunkCost.js';
import { workKey } from './chunkKinds.js';
import type { Evaluation, StageMemory, StepBreakdown } from './evaluation.js';
import { stepFlops } from './flops.js';
import { memoryContext, stageParameters } from './memoryContext.js';
import { boundOfUpdate, type PipelineBound, pipelineBound } from './pipelineBound.js';
import { type Prepared, prepare } from './prepare.js';
import { type LayerTable, layerTable, type PassParts, partsSeconds } from './stageCost.js';

/** Memory and time of one optimizer step in closed form; microseconds to milliseconds of work, no I/O. Throws on bad degrees. */
export function evaluate(scenario: Scenario): Evaluation {
  const p = prepare(scenario);
  return evaluatePrepared(p, layerTable(p));
}

/** The same for callers that share the prepared parts among many strategies. */
export function evaluatePrepared(p: Prepared, layers: LayerTable): Evaluation {
  return evaluateAndBound(p, layers).evaluation;
}

/** The closed form, and seconds of a step that are no less than its own and still below those of the simulation. */
export interface Bounded {
  readonly evaluation: Evaluation;
  readonly boundSeconds: number;
}

/** The same for searches, which simulate the fewer candidates the tighter the bound is. */
export function evaluateAndBound(p: Prepared, layers: LayerTable, shared?: SharedWork): Bounded {
  const works = kindCosts(p, layers, shared);
  const schedule = scheduleFor(p.strategy);
  const bound = pipelineBound(p, works, schedule);
  const evaluation = summarise(p, stageMemories(p, layers, schedule), stepBreakdown(p, works, bound));
  return {
    evaluation,
    boundSeconds: Math.max(evaluation.stepSeconds, stepOf(p, bound.slowedSeconds + bound.commonUpdateSeconds)),
  };
}

/** Seconds of a step alone, as `evaluateAndBound` has them: its passes, and an update that all ranks make together. */
export interface StepBound {
  readonly passesSeconds: number;
  readonly updateSeconds: number;
}

export function stepBound(p: Prepared, layers: LayerTable, shared?: SharedWork): StepBound {
  const bound = pipelineBound(p, kindCosts(p, layers, shared), scheduleFor(p.strategy));
  return { passesSeconds: bound.slowedSeconds, updateSeconds: bound.commonUpdateSeconds };
}

/** The update alone, for candidates whose passes are known from others. */
export function updateBound(p: Prepared, layers: LayerTable, shared?: SharedWork): number {
  return boundOfUpdate(p, kindCosts(p, layers, shared), scheduleFor(p.strategy));
}

/** A step of so many seconds with what every step has around it. */
export function stepOf(p: Prepared, seconds: number): number {
  return (seconds + p.framework.stepOverheadSeconds) * (1 + waitForSlowest(p));
}

/** Memory alone, a small part of the work: whether candidates of a search fit. `activations` are those of `layers`, for callers that have them. */
export function fitsPrepared(p: Prepared, layers: LayerTable, activations?: ActivationTable): boolean {
  const hostBytes = hostBytesIfFits(p, layers, activations);
  return hostBytes !== null && hostFits(p.scenario.cluster, p.strategy, hostBytes);
}

/** Whether it fits on the accelerators, whatever the hosts must hold. */
export function fitsDevice(p: Prepared, layers: LayerTable, activations?: ActivationTable): boolean {
  return hostBytesIfFits(p, layers, activations) !== null;
}

/** Bytes that a node's host must hold; null where the accelerators do not hold their part. */
function hostBytesIfFits(p: Prepared, layers: LayerTable, activations?: ActivationTable): number | null {
  const schedule = scheduleFor(p.strategy);
  const context = memoryContext(p, layers, schedule);
  const table = activations ?? activationTable(context);
  const { pipelineParallel, virtualStages, microBatches } = p.degrees;
  let hostBytes = 0;
  let last: Stage | undefined;
  for (const stage of p.stages) {
    // A stage that holds what the one before holds, with no more micro-batches in flight, needs no more.
    const inFlight = (one: Stage): number =>
      schedule.inFlight(one.stage, pipelineParallel, microBatches, virtualStages);
    const alike = last !== undefined && !schedule.splitsWeightGradient && workKey(last) === workKey(stage);
    if (alike && last !== undefined && inFlight(stage) <= inFlight(last)) continue;
    last = stage;
    const held = stageParameters(p, context, stage);
    const bytes = stageBytes(context, table, stage, held, microBatches);
    // One stage that does not fit is enough.
    const { deviceBytes } = memoryTotals(p.framework, bytes.peakBytes, bytes.separateBytes);
    if (deviceBytes > p.accelerator.usableMemoryBytes) return null;
    hostBytes = Math.max(hostBytes, bytes.hostBytes * p.scenario.cluster.acceleratorsPerNode);
  }
  return hostBytes;
}

function stageMemories(p: Prepared, layers: LayerTable, schedule: Schedule): readonly StageBytes[] {
  const context = memoryContext(p, layers, schedule);
  const activations = activationTable(context);
  return p.stages.map((stage) =>
    stageBytes(context, activations, stage, stageParameters(p, context, stage), p.degrees.microBatches),
  );
}

/** Parts of the rank that bounds the step, over all its micro-batches; what they leave of the bound is bubble. */
function stepBreakdown(p: Prepared, works: readonly WorkCost[], bound: PipelineBound): StepBreakdown {
  const m = p.degrees.microBatches;
  const parts = { compute: 0, recompute: 0, tensor: 0, context: 0, expert: 0, host: 0, data: 0, offload: 0 };
  p.chunks.forEach((chunk, i) => {
    const share = shareOfRank(p, chunk, bound.rank);
    const work = works[p.kinds.kindOf[i] ?? 0];
    if (share === 0 || work === undefined) return;
    addPart(parts, work.cost.parts.forward, share);
    addPart(parts, work.cost.parts.inputGradient, share);
    addPart(parts, work.cost.parts.weightGradient, share);
  });
  const work = m * partsSeconds(parts);
  const accounted = work + bound.sendSeconds + bound.dataSeconds + bound.optimizerSeconds + bound.offloadSeconds;
  const breakdown = {
    computeSeconds: m * parts.compute,
    recomputeSeconds: m * parts.recompute,
    tensorParallelSeconds: m * parts.tensor,
    contextParallelSeconds: m * parts.context,
    expertParallelSeconds: m * parts.expert,
    pipelineSendSeconds: bound.sendSeconds,
    pipelineBubbleSeconds: Math.max(0, bound.seconds - accounted),
    dataParallelSeconds: m * parts.data + bound.dataSeconds,
    optimizerSeconds: bound.optimizerSeconds,
    offloadSeconds: m * parts.offload + bound.offloadSeconds,
    otherSeconds: m * parts.host + p.framework.stepOverheadSeconds,
  };
  const sum = Object.values(breakdown).reduce((total, seconds) => total + seconds, 0);
  return { ...breakdown, otherSeconds: breakdown.otherSeconds + sum * waitForSlowest(p) };
}

/** How much of a chunk's micro-batches a rank runs: all of its own; with DualPipe half of them and of its mirror image's. */
function shareOfRank(p: Prepared, chunk: Chunk, rank: number): number {
  if (p.strategy.pipelineSchedule !== 'dualpipe' || p.degrees.pipelineParallel === 1)
    return chunk.stage === rank ? 1 : 0;
  const mirror = p.degrees.pipelineParallel - 1 - rank;
  return (chunk.stage === rank ? 0.5 : 0) + (chunk.stage === mirror ? 0.5 : 0);
}

function addPart(sum: { -readonly [K in keyof PassParts]: number }, part: PassParts, share: number): void {
  sum.compute += part.compute * share;
  sum.recompute += part.recompute * share;
  sum.tensor += part.tensor * share;
  sum.context += part.context * share;
  sum.expert += part.expert * share;
  sum.host += part.host * share;
  sum.data += part.data * share;
  sum.offload += part.offload * share;
}

/** Expected maximum of n normal draws over their mean: sigma sqrt(2 ln n). */
export function waitForSlowest(p: Prepared): number {
  return p.framework.jitter * Math.sqrt(2 * Math.log(p.degrees.accelerators));
}

/** The part of an answer that is about memory. */
export type MemoryAnswer = Pick<
  Evaluation,
  'stages' | 'allocatedBytes' | 'reservedBytes' | 'deviceBytes' | 'capacityBytes' | 'fits' | 'hostBytes'
>;

/** What the stages' bytes mean for a plan: its totals, and whether it fits. */
export function memoryAnswer(p: Prepared, bytes: readonly StageBytes[]): MemoryAnswer {
  const overheadBytes = p.framework.memory.contextBytes + p.framework.memory.communicatorBytes;
  let hostBytes = 0;
  const stages = bytes.map((device, i): StageMemory => {
    hostBytes = Math.max(hostBytes, device.hostBytes * p.scenario.cluster.acceleratorsPerNode);
    const stage = p.stages[i];
    // Written out: spreading an object of its own for each stage was a tenth of the closed form.
    return {
      stage: i,
      layers: stage === undefined ? 0 : stage.denseLayers + stage.moeLayers,
      weightsBytes: device.weightsBytes,
      gradientsBytes: device.gradientsBytes,
      optimizerBytes: device.optimizerBytes,
      activationsBytes: device.activationsBytes,
      buffersBytes: device.buffersBytes,
      peakBytes: device.peakBytes,
      separateBytes: device.separateBytes,
      inFlightMicroBatches: device.inFlightMicroBatches,
      overheadBytes,
    };
  });
  const totals = fullestTotals(p.framework, stages);
  return { stages, ...totals, hostBytes, ...verdict(p.scenario, totals.deviceBytes, hostBytes) };
}

/** Whether it fits: the only part of an answer that the sizes of memories decide. */
export function verdict(
  { cluster, strategy }: Pick<Scenario, 'cluster' | 'strategy'>,
  deviceBytes: number,
  hostBytes: number,
): Pick<Evaluation, 'capacityBytes' | 'fits'> {
  const capacityBytes = cluster.accelerator.usableMemoryBytes;
  return { capacityBytes, fits: deviceBytes <= capacityBytes && hostFits(cluster, strategy, hostBytes) };
}

/** Offloaded states must fit the node's memory, or its drives; unknown sizes do not refuse. */
function hostFits({ hostMemoryBytes, nvmeBytes }: Cluster, { offload }: Strategy, hostBytes: number): boolean {
  const limit = offload.endsWith('nvme') ? hostMemoryBytes + nvmeBytes : hostMemoryBytes;
  return hostBytes <= 0 || hostMemoryBytes <= 0 || hostBytes <= limit;
}

function summarise(p: Prepared, memory: readonly StageBytes[], breakdown: StepBreakdown): Evaluation {
  const flops = stepFlops(p);
  return {
    feasible: true,
    reasons: [],
    dataParallel: p.degrees.dataParallel,
    gradientAccumulation: p.degrees.microBatches,
    stepSeconds: Object.values(breakdown).reduce((total: number, seconds: number) => total + seconds, 0),
    method: 'closed-form',
    breakdown,
    ...memoryAnswer(p, memory),
    modelFlops: flops.model,
    hardwareFlops: flops.hardware,
  };
}
