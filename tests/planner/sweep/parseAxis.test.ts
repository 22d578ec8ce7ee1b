import { describe, expect, test } from 'vitest';
import { SlipwayError } from '../../../src/errors.js';
import { parseAxis } from '../../../src/planner/sweep/parseAxis.js';

function valuesOf(text: string): readonly unknown[] {
  const { change } = parseAxis(text);
  return change.kind === 'formula' ? [change.text] : change.values;
}

describe('values', () => {
  test.each<[string, readonly unknown[]]>([
    ['accelerators=1024..16384*2', [1024, 2048, 4096, 8192, 16384]],
    ['accelerators=1000..4000*2', [1000, 2000, 4000]],
    ['microBatchSize=1..4', [1, 2, 3, 4]],
    ['model.numLayers=64..100+16', [64, 80, 96]],
    ['cluster.networkEfficiency=0.1..0.5+0.1', [0.1, 0.2, 0.3, 0.4, 0.5]],
    ['tensorParallel=4,8', [4, 8]],
    ['tensorParallel=1,4..16*2,64', [1, 4, 8, 16, 64]],
    ['accelerator.memoryBytes=80 GiB,141 GB', ['80 GiB', '141 GB']],
    ['accelerator.memoryBytes=80..160 GiB+40', ['80 GiB', '120 GiB', '160 GiB']],
    ['cluster.accelerator.memoryBytesPerSecond=2 TB/s..8 TB/s*2', ['2 TB/s', '4 TB/s', '8 TB/s']],
    ['cluster=dgx-h100,dgx-a100', ['dgx-h100', 'dgx-a100']],
    ['model=gpt3-175b', ['gpt3-175b']],
    ['model=./shapes/../config.json', ['./shapes/../config.json']],
    ['sequenceParallel=true,false', [true, false]],
    [
      'stageLayers=[10,12],[11,11]',
      [
        [10, 12],
        [11, 11],
      ],
    ],
    ['training.tokens=1T,15.6T', ['1T', '15.6T']],
  ])('%s', (text, expected) => {
    expect(valuesOf(text)).toEqual(expected);
  });

  test('relative, and calculated from the numbers of the point', () => {
    expect(parseAxis('cluster.accelerator.hbmBytesPerSecond*=1,1.5').change).toEqual({
      kind: 'times',
      values: [1, 1.5],
    });
    expect(parseAxis('accelerators+=0..16+8').change).toEqual({ kind: 'plus', values: [0, 8, 16] });
    expect(parseAxis('gbs=accelerators / 8').change).toEqual({ kind: 'formula', text: 'accelerators / 8' });
    expect(parseAxis('nodeNetwork.x=1'.replace('nodeNetwork.x', 'cluster.nodeNetworkBytesPerSecond')).change.kind).toBe(
      'list',
    );
    expect(parseAxis('cluster.nodeNetworkBytesPerSecond=8 * 400 Gbit/s').change).toEqual({
      kind: 'list',
      values: ['8 * 400 Gbit/s'],
    });
  });
});

describe('keys', () => {
  test.each([
    ['tp=1', 'strategy.tensorParallel'],
    ['tensorParallel=1', 'strategy.tensorParallel'],
    ['strategy.tensorParallel=1', 'strategy.tensorParallel'],
    ['accelerator.memoryBytes=1', 'cluster.accelerator.memoryBytes'],
    ['cluster.accelerator.hbmBytesPerSecond*=2', 'cluster.accelerator.memoryBytesPerSecond'],
    ['tokens=1T', 'training.tokens'],
    ['sequenceLength=1', 'sequenceLength'],
  ])('%s', (text, key) => {
    expect(parseAxis(text).path.join('.')).toBe(key);
  });
});

describe('mistakes are one line', () => {
  test.each([
    ['tensorParallel', /is not key=values, such as/],
    ['=4', /is not key=values/],
    ['tensorParalel=4', /unknown key 'tensorParalel', did you mean tensorParallel\?/],
    ['tp=4,,8', /empty value/],
    ['tp=8..4', /ends before it starts/],
    ['tp=1..8*1', /needs a factor of more than 1/],
    ['tp=0..8*2', /positive start/],
    ['tp=1..8+0', /needs a positive step/],
    ['tp=1..8+x', /is not a range/],
    ['tp=4,8,4', /names 4 twice/],
    ['accelerators=1..1e9', /more than 1,000,000 values/],
    ['accelerator.memoryBytes=80 GiB..1 TB+1 GiB', /mixes units/],
    ['accelerators*=two', /takes plain numbers/],
    ['strategy=1', /unknown key 'strategy'/],
  ])('%s', (text, message) => {
    expect(() => parseAxis(text)).toThrow(SlipwayError);
    expect(() => parseAxis(text)).toThrow(message);
  });
});
