import { bytesPerParameter } from '../memory/states.js';
import type { RankParameters } from '../parallelism/data.js';
import type { Prepared } from './prepare.js';
import { sweepSeconds } from './stageCost.js';

/** Memory bandwidth of a two-socket host, shared by its accelerators: DDR5 in 2023, an estimate. */
const hostMemoryBytesPerSecond = 300e9;

export interface OptimizerSeconds {
  readonly totalSeconds: number;
  readonly deviceSeconds: number;
  /** On the host or waiting for its links and drives. */
  readonly offloadSeconds: number;
}

/** Parameters that this rank updates: all of its stage, or its shard of them. */
function ownedParameters(p: Prepared, parameters: RankParameters): number {
  if (p.strategy.dataSharding === 'ddp') return parameters.dense + parameters.expert;
  return parameters.dense / p.degrees.shardGroup + parameters.expert / Math.max(1, p.degrees.expertDataParallel);
}

/**
 * The update reads gradients and states, writes states and weights: for Adam 4 + 12 + 12 + 2 = 30 bytes per parameter over the
 * memory bandwidth; the gradient norm reads the gradients once more. Offloaded states are updated at the host's memory
 * bandwidth, and cross its link: gradients down, weights up; on drives the states also travel both ways.
 */
export function optimizerSeconds(p: Prepared, parameters: RankParameters): OptimizerSeconds {
  const each = bytesPerParameter(p.strategy, p.framework);
  const owned = ownedParameters(p, parameters);
  // fp32 weights without a separate master copy are read as well as written.
  const weights = each.weight === 4 ? 8 : each.weight;
  const touched = 2 * each.gradient + 2 * each.optimizer + weights + p.framework.optimizerExtraBytes;
  const moved = p.strategy.offload === 'none' ? 0 : p.strategy.optimizerOffloadFraction;
  const deviceSeconds = sweepSeconds(p, owned * (1 - moved), touched);
  if (moved === 0) return { totalSeconds: deviceSeconds, deviceSeconds, offloadSeconds: 0 };
  const { cluster } = p.scenario;
  const host = hostMemoryBytesPerSecond / cluster.acceleratorsPerNode;
  const link = (each.gradient + each.weight) / p.accelerator.hostBytesPerSecond;
  const onDrives = p.strategy.offload.endsWith('nvme');
  const drives = onDrives ? driveSecondsPerByte(p) * each.optimizer : 0;
  const offloadSeconds = owned * moved * (touched / host + link + drives);
  return { totalSeconds: deviceSeconds + offloadSeconds, deviceSeconds, offloadSeconds };
}

/** Seconds to read and write one byte of states on the node's drives, shared by its accelerators. */
function driveSecondsPerByte(p: Prepared): number {
  const { nvmeReadBytesPerSecond: read, nvmeWriteBytesPerSecond: write, acceleratorsPerNode } = p.scenario.cluster;
  if (read <= 0 || write <= 0) return 0;
  return acceleratorsPerNode * (1 / read + 1 / write);
}
