import type { Architecture } from './architecture.js';

/** Whether a layer's feed-forward part is one dense layer or a mixture of experts. */
export type LayerKind = 'dense' | 'moe';

export interface LayerCounts {
  readonly dense: number;
  readonly moe: number;
}

const known = new WeakMap<Architecture, readonly LayerKind[]>();

/**
 * Whether the layer at `index`, counted from 0, has experts. The first `numDenseLayers` have none; after them it is the
 * last of every `every` layers: with 2 and no dense ones, layers 1, 3, 5, ... (Llama 4 Maverick, `interleave_moe_layer_step`).
 */
export function hasExperts(architecture: Architecture, index: number): boolean {
  const { moe } = architecture;
  if (moe === null || index < moe.numDenseLayers) return false;
  return (index - moe.numDenseLayers + 1) % moe.every === 0;
}

/** The kind of every layer, first to last. Asked for once per stage and candidate, so kept per architecture. */
export function layerKinds(architecture: Architecture): readonly LayerKind[] {
  const cached = known.get(architecture);
  if (cached !== undefined) return cached;
  const kinds = Array.from(
    { length: architecture.numLayers },
    (_, index): LayerKind => (hasExperts(architecture, index) ? 'moe' : 'dense'),
  );
  known.set(architecture, kinds);
  return kinds;
}

export function moeLayerIndices(architecture: Architecture): readonly number[] {
  return layerKinds(architecture).flatMap((kind, index) => (kind === 'moe' ? [index] : []));
}

/** How many layers there are of each kind. */
export function layerCounts({ moe, numLayers }: Architecture): LayerCounts {
  const experts = moe === null ? 0 : Math.floor((numLayers - moe.numDenseLayers) / moe.every);
  return { dense: numLayers - experts, moe: experts };
}
