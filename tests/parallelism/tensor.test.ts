import { describe, expect, it } from 'vitest';
import { collectiveSeconds } from '../../src/hardware/collectives/collective.js';
import { placeGroup } from '../../src/hardware/collectives/group.js';
import type { LayerCost } from '../../src/parallelism/layerCost.js';
import { tensorCost } from '../../src/parallelism/tensor.js';
import { resolveScenario } from '../../src/scenario/resolveScenario.js';

const { cluster } = resolveScenario({ model: 'llama3-70b', cluster: 'dgx-h100' });
const group = placeGroup(cluster, 8, 1);
const layer = { columnWeightGradientSeconds: 0, collectiveGemmSeconds: 0 } as LayerCost;
const bytes = 256e6;
const options = { bytes, blocks: 2, chunkedOverlap: false, asyncBackward: false, contention: 1.1 };

describe('tensor-parallel collectives of a layer', () => {
  it('gathers quantised inputs in one byte an element and sums in two', () => {
    const cost = tensorCost(group, layer, { ...options, sequenceParallel: true, gatherBytes: bytes / 2 });
    const gather = 2 * collectiveSeconds(group, 'allGather', bytes / 2);
    const scatter = 2 * collectiveSeconds(group, 'reduceScatter', bytes);
    expect(cost.exposedForwardSeconds).toBeCloseTo(gather + scatter, 9);
    expect(cost.exposedBackwardSeconds).toBeCloseTo(2 * gather + scatter, 9);
  });

  it('sums whole activations without sequence parallelism, whatever is quantised', () => {
    const cost = tensorCost(group, layer, { ...options, sequenceParallel: false, gatherBytes: bytes / 2 });
    expect(cost.forwardSeconds).toBeCloseTo(2 * collectiveSeconds(group, 'allReduce', bytes), 9);
  });
});
