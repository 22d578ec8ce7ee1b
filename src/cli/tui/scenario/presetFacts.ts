import { countParameters, loadAccelerator, loadCluster, loadModel, resolveArchitecture } from '../../../index.js';
import { formatBytes, formatCount, formatFlopsPerSecond } from '../../../quantity/format.js';
import type { PresetFile, PresetKind } from '../../../scenario/presetFiles.js';

/** What tells presets of a kind apart, in one short line. */
export function presetFacts(kind: PresetKind, { id }: PresetFile): string {
  const known = facts.get(`${kind}/${id}`);
  if (known !== undefined) return known;
  const text = factsOf[kind](id);
  facts.set(`${kind}/${id}`, text);
  return text;
}

const facts = new Map<string, string>();

const factsOf: Readonly<Record<PresetKind, (id: string) => string>> = {
  models: (id) => {
    const model = resolveArchitecture(loadModel(id), { sequenceLength: 4096, dropout: 0 });
    const { total, active } = countParameters(model);
    const size = total === active ? formatCount(total) : `${formatCount(total)}, ${formatCount(active)} active`;
    const experts = model.moe === null ? '' : `, ${model.moe.numExperts} experts`;
    return `${size}, ${model.numLayers} layers${experts}`;
  },
  clusters: (id) => {
    const { accelerator, acceleratorsPerNode } = loadCluster(id);
    return `${acceleratorsPerNode} x ${accelerator.id} a node, ${formatBytes(accelerator.memoryBytes)}`;
  },
  accelerators: (id) => {
    const accelerator = loadAccelerator(id);
    const peak = accelerator.peakFlopsPerSecond.bf16 ?? accelerator.peakFlopsPerSecond.fp16;
    const speed = peak === undefined ? '' : `, ${formatFlopsPerSecond(peak)} dense`;
    return `${accelerator.vendor}, ${formatBytes(accelerator.memoryBytes)}${speed}`;
  },
  frameworks: () => '',
};
