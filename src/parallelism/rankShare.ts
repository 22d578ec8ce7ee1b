import type { Architecture } from '../model/architecture.js';
import { visibleKeys } from '../model/flops.js';
import type { Execution, Module } from '../model/operators.js';
import type { Degrees } from './degrees.js';
import type { Framework } from './framework.js';
import type { RankShare, RecomputeChoice } from './layerCost.js';
import type { Strategy } from './strategy.js';

/** Bytes of a quantised element that is kept: nvfp4 has a one-byte scale for every 16 elements. */
const lowPrecisionBytes: Partial<Record<Strategy['precision'], number>> = { fp8: 1, mxfp8: 1, nvfp4: 0.5 + 1 / 16 };

/** How kernels are fused under a strategy and framework. */
export function executionOf(strategy: Strategy, framework: Framework): Execution {
  const flash = strategy.attentionKernel !== 'unfused' && strategy.attentionKernel !== 'fused-softmax';
  const full = strategy.precision === 'fp32' || strategy.precision === 'tf32';
  const low = framework.id === 'megatron' ? lowPrecisionBytes[strategy.precision] : undefined;
  const fusion = framework.fusion === 'eager' && strategy.compile ? 'compiled' : framework.fusion;
  return {
    fusion,
    fusedNorm: strategy.fusedNorm,
    attention: flash ? 'flash' : strategy.attentionKernel === 'unfused' ? 'unfused' : 'fused-softmax',
    activationBytes: full ? 4 : 2,
    gemmInputBytes: full ? 4 : (low ?? 2),
  };
}

/** Mean share of the square that a causal query multiplies, over all layers and their windows. */
function meanVisibleFraction(model: Architecture, sequenceLength: number): number {
  if (model.slidingWindow === null) return 0.5;
  let keys = 0;
  for (let layer = 0; layer < model.numLayers; layer++) keys += visibleKeys(model, layer, sequenceLength, true);
  return keys / (model.numLayers * sequenceLength);
}

/** How a weight gradient reaches its buffer, in bytes per element: `inside` the GEMM and `after` it, in a kernel of its own. */
function weightGradientBytes(
  strategy: Strategy,
  framework: Framework,
  activationBytes: number,
): { readonly inside: number; readonly after: number } {
  const buffer = strategy.gradientDtype === 'fp32' ? 4 : 2;
  if (framework.fusedGradientAccumulation) return { inside: 2 * buffer, after: 0 };
  return { inside: activationBytes, after: activationBytes + 2 * buffer };
}

/** Mask, cast to fp32, softmax and cast back in PyTorch move about as much as six 16-bit passes over the square. */
const unfusedSoftmaxPasses = 6;

/** One rank's share of a micro-batch. */
export function rankShare(
  model: Architecture,
  strategy: Strategy,
  framework: Framework,
  degrees: Degrees,
  sequenceLength: number,
  execution: Execution,
): RankShare {
  const { tensorParallel: t, contextParallel: c, expertTensorParallel } = degrees;
  const tokens = (strategy.microBatchSize * sequenceLength) / c;
  const moe = model.moe;
  const tokensBeforeDispatch = tokens / (strategy.sequenceParallel || moe !== null ? t : 1);
  const ring = c > 1 && strategy.contextMethod === 'ring';
  const gradient = weightGradientBytes(strategy, framework, execution.activationBytes);
  return {
    tokens,
    microBatchSize: strategy.microBatchSize,
    queryLength: sequenceLength / c,
    keyLength: sequenceLength,
    visibleFraction: meanVisibleFraction(model, sequenceLength),
    attentionBlocks: ring ? c : 1,
    tensorParallel: t,
    sequenceParallel: strategy.sequenceParallel,
    numKeyValueHeads: model.numKeyValueHeads,
    headDim: model.headDim,
    expertTokens: moe === null ? 0 : tokensBeforeDispatch * moe.expertsPerToken * expertTensorParallel,
    localExperts: moe === null ? 0 : moe.numExperts / degrees.expertParallel,
    expertTensorParallel,
    flash: execution.attention === 'flash',
    softmaxPasses: execution.attention === 'unfused' ? unfusedSoftmaxPasses : 1,
    attentionDropout: model.dropout > 0,
    activationBytes: execution.activationBytes,
    weightGradientBytes: gradient.inside,
    accumulationBytes: gradient.after,
  };
}

const knownModules: ReadonlySet<string> = new Set<Module>([
  'core_attn',
  'layernorm',
  'mla_up_proj',
  'mlp',
  'moe',
  'moe_act',
  'shared_experts',
]);

function isModule(name: string): name is Module {
  return knownModules.has(name);
}

/** Which operators run again: all, or the named modules (`core_attn` where none is named, as in Megatron). */
export function recomputeChoice(strategy: Strategy): RecomputeChoice {
  if (strategy.recompute === 'full') return 'all';
  if (strategy.recompute === 'none') return 'none';
  const named = strategy.recomputeModules.filter(isModule);
  return new Set<Module>(named.length > 0 ? named : ['core_attn']);
}
