import type { Architecture } from '../model/architecture.js';
import { type LayerGraph, layerGraph } from '../model/operators.js';
import { contextCost } from '../parallelism/context.js';
import { expertCost } from '../parallelism/expert.js';
import { type LayerCost, layerCost, type RankShare, type RecomputeChoice } from '../parallelism/layerCost.js';
import { tensorCost } from '../parallelism/tensor.js';
import type { Prepared } from './prepare.js';

/** One layer and micro-batch on one rank: device seconds and exposed communication, forward and backward. */
export interface LayerSeconds {
  readonly graph: LayerGraph;
  readonly cost: LayerCost;
  readonly tensorForward: number;
  readonly tensorBackward: number;
  readonly contextForward: number;
  readonly contextBackward: number;
  readonly expertForward: number;
  readonly expertBackward: number;
}

/** Column-row pairs that communicate: attention and feed-forward, one where they share a collective or experts are whole. */
function tensorBlocks(model: Architecture, kind: 'dense' | 'moe'): number {
  if (kind === 'moe') return 1 + ((model.moe?.sharedExpertIntermediateSize ?? 0) > 0 ? 1 : 0);
  return model.parallelLayers ? 1 : 2;
}

/** Bytes of an element that sequence parallelism gathers: 1 and a half with their scales where the GEMM input is quantised. */
function gatheredElementBytes({ execution, timers, share }: Prepared): number {
  if (execution.gemmInputBytes >= share.activationBytes) return share.activationBytes;
  return timers.gemm.operandBytes < 1 ? 9 / 16 : timers.gemm.operandBytes;
}

export function layerSeconds(p: Prepared, kind: 'dense' | 'moe', recompute: RecomputeChoice): LayerSeconds {
  const graph = layerGraph(p.model, p.execution, kind);
  const cost = layerCost(graph, p.timers, p.accelerator, p.share, recompute);
  const { strategy, share, contention } = p;
  const activation = share.tokens * p.model.hiddenSize * share.activationBytes;
  const tensor = tensorCost(p.mesh.tensor, cost, {
    bytes: activation,
    gatherBytes: share.tokens * p.model.hiddenSize * gatheredElementBytes(p),
    blocks: tensorBlocks(p.model, kind),
    sequenceParallel: strategy.sequenceParallel,
    chunkedOverlap: strategy.tensorOverlap,
    asyncBackward: p.framework.asyncTensorBackward,
    contention,
  });
  const context = contextCost(p.mesh.context, cost, contextBytes(p.model, share, strategy.contextMethod, contention));
  const expert = kind === 'moe' ? exposedExpert(p, cost) : { forward: 0, backward: 0 };
  return {
    graph,
    cost,
    tensorForward: tensor.exposedForwardSeconds,
    tensorBackward: tensor.exposedBackwardSeconds,
    contextForward: context.exposedForwardSeconds,
    contextBackward: context.exposedBackwardSeconds,
    expertForward: expert.forward,
    expertBackward: expert.backward,
  };
}

function contextBytes(
  model: Architecture,
  share: RankShare,
  method: Prepared['strategy']['contextMethod'],
  contention: number,
): Parameters<typeof contextCost>[2] {
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
    contention,
  };
}

/** Token exchange; with overlap it hides behind the compute of the other micro-batch in flight. */
function exposedExpert(p: Prepared, cost: LayerCost): { readonly forward: number; readonly backward: number } {
  const moe = p.model.moe;
  if (moe === null) return { forward: 0, backward: 0 };
  const bytes = (p.share.expertTokens / p.share.expertTensorParallel) * p.model.hiddenSize * p.share.activationBytes;
  const exchange = expertCost(p.mesh.expert, p.mesh.expertTensor, moe, p.strategy, bytes);
  const overlaps =
    p.strategy.expertOverlap || (p.strategy.pipelineSchedule === 'dualpipe' && p.degrees.pipelineParallel > 1);
  if (!overlaps) return { forward: exchange.forwardSeconds, backward: exchange.backwardSeconds };
  // Forward exchange hides behind backward compute and the other way round.
  const backwardCompute = cost.inputGradientSeconds + cost.weightGradientSeconds;
  return {
    forward: remaining(exchange.forwardSeconds, backwardCompute, p.contention),
    backward: remaining(exchange.backwardSeconds, cost.forwardSeconds, p.contention),
  };
}

function remaining(transfer: number, compute: number, contention: number): number {
  const hidden = Math.min(transfer, compute);
  return transfer - hidden + hidden * (contention - 1);
}
