import { allToAllSeconds, collectiveSeconds, sendSeconds } from '../hardware/collectives/collective.js';
import type { RankGroup } from '../hardware/collectives/group.js';
import type { ContextMethod } from './strategy.js';

/** Traffic around the attention of one layer and micro-batch, on the link. */
export interface ContextTraffic {
  readonly forward: AttentionTraffic;
  readonly backward: AttentionTraffic;
}

export interface AttentionTraffic {
  /** Blocks of the attention; beside all but the last runs a send. */
  readonly blocks: number;
  readonly sendSeconds: number;
  readonly beforeSeconds: number;
  readonly afterSeconds: number;
}

export interface ContextOptions {
  readonly method: ContextMethod;
  /** Keys and values of this rank's tokens: tokens x 2 x local key-value heads x head dim x element. */
  readonly keyValueBytes: number;
  /** Queries, keys, values and outputs of this rank's tokens, for Ulysses. */
  readonly attentionBytes: number;
}

/**
 * Ring (Liu et al. 2023): n - 1 sends of keys and values, each beside the attention of a block; backward carries their
 * gradients too. All-gather (Llama 3, section 3.3.2): before attention, and backward a reduce-scatter after it. Ulysses (Jacobs et al.
 * 2023): all-to-all of queries, keys, values and outputs, half before and half after. Undefined for one rank.
 */
export function contextTraffic(group: RankGroup, options: ContextOptions): ContextTraffic | undefined {
  const n = group.ranks;
  if (n <= 1) return undefined;
  const { keyValueBytes } = options;
  const around = (beforeSeconds: number, afterSeconds: number): AttentionTraffic => ({
    blocks: 1,
    sendSeconds: 0,
    beforeSeconds,
    afterSeconds,
  });
  if (options.method === 'all-gather') {
    const gather = collectiveSeconds(group, 'allGather', n * keyValueBytes);
    const scatter = collectiveSeconds(group, 'reduceScatter', n * keyValueBytes);
    return { forward: around(gather, 0), backward: around(gather, scatter) };
  }
  if (options.method === 'ulysses') {
    const half = allToAllSeconds(group, options.attentionBytes, 1) / 2;
    return { forward: around(half, half), backward: around(half, half) };
  }
  const send = sendSeconds(group, keyValueBytes);
  const ring = (seconds: number): AttentionTraffic => ({
    blocks: n,
    sendSeconds: seconds,
    beforeSeconds: 0,
    afterSeconds: 0,
  });
  return { forward: ring(send), backward: ring(2 * send) };
}
