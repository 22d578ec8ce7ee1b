import { type RankParameters, shardsGradients } from '../parallelism/data.js';
import type { Degrees } from '../parallelism/degrees.js';
import type { Framework } from '../parallelism/framework.js';
import type { Optimizer, Strategy } from '../parallelism/strategy.js';

/** Bytes of weights, gradients and optimizer states on one accelerator. */
export interface StateBytes {
  readonly weights: number;
  readonly gradients: number;
  readonly optimizer: number;
  /** Moved to the host or to drives. */
  readonly offloaded: number;
}

/** Bytes per parameter before any sharding. */
export interface BytesPerParameter {
  readonly weight: number;
  readonly gradient: number;
  readonly optimizer: number;
}

/** Optimizer states in bytes per parameter, without an fp32 master copy of the weights. */
const momentBytes: Readonly<Record<Optimizer, number>> = {
  adamw: 8,
  adam8bit: 2,
  sgd: 4,
  // Row and column statistics instead of a second moment; no first moment (Shazeer & Stern 2018).
  adafactor: 0.02,
  lion: 4,
  // One momentum buffer for matrices (Jordan et al. 2024).
  muon: 4,
};

/**
 * Megatron with 16-bit weights: 2 + 4 + 12 = 18 (fp32 gradients, fp32 master, m, v); DeepSpeed: 2 + 2 + 12 = 16
 * (Rajbhandari et al. 2020, section 3.1); FSDP keeps fp32 weights: 4 + 4 + 8 = 16.
 */
export function bytesPerParameter(strategy: Strategy, framework: Framework): BytesPerParameter {
  const full = strategy.precision === 'fp32' || strategy.precision === 'tf32';
  const weight = full ? 4 : framework.weightBytes;
  const gradient = full ? 4 : gradientBytes(strategy, framework);
  const master = framework.masterWeights && weight === 2 ? 4 : 0;
  return { weight, gradient, optimizer: master + momentBytes[strategy.optimizer] };
}

function gradientBytes({ precision, gradientDtype }: Strategy, { memory }: Framework): number {
  const stated = precision === 'fp16' ? memory.gradientBytes.fp16 : memory.gradientBytes.bf16;
  return stated ?? (gradientDtype === 'fp32' ? 4 : 2);
}

/**
 * Quantised copies of the matrices that live beside 16-bit weights: fp8 in two layouts, nvfp4 likewise with its scales. Where the
 * weights themselves are fp8 their two layouts take the 2 bytes of the 16-bit weight instead.
 */
export function lowPrecisionWeightBytes(strategy: Strategy, framework: Framework): number {
  if (strategy.precision === 'fp8' || strategy.precision === 'mxfp8') return framework.lowPrecisionWeights ? 0 : 2;
  return strategy.precision === 'nvfp4' ? 1.125 : 0;
}

/** Sharding over data-parallel ranks: zero-1 divides the optimizer, zero-2 gradients too, zero-3 weights too. */
export function stateBytes(
  parameters: RankParameters,
  matrixParameters: number,
  degrees: Degrees,
  strategy: Strategy,
  framework: Framework,
): StateBytes {
  const each = bytesPerParameter(strategy, framework);
  const level = { ddp: 0, 'zero-1': 1, 'zero-2': 2, 'zero-3': 3 }[strategy.dataSharding];
  const shard = (bytes: number, from: number): number =>
    bytes * (level >= from ? ownedParameters(parameters, degrees) : parameters.dense + parameters.expert);
  const copies = level >= 3 ? 0 : lowPrecisionWeightBytes(strategy, framework) * matrixParameters;
  const weights = shard(each.weight, 3) + copies;
  const heldBack = strategy.dataSharding === 'zero-2' && !shardsGradients(strategy);
  const gradients = heldBack ? each.gradient * (parameters.dense + parameters.expert) : shard(each.gradient, 2);
  const optimizer = shard(each.optimizer, 1);
  return offload({ weights, gradients, optimizer, offloaded: 0 }, strategy);
}

/** A rank's part where states are sharded over the ranks that hold the same parameters. */
export function ownedParameters(parameters: RankParameters, degrees: Degrees): number {
  return parameters.dense / degrees.shardGroup + parameters.expert / Math.max(1, degrees.expertDataParallel);
}

function offload(states: StateBytes, strategy: Strategy): StateBytes {
  if (strategy.offload === 'none') return states;
  const moved = states.optimizer * strategy.optimizerOffloadFraction;
  if (strategy.offload === 'optimizer-cpu' || strategy.offload === 'optimizer-nvme') {
    return { ...states, optimizer: states.optimizer - moved, offloaded: moved };
  }
  return { ...states, weights: 0, optimizer: states.optimizer - moved, offloaded: moved + states.weights };
}
