import type { z } from 'zod';
import { SlipwayError } from '../errors.js';
import type { Accelerator } from '../hardware/accelerator.js';
import { type AcceleratorInput, acceleratorFileSchema, resolveAccelerator } from '../hardware/acceleratorSchema.js';
import type { Cluster } from '../hardware/cluster.js';
import {
  type ClusterFile,
  type ClusterInput,
  clusterFileSchema,
  clusterInputSchema,
  resolveCluster,
} from '../hardware/clusterSchema.js';
import { type PresetFile, type PresetKind, readPreset } from './presetFiles.js';
import { schemaError } from './schemaErrors.js';

/** An accelerator by preset name or as a run file wrote it out. */
export function loadAccelerator(accelerator: string | AcceleratorInput): Accelerator {
  if (typeof accelerator !== 'string') return resolveAccelerator(accelerator);
  const known = accelerators.get(accelerator);
  if (known !== undefined) return known;
  const preset = acceleratorPreset(accelerator);
  const resolved = resolveAccelerator(checked(acceleratorFileSchema, preset, 'accelerators'));
  accelerators.set(accelerator, resolved);
  return resolved;
}

/** In a run file an accelerator is named inside its cluster. */
function acceleratorPreset(name: string): PresetFile {
  try {
    return readPreset('accelerators', name);
  } catch (error) {
    if (!(error instanceof SlipwayError) || error.code !== 'unknown-preset') throw error;
    throw new SlipwayError(error.code, error.message, { ...error.place, key: 'cluster.accelerator' });
  }
}

/** Preset files do not change while the process runs; `validate` asks for the same few two thousand times. */
const accelerators = new Map<string, Accelerator>();

/** A cluster by preset name or as a run file wrote it out. */
export function loadCluster(cluster: string | ClusterInput): Cluster {
  const described = typeof cluster === 'string' ? namedCluster(cluster) : cluster;
  return resolveCluster(described, loadAccelerator(described.accelerator));
}

function namedCluster(name: string): ClusterFile | ClusterInput {
  const preset = readPreset('clusters', name);
  if (preset.own !== true) return checked(clusterFileSchema, preset, 'clusters');
  const result = clusterInputSchema.safeParse(preset.data);
  if (result.success) return result.data;
  const { message, place } = schemaError(result.error, preset.data, clusterInputSchema, () => ({ file: preset.file }));
  throw new SlipwayError('invalid-preset', message, place);
}

function checked<T>(schema: () => z.ZodType<T>, { id, file, data, compiled }: PresetFile, kind: PresetKind): T {
  if (compiled) return data as T;
  const result = schema().safeParse(data);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const key = issue?.path.join('.') ?? '';
  throw new SlipwayError('invalid-preset', `presets/${kind}/${id}.yaml: ${key}: ${issue?.message ?? 'invalid'}`, {
    file,
    key,
  });
}
