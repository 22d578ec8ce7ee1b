import { streamSeconds } from '../hardware/kernels/elementwise.js';
import type { Operator } from '../model/operators.js';
import { operatorSeconds, type RecomputeChoice } from '../parallelism/layerCost.js';
import { type PassKind, passKinds } from '../parallelism/pipeline/order.js';
import type { StagePass } from '../parallelism/pipeline/schedule.js';
import { scheduleFor } from '../parallelism/pipeline/schedules.js';
import { recomputeChoice } from '../parallelism/rankShare.js';
import type { Stage } from '../parallelism/stages.js';
import { type LayerPasses, type LayerSeconds, layerSeconds } from './layerSeconds.js';
import { type CrossingSeconds, crossingBound } from './pass/passBound.js';
import { type Kernel, type LayerRun, type PartOfLayer, type PassPlan, passPlan } from './pass/passPlan.js';
import { type ChunkTraffic, layersOfStage, noTraffic } from './pass/passTraffic.js';
import { addProfile, exposedOf, kernelsOf, nothing, type PassProfile, profileSeconds } from './pass/steps.js';
import type { Prepared } from './prepare.js';

/** Passes of one micro-batch on one stage or chunk, as no simulation beats them. */
export interface StageCost {
  readonly pass: StagePass;
  /** What passes of DualPipe take longer that are not joined with those of another micro-batch. */
  readonly unjoined: { readonly forward: number; readonly backward: number };
  /** What each pass is made of; the parts add up to the pass. */
  readonly parts: {
    readonly forward: PassParts;
    /** Where weight gradients run apart or not, as the schedule has it. */
    readonly inputGradient: PassParts;
    readonly weightGradient: PassParts;
  };
}

/** Exposed seconds of one pass by cause. */
export interface PassParts {
  readonly compute: number;
  readonly recompute: number;
  readonly tensor: number;
  readonly context: number;
  readonly expert: number;
  readonly host: number;
  /** Weights and gradients that travel with every micro-batch and found nothing to hide behind. */
  readonly data: number;
  /** The same of activations and weights that cross the host link. */
  readonly offload: number;
}

/** Layers of both kinds, timed once with and without recomputation. */
export interface LayerTable {
  readonly dense: LayerSeconds;
  readonly moe: LayerSeconds;
  readonly recompute: RecomputeChoice;
}

const layerKinds = ['dense', 'moe'] as const;

/** `denseLayer` times a layer without experts, for callers that know some already. */
export function layerTable(
  p: Prepared,
  denseLayer: (recompute: RecomputeChoice) => LayerSeconds = (recompute) => layerSeconds(p, 'dense', recompute),
): LayerTable {
  const recompute = recomputeChoice(p.strategy);
  const dense = denseLayer(recompute);
  return { dense, moe: p.model.moe === null ? dense : layerSeconds(p, 'moe', recompute), recompute };
}

/** Fraction of a stage's layers that full recomputation covers (Megatron's block method). */
function recomputedFraction(p: Prepared, work: Stage): number {
  const layers = layersOfStage(p, work);
  const { recompute, recomputeLayers } = p.strategy;
  if (recompute !== 'full' || recomputeLayers === 0 || layers === 0) return 1;
  return Math.min(1, recomputeLayers / layers);
}

/** Kernels outside the layers, in the order of the forward pass, with how often each runs. */
type Ends = readonly (readonly [times: number, operator: Operator | undefined])[];

const noEnds: Ends = [];

function embeddingOf({ ends }: Prepared, stage: Stage): Ends {
  return stage.hasEmbedding ? [[1, ends.embedding]] : noEnds;
}

/**
 * Final norm, head and loss. Each multi-token-prediction depth embeds the next tokens, joins them with the hidden state, and runs head and loss
 * once more.
 */
function headOf({ ends, model }: Prepared, stage: Stage): Ends {
  if (!stage.hasHead) return noEnds;
  const depth = model.multiTokenPredictionLayers;
  const own: Ends = [
    [1, ends.finalNorm],
    [1 + depth, ends.head],
    [1 + depth, ends.loss],
  ];
  if (depth === 0) return own;
  return [[depth, ends.embedding], ...ends.prediction.map((operator) => [depth, operator] as const), ...own];
}

