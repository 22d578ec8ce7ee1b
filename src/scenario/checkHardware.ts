import { SlipwayError } from '../errors.js';
import type { Accelerator } from '../hardware/accelerator.js';
import type { Cluster } from '../hardware/cluster.js';
import { multiplies } from '../parallelism/matrixFormat.js';
import { type Precision, precisions } from '../parallelism/strategy.js';

/** Refuses what no estimate could be right for: figures that are zero, a network that is not there, a missing format. */
export function checkHardware(cluster: Cluster, accelerators: number, precision: Precision): void {
  checkFigures(cluster);
  checkNetwork(cluster, accelerators);
  checkFormat(cluster.accelerator, precision);
}

function checkFigures(cluster: Cluster): void {
  const { accelerator } = cluster;
  const positive = [
    ['cluster.accelerator.memoryBytes', accelerator.memoryBytes],
    ['cluster.accelerator.usableMemoryBytes', accelerator.usableMemoryBytes],
    ['cluster.accelerator.memoryBytesPerSecond', accelerator.memoryBytesPerSecond],
    ['cluster.accelerator.memoryEfficiency', accelerator.memoryEfficiency],
    ['cluster.networkEfficiency', cluster.networkEfficiency],
  ] as const;
  for (const [key, value] of positive) if (!(value > 0)) throw wrong(key, `must be more than 0, found ${value}`);
  if (cluster.networkEfficiency > 1) {
    throw wrong('cluster.networkEfficiency', `must be at most 1, found ${cluster.networkEfficiency}`);
  }
  if (cluster.powerUsageEffectiveness < 1) {
    const found = cluster.powerUsageEffectiveness;
    throw wrong('cluster.powerUsageEffectiveness', `facility over IT power is at least 1, found ${found}`);
  }
}

function checkNetwork({ nodeNetworkBytesPerSecond, scaleUpDomainSize, name }: Cluster, accelerators: number): void {
  if (nodeNetworkBytesPerSecond > 0 || accelerators <= scaleUpDomainSize) return;
  const message = `${accelerators} accelerators need a network between the nodes of ${name}, which has none; use ${scaleUpDomainSize} or give cluster.nodeNetworkGbitPerSecond`;
  throw wrong('accelerators', message);
}

/** A format that the matrix units lack is no slower plan but a run that does not start. */
function checkFormat({ name, peakFlopsPerSecond }: Accelerator, precision: Precision): void {
  if (multiplies(peakFlopsPerSecond, precision)) return;
  const usable = precisions.filter((known) => multiplies(peakFlopsPerSecond, known));
  if (usable.length === 0)
    throw wrong('cluster.accelerator.peakFlopsPerSecond', `all peaks of ${name} are 0; give bf16`);
  const nearest = precision === 'mxfp8' && usable.includes('fp8') ? 'fp8' : usable.join(', ');
  throw wrong('strategy.precision', `${name} has no ${precision} figure; use ${nearest}`);
}

function wrong(key: string, message: string): SlipwayError {
  return new SlipwayError('invalid-run-file', message, { key });
}
