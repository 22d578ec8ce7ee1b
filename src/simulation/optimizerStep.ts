import { collectiveSeconds } from '../hardware/collectives/collective.js';
import { placeGroup } from '../hardware/collectives/group.js';
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

/**
 * Copying this rank's part of a checkpoint, weights and optimizer states, to its host: replicas share the work. Written on from there while the
 * training goes on; only the copy must be done before the next update changes what it reads.
 */
export function checkpointCopySeconds(p: Prepared, { dense, expert }: RankParameters): number {
  const each = bytesPerParameter(p.strategy, p.framework);
  const share = dense / p.degrees.gradientGroup + expert / Math.max(1, p.degrees.expertDataParallel);
  return (share * (each.weight + each.optimizer)) / p.accelerator.hostBytesPerSecond;
}

/** Seconds to read and write one byte of states on the node's drives, shared by its accelerators. */
function driveSecondsPerByte(p: Prepared): number {
  const { nvmeReadBytesPerSecond: read, nvmeWriteBytesPerSecond: write, acceleratorsPerNode } = p.scenario.cluster;
  if (read <= 0 || write <= 0) return 0;
  return acceleratorsPerNode * (1 / read + 1 / write);
}

/**
 * The update of one pipeline rank with what it waits for first. Ranks that update together all-reduce the gradient norm, a few bytes over
 * all accelerators; those that go on alone check it afterwards (Qi et al. 2023, section 4). A tied embedding whose copies lie on the first
 * and the last rank has its gradients summed between the two, and with a common norm all others wait for that.
 */
export function rankUpdate(p: Prepared, parameters: RankParameters, rank: number, alone: boolean): OptimizerSeconds {
  const own = optimizerSeconds(p, parameters);
  const last = p.degrees.pipelineParallel - 1;
  const waits = (alone ? 0 : normSeconds(p)) + (!alone || rank === 0 || rank === last ? tiedEmbeddingSeconds(p) : 0);
  return { ...own, totalSeconds: own.totalSeconds + waits, deviceSeconds: own.deviceSeconds + waits };
}

function normSeconds({ scenario, degrees }: Prepared): number {
  return collectiveSeconds(placeGroup(scenario.cluster, degrees.accelerators, 1), 'allReduce', 4);
}

function tiedEmbeddingSeconds({ scenario, model, strategy, degrees, chunks, paddedVocabulary }: Prepared): number {
  const { pipelineParallel, accelerators, tensorParallel } = degrees;
  const first = chunks[0];
  const head = chunks[chunks.length - 1];
  if (!model.tiedEmbeddings || pipelineParallel === 1 || first?.stage === head?.stage) return 0;
  // One domain may hold both although a larger stride than half of it lies between them.
  const inside = accelerators <= scenario.cluster.scaleUpDomainSize;
  const pair = placeGroup(scenario.cluster, 2, inside ? 1 : accelerators - accelerators / pipelineParallel);
  const bytes = ((paddedVocabulary * model.hiddenSize) / tensorParallel) * (strategy.gradientDtype === 'fp32' ? 4 : 2);
  return collectiveSeconds(pair, 'allReduce', bytes);
}