type EndSeconds = Readonly<Record<'forward' | 'inputGradient' | 'weightGradient', number>>;

const noSeconds: EndSeconds = { forward: 0, inputGradient: 0, weightGradient: 0 };

function endSeconds({ timers, accelerator, share }: Prepared, ends: Ends): EndSeconds {
  if (ends === noEnds) return noSeconds;
  let forward = 0;
  let inputGradient = 0;
  let weightGradient = 0;
  for (const [times, operator] of ends) {
    if (operator === undefined) continue;
    const seconds = operatorSeconds(operator, timers, accelerator, share);
    forward += times * seconds.forward;
    inputGradient += times * seconds.inputGradient;
    weightGradient += times * seconds.weightGradient;
  }
  return { forward, inputGradient, weightGradient };
}

/** The same kernel by kernel, in the order of a pass. */
function endKernels({ timers, accelerator, share }: Prepared, ends: Ends, kind: PassKind): Kernel[] {
  const kernels: Kernel[] = [];
  for (const [times, operator] of ends) {
    if (operator === undefined) continue;
    const seconds = times * secondsOfPass(operatorSeconds(operator, timers, accelerator, share), kind);
    if (seconds > 0) kernels.push({ name: operator.name, seconds });
  }
  return kind === 'forward' ? kernels : kernels.reverse();
}

function secondsOfPass({ forward, inputGradient, weightGradient }: EndSeconds, kind: PassKind): number {
  if (kind === 'forward') return forward;
  if (kind === 'backward') return inputGradient + weightGradient;
  return kind === 'inputGradient' ? inputGradient : weightGradient;
}

/** Passes of one chunk, ready to be bounded or simulated. */
export class ChunkPasses {
  private readonly embedding: EndSeconds;
  private readonly head: EndSeconds;
  private readonly again: number;
  /** By kind of pass, and whether it is alone. */
  private readonly profiles: PassProfile[] = [];

  constructor(
    private readonly p: Prepared,
    private readonly table: LayerTable,
    private readonly stage: Stage,
    private readonly traffic: ChunkTraffic,
  ) {
    this.embedding = endSeconds(p, embeddingOf(p, stage));
    this.head = endSeconds(p, headOf(p, stage));
    this.again = recomputedFraction(p, stage);
  }

  /** Kernels and the traffic inside layers. `alone`: no pass of another micro-batch beside it hides its token exchange. */
  profile(kind: PassKind, alone: boolean): PassProfile {
    const place = 2 * passKinds.indexOf(kind) + (alone ? 1 : 0);
    this.profiles[place] ??= this.sumOf(kind, alone);
    return this.profiles[place];
  }

  private sumOf(kind: PassKind, alone: boolean): PassProfile {
    const { stage } = this;
    const ends = secondsOfPass(this.embedding, kind) + secondsOfPass(this.head, kind);
    let profile: PassProfile = ends > 0 ? { ...nothing, freeSeconds: ends } : nothing;
    for (const layer of layerKinds) {
      const count = layer === 'dense' ? stage.denseLayers : stage.moeLayers;
      if (count === 0) continue;
      const passes = this.passes(layer, alone);
      profile = addProfile(profile, passes[kind].profile, count);
      if (this.repeats(kind)) profile = addProfile(profile, passes.recompute.profile, count * this.again);
    }
    return profile;
  }

  /** Kernels that run for the second time. */
  recomputeSeconds(kind: PassKind, alone: boolean): number {
    if (!this.repeats(kind)) return 0;
    const { denseLayers, moeLayers } = this.stage;
    let seconds = 0;
    if (denseLayers > 0) seconds += denseLayers * kernelsOf(this.passes('dense', alone).recompute.profile);
    if (moeLayers > 0) seconds += moeLayers * kernelsOf(this.passes('moe', alone).recompute.profile);
    return this.again * seconds;
  }

  private passes(layer: 'dense' | 'moe', alone: boolean): LayerPasses {
    return alone ? this.table[layer].alone : this.table[layer].passes;
  }

  private repeats(kind: PassKind): boolean {
    return this.table.recompute !== 'none' && (kind === 'backward' || kind === 'inputGradient');
  }

  /** Traffic crosses from layer to layer, so that the pass is more than the sum of its layers. */
  get crosses(): boolean {
    return this.traffic !== noTraffic;
  }

