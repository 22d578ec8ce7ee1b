import { allToAllSeconds, collectiveSeconds, sendSeconds } from '../hardware/collectives/collective.js';
import type { RankGroup } from '../hardware/collectives/group.js';
import type { LayerCost } from './layerCost.js';
import type { ContextMethod } from './strategy.js';

/** Exposed seconds of context parallelism in one layer and micro-batch. */
export interface ContextCost {
  readonly exposedForwardSeconds: number;
  readonly exposedBackwardSeconds: number;
}

export interface ContextOptions {
  readonly method: ContextMethod;
  /** Keys and values of this rank's tokens: tokens x 2 x local key-value heads x head dim x element. */
  readonly keyValueBytes: number;
  /** Queries, keys, values and outputs of this rank's tokens, for Ulysses. */
  readonly attentionBytes: number;
  readonly contention: number;
}

/**
 * Ring (Liu et al. 2023): n - 1 sends of keys and values, each beside the attention of a block; backward carries their
 * gradients too. All-gather (Llama 3, section 3.3.2): exposed before attention, reduce-scatter after. Ulysses (Jacobs et al.
 * 2023): all-to-all of queries, keys, values and outputs.
 */
export function contextCost(group: RankGroup, layer: LayerCost, options: ContextOptions): ContextCost {
  const n = group.ranks;
  if (n <= 1) return { exposedForwardSeconds: 0, exposedBackwardSeconds: 0 };
  const { keyValueBytes, contention } = options;
  if (options.method === 'all-gather') {
    const gather = collectiveSeconds(group, 'allGather', n * keyValueBytes);
    const scatter = collectiveSeconds(group, 'reduceScatter', n * keyValueBytes);
    return { exposedForwardSeconds: gather, exposedBackwardSeconds: gather + scatter };
  }
  if (options.method === 'ulysses') {
    const exchange = allToAllSeconds(group, options.attentionBytes, 1);
    return { exposedForwardSeconds: exchange, exposedBackwardSeconds: exchange };
  }
  const send = sendSeconds(group, keyValueBytes);
  const step = layer.attentionForwardSeconds / n;
  const backwardStep = layer.attentionBackwardSeconds / n;
  return {
    exposedForwardSeconds: (n - 1) * hiddenBehind(send, step, contention),
    exposedBackwardSeconds: (n - 1) * hiddenBehind(2 * send, backwardStep, contention),
  };
}

/** What a transfer adds to the compute it runs beside. */
function hiddenBehind(transfer: number, compute: number, contention: number): number {
  const overlapped = Math.min(transfer, compute);
  return transfer - overlapped + overlapped * (contention - 1);
}
