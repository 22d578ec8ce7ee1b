import type { Architecture } from '../model/architecture.js';
import { gatherBytes, type RankParameters, shardsGradients } from '../parallelism/data.js';
import type { Degrees } from '../parallelism/degrees.js';
import type { Framework } from '../parallelism/framework.js';
import type { RankShare } from '../parallelism/layerCost.js';
import type { Stage } from '../parallelism/stages.js';
import type { Strategy } from '../parallelism/strategy.js';
import { bytesPerParameter, ownedParameters } from './states.js';

interface BufferContext {
  readonly model: Architecture;
  readonly strategy: Strategy;
  readonly framework: Framework;
  readonly degrees: Degrees;
  readonly share: RankShare;
  readonly denseLayer: RankParameters;
  readonly moeLayer: RankParameters;
}

/**
 * Transformer Engine answers autograd with a 16-bit placeholder in place of a gradient that was added to the buffer already, one for
 * each shape of weight, and never frees it (`get_dummy_wgrad` in transformer_engine/pytorch/module/base.py). Experts share a shape.
 */
export function placeholderBytes(c: BufferContext, stage: Stage): number {
  if (!c.framework.memory.placeholderGradients || c.strategy.dataSharding === 'zero-3') return 0;
  const dense = stage.denseLayers > 0 ? c.denseLayer.dense : 0;
  const moe = stage.moeLayers > 0 ? c.moeLayer.dense + c.moeLayer.expert / Math.max(1, c.share.localExperts) : 0;
  return 2 * (dense + moe);
}

/** Whole weights and gradients that fully sharded training has for a while. */
export interface GatheredUnits {
  /** From the first to the last use in a micro-batch: embedding, final norm and head. */
  readonly alwaysBytes: number;
  /** While a layer runs backward. */
  readonly layerBytes: number;
}

const noUnits: GatheredUnits = { alwaysBytes: 0, layerBytes: 0 };

/**
 * Fully sharded weights: the unit that runs and the one that is fetched, the gradient of the unit in the weights' format and, where it
 * travels in fp32, the copy that is reduced; embedding and head with theirs (Zhao et al. 2023, section 3). Where matrices are gathered
 * one by one (DeepSpeed by submodule, XLA by operator) a unit is the widest matrix.
 */
export function gatheredUnits(c: BufferContext, stage: Stage, ends: number): GatheredUnits {
  if (c.strategy.dataSharding !== 'zero-3') return noUnits;
  const weight = gatherBytes(c.strategy, c.framework);
  const unit = c.framework.memory.gatherUnit === 'matrix' ? widestMatrix(c, stage) : layerUnit(c, stage);
  const reduced = c.strategy.gradientDtype === 'fp32' && c.framework.gradientReduceBytes === 4 ? 4 : 0;
  const gradient = Math.max(2, weight);
  if (!c.strategy.reshardAfterForward) {
    // From a layer's forward pass to its backward pass, so at the turn all of them.
    const layers = stage.denseLayers * whole(c.denseLayer) + stage.moeLayers * whole(c.moeLayer);
    return {
      alwaysBytes: (ends + layers) * weight,
      layerBytes: unit * (gradient + reduced) + ends * gradient,
    };
  }
  return { alwaysBytes: ends * weight, layerBytes: unit * (2 * weight + gradient + reduced) + ends * gradient };
}

function whole(layer: RankParameters): number {
  return layer.dense + layer.expert;
}

function layerUnit(c: BufferContext, stage: Stage): number {
  const dense = stage.denseLayers > 0 ? c.denseLayer.dense + c.denseLayer.expert : 0;
  const moe = stage.moeLayers > 0 ? c.moeLayer.dense + c.moeLayer.expert : 0;
  return Math.max(dense, moe);
}

function widestMatrix({ model, share, degrees }: BufferContext, stage: Stage): number {
  const { hiddenSize: h, moe } = model;
  const t = degrees.tensorParallel;
  const dense = stage.denseLayers > 0 ? (h * model.intermediateSize) / t : 0;
  const expert =
    stage.moeLayers > 0 && moe !== null
      ? (share.localExperts * h * moe.expertIntermediateSize) / degrees.expertTensorParallel
      : 0;
  return Math.max(dense, expert, (h * model.numAttentionHeads * model.headDim) / t);
}

/**
 * Temporaries of the update: where gradients are 16 bits wide and the optimizer works on an fp32 copy of the weights, the owned part of
 * the gradients is cast first (Megatron's distributed optimizer, DeepSpeed's ZeRO).
 */
export function updateBytes(c: BufferContext, parameters: RankParameters): number {
  const each = bytesPerParameter(c.strategy, c.framework);
  if (each.gradient !== 2 || each.weight !== 2 || c.strategy.offload !== 'none') return 0;
  const sharded = c.strategy.dataSharding !== 'ddp' || shardsGradients(c.strategy);
  return 4 * (sharded ? ownedParameters(parameters, c.degrees) : parameters.dense + parameters.expert);
}