  /** The pass in order, with the traffic from layer to layer. */
  plan(kind: PassKind, alone: boolean): PassPlan {
    const { p, traffic, stage } = this;
    const { overlapParameterGather, overlapGradientReduce } = p.strategy;
    const forward = kind === 'forward';
    const reduces = kind === 'backward' || kind === 'weightGradient';
    const runs = [this.run('dense', stage.denseLayers, kind, alone), this.run('moe', stage.moeLayers, kind, alone)];
    const [embedding, head] = [embeddingOf(p, stage), headOf(p, stage)];
    return passPlan({
      before: endKernels(p, forward ? embedding : head, kind),
      runs: (forward ? runs : runs.reverse()).filter(({ count }) => count > 0),
      after: endKernels(p, forward ? head : embedding, kind),
      rootGatherSeconds: forward ? traffic.rootGatherSeconds : 0,
      rootReduceSeconds: reduces ? traffic.rootReduceSeconds : 0,
      gathersBeside: overlapParameterGather,
      reducesBeside: overlapGradientReduce,
      layersPerBucket: reduces ? traffic.layersPerBucket : 1,
      dataYieldsTo: traffic.dataYieldsTo,
    });
  }

  private run(layer: 'dense' | 'moe', count: number, kind: PassKind, alone: boolean): LayerRun {
    const { gatherSeconds, againSeconds, reduceSeconds, copySeconds } = this.traffic[layer];
    const reduces = kind === 'backward' || kind === 'weightGradient';
    return {
      kind: layer,
      count,
      parts: count > 0 ? this.parts(this.passes(layer, alone), kind) : [],
      gatherSeconds: kind === 'forward' ? gatherSeconds : kind === 'weightGradient' ? 0 : againSeconds,
      reduceSeconds: reduces ? reduceSeconds : 0,
      copySeconds: kind === 'weightGradient' ? 0 : copySeconds,
    };
  }

  private parts(passes: LayerPasses, kind: PassKind): PartOfLayer[] {
    const own = { pass: passes[kind], share: 1, again: false };
    if (!this.repeats(kind)) return [own];
    return [{ pass: passes.recompute, share: this.again, again: true }, own];
  }

  /** What the host needs beyond the device in one micro-batch, as far as only the layers and their own traffic keep the device busy. */
  shortfallSeconds(): number {
    const { p, stage, table, again } = this;
    const { hostLaunchSeconds, hostLayerSeconds, hostExpertLayerSeconds, hostExpertOverlapFactor } = p.framework;
    const graphs = graphLaunchShare[p.strategy.cudaGraphs];
    const kernels =
      stage.denseLayers * launches(table.dense, again) +
      (stage.moeLayers > 0 ? stage.moeLayers * launches(table.moe, again) : 0);
    const overlapped = p.strategy.expertOverlap ? hostExpertOverlapFactor : 1;
    const perPass =
      (stage.denseLayers + stage.moeLayers) * hostLayerSeconds + stage.moeLayers * hostExpertLayerSeconds * overlapped;
    const passes = 2 + (table.recompute === 'all' ? again : 0);
    const host = kernels * hostLaunchSeconds * graphs + passes * perPass * graphs;
    if (host <= 0) return 0;
    return Math.max(0, host - this.busySeconds('forward') - this.busySeconds('backward'));
  }

  private busySeconds(kind: PassKind): number {
    return profileSeconds(this.profile(kind, false), this.p.contention);
  }

  /**
   * A pass with what shows of the traffic from layer to layer, and what the device waits for the host. The host goes on launching while the
   * device waits for traffic, so only the longer one of the two counts.
   */
  partsOf(kind: PassKind, alone: boolean, crossing: CrossingSeconds, shortfallSeconds: number): PassParts {
    const profile = this.profile(kind, alone);
    const recompute = this.recomputeSeconds(kind, alone);
    const hostShare = kind === 'forward' ? 1 / 3 : kind === 'weightGradient' ? 0 : 2 / 3;
    const { dataSeconds, copySeconds } = crossing;
    const { tensor, context, expert } = exposedOf(profile, this.p.contention);
    const fixed =
      hostShare * this.p.framework.microBatchOverheadSeconds + (hostShare > 0 ? hostPassSeconds(this.p) : 0);
    return {
      compute: kernelsOf(profile) - recompute,
      recompute,
      tensor,
      context,
      expert,
      host: fixed + Math.max(0, hostShare * shortfallSeconds - dataSeconds - copySeconds),
      data: dataSeconds,
      offload: copySeconds,
    };
  }
}

