import { checkDegrees, chunksPerStage } from '../../parallelism/degrees.js';
import { layersPerChunk, stageOfChunk } from '../../parallelism/stages.js';
import type { PipelineSchedule, Strategy } from '../../parallelism/strategy.js';
import type { FrameworkRules } from './frameworkRules.js';
import { divisors, type LayerChoice } from './layerChoices.js';
import type { OpenKeys } from './openKeys.js';
import type { Rejections } from './rejections.js';

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

/** All pipelines that a layer choice can run in: degree, schedule, chunks and their layers. Legal by degrees and framework. */
export function pipelineChoices(
  keys: OpenKeys,
  rules: FrameworkRules,
  layer: LayerChoice,
  rejections: Rejections,
): readonly PipelineShape[] {
  const { accelerators, strategy, model } = keys.scenario;
  const found: PipelineShape[] = [];
  const ranks = accelerators / (layer.tensorParallel * layer.contextParallel);
  const degrees = keys.values('pipelineParallel', () => (rules.pipelineParallel ? divisors(ranks) : [1]));
  for (const pipelineParallel of degrees) {
    const replicas = ranks / pipelineParallel;
    const unit = replicas * layer.microBatchSize;
    if (!Number.isInteger(replicas) || strategy.globalBatchSize % unit !== 0) continue;
    if (pipelineParallel > model.numLayers + 2) continue;
    for (const [pipelineSchedule, virtualStages] of scheduleChoices(keys, rules, pipelineParallel)) {
      const shape = { ...strategy, ...layer, pipelineParallel, pipelineSchedule, virtualStages };
      const overlapPipelineSend = sendsOverlap(keys, virtualStages);
      for (const stageLayers of splitChoices(keys, shape)) {
        const candidate: Strategy = { ...shape, overlapPipelineSend, stageLayers };
        const reason = refusal(keys, rules, candidate, strategy.globalBatchSize / unit);
        if (reason !== undefined) {
          rejections.add(reason);
          continue;
        }
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
  }
  return found;
}

/** The degrees' own rules first; the framework's with the least sharding, for `stateChoices` looks at that once more. */
function refusal(keys: OpenKeys, rules: FrameworkRules, strategy: Strategy, microBatches: number): string | undefined {
  const { model, accelerators, sequenceLength } = keys.scenario;
  const broken = checkDegrees({
    model,
    accelerators,
    sequenceLength,
    strategy: { ...strategy, shardGroupSize: 0, recomputeLayers: 0 },
  })[0];
  if (broken !== undefined) return broken.code;
  const settled = !keys.isOpen('pipelineSchedule') && !keys.isOpen('virtualStages');
  const reason = rules.refuses(
    { ...strategy, dataSharding: 'zero-1', offload: 'none' },
    microBatches,
    model.moe !== null,
  );
  if (reason === 'interleaving' && settled) return undefined;
  return reason === 'sequence-parallel' && !keys.isOpen('sequenceParallel') ? undefined : reason;
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

function sendsOverlap(keys: OpenKeys, virtualStages: number): boolean {
  const { strategy, framework } = keys.scenario;
  if (!keys.isOpen('overlapPipelineSend'))
    return keys.values('overlapPipelineSend', () => [])[0] ?? strategy.overlapPipelineSend;
  return virtualStages > 1 && (framework.defaults.overlapPipelineSend ?? false);
}

/**
 * Even splits, and those with a lighter first and last chunk between equal ones (Megatron's decoder-first- and
 * decoder-last-pipeline-num-layers, or a layout): the embedding and above all the head take the place of layers.
 */
function splitChoices(keys: OpenKeys, shape: Strategy): readonly (readonly number[])[] {
  if (!keys.isOpen('stageLayers'))
    return keys.scenario.strategy.stageLayers.length > 0 ? [keys.scenario.strategy.stageLayers] : [[]];
  const { numLayers } = keys.scenario.model;
  const chunks = shape.pipelineParallel * chunksPerStage(shape);
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

function fullest(numLayers: number, shape: Strategy): number {
  const chunks = shape.pipelineParallel * chunksPerStage(shape);
  const layers = new Array<number>(shape.pipelineParallel).fill(0);
  layersPerChunk(numLayers, chunks, shape.stageLayers).forEach((count, chunk) => {
    const stage = stageOfChunk(chunk, shape.pipelineParallel, shape.pipelineSchedule === 'zb-v');
    layers[stage] = (layers[stage] ?? 0) + count;
  });
  return Math.max(...layers);
}
