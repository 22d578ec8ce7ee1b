import type { Architecture } from '../model/architecture.js';
import { type LayerGraph, layerGraph } from '../model/operators.js';
import { contextTraffic } from '../parallelism/context.js';
import { expertCost } from '../parallelism/expert.js';
import { type LayerCost, layerCost, type RankShare, type RecomputeChoice } from '../parallelism/layerCost.js';
import { tensorTraffic } from '../parallelism/tensor.js';
import {
  backwardSteps,
  forwardSteps,
  inputGradientSteps,
  type LayerParts,
  type LayerTraffic,
  weightGradientSteps,
} from './pass/layerSteps.js';
import { type LayerPass, layerPass, plainPass, type Step } from './pass/steps.js';
import type { Prepared } from './prepare.js';

/** One layer and micro-batch on one rank: its operators, and its passes with the traffic inside them. */
export interface LayerSeconds {
  readonly graph: LayerGraph;
  readonly cost: LayerCost;
  readonly passes: LayerPasses;
  /** The same of passes without another micro-batch's beside them to hide their token exchange; `passes` itself where nothing does. */
  readonly alone: LayerPasses;
}

export interface LayerPasses {
  readonly forward: LayerPass;
  /** Input and weight gradients together, and apart. */
  readonly backward: LayerPass;
  readonly inputGradient: LayerPass;
  readonly weightGradient: LayerPass;
  /** What runs again before the backward pass. */
  readonly recompute: LayerPass;
}

/** Bytes of an element that sequence parallelism gathers: 1 and a half with their scales where the GEMM input is quantised. */
function gatheredElementBytes({ execution, timers, share }: Prepared): number {
  if (execution.gemmInputBytes >= share.activationBytes) return share.activationBytes;
  return timers.gemm.operandBytes < 1 ? 9 / 16 : timers.gemm.operandBytes;
}

export function layerSeconds(p: Prepared, kind: 'dense' | 'moe', recompute: RecomputeChoice): LayerSeconds {
  const graph = layerGraph(p.model, p.execution, kind);
  const cost = layerCost(graph, p.timers, p.accelerator, p.share, recompute, p.framework.recomputeStopsEarly);
  const { strategy, share } = p;
  const elements = share.tokens * p.model.hiddenSize;
  const tensor = tensorTraffic(p.mesh.tensor, {
    bytes: elements * share.activationBytes,
    gatherBytes: elements * gatheredElementBytes(p),
    sequenceParallel: strategy.sequenceParallel,
    chunkedOverlap: strategy.tensorOverlap,
    asyncBackward: p.framework.asyncTensorBackward,
    keepsGathered: p.framework.memory.sequenceCopies > 0,
  });
  const context = contextTraffic(p.mesh.context, contextBytes(p.model, share, strategy.contextMethod));
  const exchange = kind === 'moe' ? exchangeSeconds(p) : { forward: 0, backward: 0 };
  const parts: LayerParts = { operators: cost.operators, parallel: p.model.parallelLayers && kind === 'dense' };
  const links = { tensor, context };
  const again = recompute === 'all';
  const alone = new PassesOfLayer(parts, links, cost, again, exchange, { forward: 0, backward: 0 });
  if (exchange.forward <= 0 || !hidesExchange(p)) return { graph, cost, passes: alone, alone };
  // The exchange of the one micro-batch runs beside the kernels of the other.
  const beside = { forward: exchange.backward, backward: exchange.forward };
  const passes = new PassesOfLayer(parts, links, cost, again, { forward: 0, backward: 0 }, beside);
  return { graph, cost, passes, alone };
}

interface Exchange {
  readonly forward: number;
  readonly backward: number;
}

/**
 * Passes of a layer, each worked out when first asked for: most schedules need half of them. Passes of two micro-batches may run through a layer
 * at once, forward of one and backward of the other (DeepSeek-V3, section 3.2.1; Megatron's combined 1F1B). In time, each pass is then its own
 * kernels with the other's token exchange beside them.
 */
class PassesOfLayer implements LayerPasses {
  private readonly known: { -readonly [K in keyof LayerPasses]?: LayerPass } = {};
  private readonly plain: boolean;