function launches({ cost }: LayerSeconds, again: number): number {
  return cost.forwardKernels + cost.backwardKernels + again * cost.recomputeKernels;
}

const noCrossing: CrossingSeconds = { dataSeconds: 0, copySeconds: 0 };

/** Bounds of the passes of a stage or chunk. */
export function stageCost(p: Prepared, table: LayerTable, stage: Stage, traffic: ChunkTraffic): StageCost {
  const passes = new ChunkPasses(p, table, stage, traffic);
  const shortfall = passes.shortfallSeconds();
  const forward = bounded(passes, 'forward', false, shortfall, p.contention);
  const schedule = scheduleFor(p.strategy);
  let weights = bounded(passes, 'weightGradient', false, shortfall, p.contention);
  let inputGradient: PassParts;
  if (schedule.splitsWeightGradient && schedule.id !== 'dualpipe')
    inputGradient = bounded(passes, 'inputGradient', false, shortfall, p.contention);
  else {
    weights = { ...weights, data: 0 };
    inputGradient = minus(bounded(passes, 'backward', false, shortfall, p.contention), weights);
    // DualPipe has both whole and split backward passes, and the bound must hold for either.
    const apart =
      schedule.id === 'dualpipe' ? bounded(passes, 'inputGradient', false, shortfall, p.contention) : inputGradient;
    if (partsSeconds(apart) < partsSeconds(inputGradient)) inputGradient = apart;
  }
  let unjoined = { forward: 0, backward: 0 };
  if (schedule.id === 'dualpipe' && stage.moeLayers > 0) {
    const apart = partsSeconds(bounded(passes, 'inputGradient', true, shortfall, p.contention));
    const whole = partsSeconds(bounded(passes, 'backward', true, shortfall, p.contention)) - partsSeconds(weights);
    unjoined = {
      forward: partsSeconds(bounded(passes, 'forward', true, shortfall, p.contention)) - partsSeconds(forward),
      backward: Math.min(apart, whole) - partsSeconds(inputGradient),
    };
  }
  return {
    unjoined,
    parts: { forward, inputGradient, weightGradient: weights },
    pass: {
      forward: partsSeconds(forward),
      inputGradient: partsSeconds(inputGradient),
      weightGradient: partsSeconds(weights),
    },
  };
}

function bounded(
  passes: ChunkPasses,
  kind: PassKind,
  alone: boolean,
  shortfallSeconds: number,
  contention: number,
): PassParts {
  const crossing = passes.crosses ? crossingBound(passes.plan(kind, alone), contention) : noCrossing;
  return passes.partsOf(kind, alone, crossing, shortfallSeconds);
}

function minus(whole: PassParts, part: PassParts): PassParts {
  return {
    compute: whole.compute - part.compute,
    recompute: whole.recompute - part.recompute,
    tensor: whole.tensor - part.tensor,
    context: whole.context - part.context,
    expert: whole.expert - part.expert,
    host: whole.host - part.host,
    data: whole.data - part.data,
    offload: whole.offload - part.offload,
  };
}

export function partsSeconds(parts: PassParts): number {
  const { compute, recompute, tensor, context, expert, host, data, offload } = parts;
  return compute + recompute + tensor + context + expert + host + data + offload;
}

/** Kernels that CUDA graphs leave to launch one by one. */
const graphLaunchShare = { none: 1, layer: 0.25, full: 0 } as const;

/** Exposed host time of a pass in a pipeline; a whole step captured in a graph has none. */
function hostPassSeconds({ degrees, framework, strategy }: Prepared): number {
  return degrees.pipelineParallel > 1 && strategy.cudaGraphs !== 'full' ? framework.hostPassSeconds : 0;
}

/** Seconds to move `bytesPerParameter` of every parameter once through memory. */
export function sweepSeconds(p: Prepared, parameters: number, bytesPerParameter: number): number {
  return streamSeconds(p.timers.stream, parameters * bytesPerParameter, 4);
}
