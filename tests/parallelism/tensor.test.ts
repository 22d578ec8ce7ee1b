import { describe, expect, it } from 'vitest';
import { collectiveSeconds } from '../../src/hardware/collectives/collective.js';
import { placeGroup } from '../../src/hardware/collectives/group.js';
import { tensorTraffic } from '../../src/parallelism/tensor.js';
import { resolveScenario } from '../../src/scenario/resolveScenario.js';

const { cluster } = resolveScenario({ model: 'llama3-70b', cluster: 'dgx-h100' });
const group = placeGroup(cluster, 8, 1);
const bytes = 256e6;
const options = { bytes, gatherBytes: bytes / 2, chunkedOverlap: false, asyncBackward: false, keepsGathered: false };

describe('tensor-parallel collectives of a column-row pair', () => {
  it('gathers quantised inputs in one byte an element and sums in two', () => {
    const traffic = tensorTraffic(group, { ...options, sequenceParallel: true });
    const gather = collectiveSeconds(group, 'allGather', bytes / 2);
    const scatter = collectiveSeconds(group, 'reduceScatter', bytes);
    expect(traffic).toMatchObject({ gatherSeconds: gather, sumSeconds: scatter });
    expect(traffic).toMatchObject({
      gradientGatherSeconds: gather,
      inputGatherSeconds: gather,
      gradientSumSeconds: scatter,
    });
  });

  it('gathers the input once more in the backward pass only where the first gather was not kept', () => {
    const traffic = tensorTraffic(group, { ...options, sequenceParallel: true, keepsGathered: true });
    expect(traffic).toMatchObject({
      gatherSeconds: collectiveSeconds(group, 'allGather', bytes / 2),
      inputGatherSeconds: 0,
    });
  });

  it('sums whole activations without sequence parallelism, whatever is quantised', () => {
    const traffic = tensorTraffic(group, { ...options, sequenceParallel: false });
    const reduce = collectiveSeconds(group, 'allReduce', bytes);
    expect(traffic).toMatchObject({
      gatherSeconds: 0,
      sumSeconds: reduce,
      inputGatherSeconds: 0,
      gradientSumSeconds: reduce,
    });
  });

  it('is nothing for one rank', () => {
    expect(tensorTraffic(placeGroup(cluster, 1, 1), { ...options, sequenceParallel: true })).toBeUndefined();
  });
});
