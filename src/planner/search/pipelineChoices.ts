import { checkDegrees, chunksPerStage } from '../../parallelism/degrees.js';
import { layersPerChunk, stageOfChunk } from '../../parallelism/stages.js';
import { type PipelineSchedule, type Strategy, sendsBesidePasses } from '../../parallelism/strategy.js';
import type { FrameworkRules } from './frameworkRules.js';
import type { LayerChoice } from './layerChoices.js';
import type { OpenKeys } from './openKeys.js';

const interleaving: ReadonlySet<PipelineSchedule> = new Set(['interleaved-1f1b', 'breadth-first']);

/** Layers by which the first and the last chunk may be lighter than the others: the head's work, as a rule. */
const mostLighter = 4;

/** A pipeline, and how many layers its fullest stage holds. */
export interface PipelineShape
  extends Pick<
    Strategy,
    'pipelineParallel' | 'pipelineSchedule' | 'virtualStages' | 'overlapPipelineSend' | 'stageLayers'
  > {
  readonly fullestStage: number;
}

/**
 * Schedules, chunks and splits for a number of stages and micro-batches. `representative` is any legal layer choice that has them: the rules
 * that are left ask for nothing else.
 */
export function pipelineShapes(
  keys: OpenKeys,
  rules: FrameworkRules,
  representative: Omit<LayerChoice, 'contextMethod'>,
  pipelineParallel: number,
  microBatches: number,
  splits: LayerSplits,
): readonly PipelineShape[] {
  const { strategy, model } = keys.scenario;
  const found: PipelineShape[] = [];
  const settled = !keys.isOpen('pipelineSchedule') && !keys.isOpen('virtualStages');
  for (const [pipelineSchedule, virtualStages] of scheduleChoices(keys, rules, pipelineParallel)) {
    const overlapPipelineSend = sendsOverlap(keys, virtualStages, pipelineSchedule);
    const split = { pipelineParallel, pipelineSchedule, virtualStages, overlapPipelineSend };
    const shape = { ...strategy, ...representative, ...split };
    if (!settled && rules.refusesSchedule(shape, microBatches) !== undefined) continue;
    for (const stageLayers of splits.of(shape)) {
      const candidate: Strategy = { ...shape, overlapPipelineSend, stageLayers };
      if (!isLegal(keys, candidate)) continue;
      const fullestStage = fullest(model.numLayers, candidate);
      found.push({
        pipelineParallel,
        pipelineSchedule,
        virtualStages,
        overlapPipelineSend,
        stageLayers,
        fullestStage,
      });
    }
  }
  return found;
}

/** By the rules of the degrees; states and recomputation come later. */
function isLegal({ scenario }: OpenKeys, candidate: Strategy): boolean {
  const { model, accelerators, sequenceLength } = scenario;
  const strategy = { ...candidate, shardGroupSize: 0, recomputeLayers: 0 };
  return checkDegrees({ model, accelerators, sequenceLength, strategy }).length === 0;
}

/** Schedules with their chunks per rank; without a pipeline there is only one. */
function scheduleChoices(
  keys: OpenKeys,
  rules: FrameworkRules,
  pipelineParallel: number,
): readonly (readonly [PipelineSchedule, number])[] {
  const { model, strategy } = keys.scenario;
  if (pipelineParallel === 1) {
    const schedule = keys.isOpen('pipelineSchedule') ? '1f1b' : strategy.pipelineSchedule;
    return keys.allows('virtualStages', 1)
      ? [[interleaving.has(schedule) || schedule === 'zb-v' ? '1f1b' : schedule, 1]]
      : [];
  }
  const most = Math.floor((model.numLayers + 2) / pipelineParallel);
  return keys
    .values('pipelineSchedule', () => rules.schedules)
    .flatMap((schedule) => {
      const chunks = chunkChoices(schedule, most).filter((v) => keys.allows('virtualStages', v));
      return chunks.map((v) => [schedule, v] as const);
    });
}

function chunkChoices(schedule: PipelineSchedule, most: number): readonly number[] {
  if (schedule === 'zb-v') return most >= 2 ? [2] : [];
  if (!interleaving.has(schedule)) return [1];
  return Array.from({ length: Math.max(0, most - 1) }, (_, i) => i + 2);
}

function sendsOverlap(keys: OpenKeys, virtualStages: number, schedule: PipelineSchedule): boolean {
  const { strategy, framework } = keys.scenario;
  if (!keys.isOpen('overlapPipelineSend'))
    return keys.values('overlapPipelineSend', () => [])[0] ?? strategy.overlapPipelineSend;
  return (virtualStages > 1 || sendsBesidePasses(schedule)) && (framework.defaults.overlapPipelineSend ?? false);
}

/** Splits of the layers over chunks: the same lists for all pipelines with as many chunks. */
export class LayerSplits {
  private readonly known = new Map<number, readonly (readonly number[])[]>();

  constructor(private readonly keys: OpenKeys) {}

  of(shape: Strategy): readonly (readonly number[])[] {
    const chunks = shape.pipelineParallel * chunksPerStage(shape);
    let splits = this.known.get(chunks);
    if (splits === undefined) {
      splits = splitChoices(this.keys, chunks);
      this.known.set(chunks, splits);
    }
    return splits;
  }
}

function splitChoices(keys: OpenKeys, chunks: number): readonly (readonly number[])[] {
  if (!keys.isOpen('stageLayers'))
    return keys.scenario.strategy.stageLayers.length > 0 ? [keys.scenario.strategy.stageLayers] : [[]];
  return layerSplits(keys.scenario.model.numLayers, chunks);
}

/**
 * The even split, which is an empty list, and those with a lighter first and last chunk between equal ones (Megatron's decoder-first- and
 * decoder-last-pipeline-num-layers, or a layout): the embedding and above all the head take the place of layers.
 */
export function layerSplits(numLayers: number, chunks: number): readonly (readonly number[])[] {
  if (chunks === 1) return [[]];
  const usual = layersPerChunk(numLayers, chunks, []).join();
  const splits: (readonly number[])[] = [[]];
  const between = Math.ceil(numLayers / chunks);
  for (let middle = between; middle <= between + 1; middle++) {
    const ends = numLayers - middle * (chunks - 2);
    for (let first = middle; first >= Math.max(0, middle - mostLighter); first--) {
      const last = ends - first;
      if (last > middle || last < Math.max(0, middle - mostLighter)) continue;
      const split = [first, ...new Array<number>(chunks - 2).fill(middle), last];
      if (split.join() !== usual) splits.push(split);
    }
    if (chunks === 2) break;
  }
  return splits;
}

/** Whether some split leaves a stage without layers: at the ends, or where the user says so. */
export function emptyStages({ scenario }: OpenKeys, pipelineParallel: number): 'none' | 'ends' | 'anywhere' {
  if (scenario.strategy.stageLayers.includes(0)) return 'anywhere';
  const possible = pipelineParallel > 1 && Math.ceil(scenario.model.numLayers / pipelineParallel) <= mostLighter;
  return possible ? 'ends' : 'none';
}

function fullest(numLayers: number, shape: Strategy): number {
  const chunks = shape.pipelineParallel * chunksPerStage(shape);
  const layers = new Array<number>(shape.pipelineParallel).fill(0);
  layersPerChunk(numLayers, chunks, shape.stageLayers).forEach((count, chunk) => {
    const stage = stageOfChunk(chunk, shape.pipelineParallel, shape.pipelineSchedule === 'zb-v');
    layers[stage] = (layers[stage] ?? 0) + count;
  });
  return Math.max(...layers);
}
