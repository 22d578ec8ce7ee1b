import type { Accelerator } from '../../hardware/accelerator.js';
import type { Cluster } from '../../hardware/cluster.js';

type Fields = Readonly<Record<string, unknown>>;

/** Figures of a cluster that calibration may move. */
const clusterKeys = ['networkEfficiency', 'networkLatencySeconds', 'hostTimeFactor', 'jitter'] as const;

/** The cluster of a run file: as its preset says, with the calibrated figures in it and the accelerator written out. */
export function calibratedFields(cluster: Fields, accelerator: Fields, calibrated: Cluster): Record<string, unknown> {
  const { gemm, sustained, collectives, memoryEfficiency } = calibrated.accelerator;
  const moved = Object.fromEntries(clusterKeys.map((key) => [key, calibrated[key]]));
  const measured = { gemm, sustained, collectives, memoryEfficiency };
  return { ...cluster, ...moved, accelerator: { ...accelerator, ...measured } };
}

/** Every calibrated figure that is not what it was, by its dotted path. */
export function changedConstants(
  before: Cluster,
  after: Cluster,
): { readonly key: string; readonly before: number; readonly after: number }[] {
  const old = figuresOf(before);
  return [...figuresOf(after)].flatMap(([key, value]) => {
    const earlier = old.get(key) ?? 0;
    return earlier === value ? [] : [{ key, before: earlier, after: value }];
  });
}

function figuresOf(cluster: Cluster): Map<string, number> {
  const { accelerator } = cluster;
  const figures = new Map<string, number>(clusterKeys.map((key) => [key, cluster[key]]));
  figures.set('accelerator.memoryEfficiency', accelerator.memoryEfficiency);
  for (const format of ['bf16', 'fp8', 'fp4'] as const) {
    const curve = accelerator.gemm[format];
    figures.set(`accelerator.gemm.${format}.maxEfficiency`, curve.maxEfficiency);
    figures.set(`accelerator.gemm.${format}.launchSeconds`, curve.launchSeconds);
  }
  for (const [family, rate] of Object.entries(accelerator.sustained)) {
    figures.set(`accelerator.sustained.${family}`, rate);
  }
  addCollectives(figures, accelerator);
  return figures;
}

function addCollectives(figures: Map<string, number>, { collectives }: Accelerator): void {
  for (const [kind, curves] of Object.entries(collectives)) {
    for (const { ranks, ...curve } of curves) {
      for (const [name, value] of Object.entries(curve)) {
        figures.set(`accelerator.collectives.${kind}.${ranks}.${name}`, value);
      }
    }
  }
}
