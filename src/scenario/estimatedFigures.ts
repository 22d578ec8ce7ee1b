import { readPreset } from './presetFiles.js';
import type { RunFile } from './runFileSchema.js';

/** Dotted names of the figures in a cluster's presets that are guesses: no datasheet, measurement or fit behind them. */
export function estimatedFigures(cluster: RunFile['cluster']): readonly string[] {
  const names: string[] = [];
  let { accelerator }: { accelerator?: unknown } = typeof cluster === 'string' ? {} : cluster;
  if (typeof cluster === 'string') {
    const { data } = readPreset('clusters', cluster);
    collect(data, '', names);
    accelerator = fieldOf(data, 'accelerator');
  }
  if (typeof accelerator === 'string') collect(readPreset('accelerators', accelerator).data, '', names);
  return names;
}

function collect(value: unknown, path: string, names: string[]): void {
  if (typeof value !== 'object' || value === null) return;
  if (fieldOf(value, 'kind') === 'estimate') {
    const name = path.replace(/\.\d+.*$/, '');
    if (!names.includes(name)) names.push(name);
    return;
  }
  for (const [key, child] of Object.entries(value)) collect(child, path === '' ? key : `${path}.${key}`, names);
}

function fieldOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
}