  constructor(
    private readonly parts: LayerParts,
    private readonly links: Pick<LayerTraffic, 'tensor' | 'context'>,
    private readonly cost: LayerCost,
    private readonly repeats: boolean,
    private readonly exchange: Exchange,
    private readonly beside: Exchange,
  ) {
    const { forward, backward } = exchange;
    const inside = links.tensor !== undefined || links.context !== undefined || forward > 0 || backward > 0;
    this.plain = !inside && beside.forward <= 0 && beside.backward <= 0;
  }

  get forward(): LayerPass {
    this.known.forward ??= this.pass(
      forwardSteps,
      this.exchange.forward,
      this.beside.forward,
      this.cost.forwardSeconds,
    );
    return this.known.forward;
  }

  get backward(): LayerPass {
    const { inputGradientSeconds, weightGradientSeconds } = this.cost;
    const seconds = inputGradientSeconds + weightGradientSeconds;
    this.known.backward ??= this.pass(backwardSteps, this.exchange.backward, this.beside.backward, seconds);
    return this.known.backward;
  }

  get inputGradient(): LayerPass {
    const { exchange, beside, cost } = this;
    this.known.inputGradient ??= this.pass(
      inputGradientSteps,
      exchange.backward,
      beside.backward,
      cost.inputGradientSeconds,
    );
    return this.known.inputGradient;
  }

  get weightGradient(): LayerPass {
    this.known.weightGradient ??= plainPass(this.cost.weightGradientSeconds, () => weightGradientSteps(this.parts));
    return this.known.weightGradient;
  }

  /** Of a whole layer, its forward pass; its exchange runs beside that of the other micro-batch. */
  get recompute(): LayerPass {
    const seconds = this.cost.recomputeSeconds;
    const { exchange, beside, parts, cost } = this;
    const write = (_: LayerParts, traffic: LayerTraffic): Step[] =>
      forwardSteps({ ...parts, operators: parts.operators.slice(0, cost.recomputedOperators) }, traffic);
    this.known.recompute ??= this.repeats
      ? this.pass(write, exchange.forward, beside.backward, seconds)
      : plainPass(seconds, () => (seconds > 0 ? [{ kind: 'compute', name: 'recompute', seconds }] : []));
    return this.known.recompute;
  }

  private pass(
    write: (parts: LayerParts, traffic: LayerTraffic) => Step[],
    expertSeconds: number,
    besideSeconds: number,
    kernelSeconds: number,
  ): LayerPass {
    const traffic = { ...this.links, expertSeconds };
    if (this.plain) return plainPass(kernelSeconds, () => write(this.parts, traffic));
    return layerPass(write(this.parts, traffic), besideSeconds);
  }
}

function contextBytes(
  model: Architecture,
  share: RankShare,
  method: Prepared['strategy']['contextMethod'],
): Parameters<typeof contextTraffic>[1] {
  const element = share.activationBytes * share.tokens;
  const keyValueHeads = Math.max(
    1,
    (model.mla === null ? model.numKeyValueHeads : model.numAttentionHeads) / share.tensorParallel,
  );
  const heads = model.numAttentionHeads / share.tensorParallel;
  return {
    method,
    keyValueBytes: 2 * element * keyValueHeads * model.headDim,
    attentionBytes: element * (2 * heads + 2 * keyValueHeads) * model.headDim,
  };
}

/** Token exchange of a layer with experts, on its links. */
function exchangeSeconds(p: Prepared): Exchange {
  const moe = p.model.moe;
  if (moe === null) return { forward: 0, backward: 0 };
  const bytes = (p.share.expertTokens / p.share.expertTensorParallel) * p.model.hiddenSize * p.share.activationBytes;
  const { forwardSeconds, backwardSeconds } = expertCost(p.mesh.expert, p.mesh.expertTensor, moe, p.strategy, bytes);
  return { forward: forwardSeconds, backward: backwardSeconds };
}

/** Passes of two micro-batches run at once. */
export function hidesExchange({ strategy }: Pick<Prepared, 'strategy'>): boolean {
  return strategy.expertOverlap || (strategy.pipelineSchedule === 'dualpipe' && strategy.pipelineParallel > 1);
}
