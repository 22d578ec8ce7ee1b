import type { CollectiveCurve } from '../../hardware/accelerator.js';
import type { Cluster } from '../../hardware/cluster.js';
import { collectiveSeconds } from '../../hardware/collectives/collective.js';
import { placeGroup } from '../../hardware/collectives/group.js';
import type { CollectiveMeasurement } from '../../interop/ncclTests.js';
import { median } from '../statistics.js';
import { smallFit } from './smallFit.js';

export interface FittedCollective {
  readonly cluster: Cluster;
  readonly before: number;
  readonly after: number;
}

/**
 * Inside a scale-up domain: bandwidth, its ramp with the size and the least time of this collective on so many ranks. Across domains: what
 * the network reaches of its rate, and its latency.
 */
export function calibrateCollective(cluster: Cluster, measured: CollectiveMeasurement): FittedCollective {
  const inside = measured.ranks <= cluster.scaleUpDomainSize;
  const change = inside ? withCurve : withNetwork;
  const unknowns = inside ? curveUnknowns(cluster, measured) : networkUnknowns(cluster);
  const { samples } = measured;
  const values = smallFit(unknowns, samples.length, (row, tried) =>
    errorOf(change(cluster, measured, tried), measured, row),
  );
  const fitted = change(cluster, measured, values);
  const errors = (one: Cluster): number =>
    median(samples.map((_, row) => Math.abs(Math.expm1(errorOf(one, measured, row))))) ?? 0;
  return { cluster: fitted, before: errors(cluster), after: errors(fitted) };
}

function errorOf(cluster: Cluster, { kind, ranks, samples }: CollectiveMeasurement, row: number): number {
  const sample = samples[row];
  if (sample === undefined) return 0;
  return Math.log(collectiveSeconds(placeGroup(cluster, ranks, 1), kind, sample.bytes) / sample.seconds);
}

function curveUnknowns({ accelerator }: Cluster, { kind, ranks }: CollectiveMeasurement) {
  const known = accelerator.collectives[kind].find((curve) => curve.ranks === ranks);
  const bus = known?.busBytesPerSecond ?? accelerator.scaleUpBytesPerSecond * 0.8;
  return [
    { expected: bus, spread: 0.7, low: bus / 100, high: bus * 4 },
    { expected: known?.halfBytes ?? 10e6, spread: 1, low: 1e4, high: 1e9 },
    { expected: known?.power ?? 0.8, spread: 0.2, low: 0.4, high: 1.5 },
    { expected: known?.minimumSeconds ?? 10e-6, spread: 0.7, low: 1e-6, high: 1e-3 },
  ];
}

function withCurve(cluster: Cluster, { kind, ranks }: CollectiveMeasurement, values: readonly number[]): Cluster {
  const [busBytesPerSecond = 1, halfBytes = 1, power = 1, minimumSeconds = 0] = values;
  const curve: CollectiveCurve = { ranks, busBytesPerSecond, halfBytes, power, minimumSeconds };
  const { accelerator } = cluster;
  const others = accelerator.collectives[kind].filter((one) => one.ranks !== ranks);
  const curves = [...others, curve].toSorted((a, b) => a.ranks - b.ranks);
  return { ...cluster, accelerator: { ...accelerator, collectives: { ...accelerator.collectives, [kind]: curves } } };
}

function networkUnknowns({ networkEfficiency, networkLatencySeconds }: Cluster) {
  return [
    { expected: networkEfficiency, spread: 0.5, low: 0.02, high: 1 },
    { expected: networkLatencySeconds, spread: 1, low: 1e-6, high: 2e-3 },
  ];
}

function withNetwork(cluster: Cluster, _: CollectiveMeasurement, values: readonly number[]): Cluster {
  const [networkEfficiency = 1, networkLatencySeconds = 0] = values;
  return { ...cluster, networkEfficiency, networkLatencySeconds };
}
