import type { Strategy } from '../parallelism/strategy.js';

/** `tp4 cp8-ring pp16x8 dp32 mb1 zero-1 bf16`: a strategy in as few words as say what was chosen; degrees of 1 are left out. */
export function strategyLabel(s: Strategy, accelerators: number): string {
  const dataParallel = accelerators / (s.tensorParallel * s.contextParallel * s.pipelineParallel);
  const interleaved = s.virtualStages > 1 ? `x${s.virtualStages}` : '';
  const usual = s.virtualStages > 1 ? 'interleaved-1f1b' : '1f1b';
  return [
    ...(s.tensorParallel > 1 ? [`tp${s.tensorParallel}${s.sequenceParallel ? '' : '-nosp'}`] : []),
    ...(s.contextParallel > 1 ? [`cp${s.contextParallel}-${s.contextMethod}`] : []),
    ...(s.pipelineParallel > 1 ? [`pp${s.pipelineParallel}${interleaved}`] : []),
    ...(s.pipelineParallel > 1 && s.pipelineSchedule !== usual ? [s.pipelineSchedule] : []),
    ...(s.expertParallel > 1 ? [`ep${s.expertParallel}`] : []),
    ...(s.expertTensorParallel > 1 ? [`etp${s.expertTensorParallel}`] : []),
    `dp${dataParallel}`,
    `mb${s.microBatchSize}`,
    `${s.dataSharding}${s.shardGroupSize > 0 ? `/${s.shardGroupSize}` : ''}`,
    s.precision,
    ...recomputed(s),
    ...(s.offload === 'none'
      ? []
      : [`${s.offload}${s.optimizerOffloadFraction < 1 ? `:${s.optimizerOffloadFraction}` : ''}`]),
    ...(s.stageLayers.length > 0 ? [`layers:${runs(s.stageLayers)}`] : []),
  ].join(' ');
}

function recomputed(s: Strategy): readonly string[] {
  if (s.recompute === 'none') return [];
  if (s.recompute === 'full')
    return [s.recomputeLayers > 0 ? `recompute:${s.recomputeLayers}-layers` : 'recompute:full'];
  return [`recompute:${(s.recomputeModules.length > 0 ? s.recomputeModules : ['core_attn']).join('+')}`];
}

/** `3,4*14,3`: equal neighbours together. */
function runs(layers: readonly number[]): string {
  const parts: { value: number; count: number }[] = [];
  for (const value of layers) {
    const last = parts.at(-1);
    if (last?.value === value) last.count++;
    else parts.push({ value, count: 1 });
  }
  return parts.map(({ value, count }) => (count > 1 ? `${value}*${count}` : String(value))).join(',');
}
