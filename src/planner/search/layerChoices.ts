import { precisions, type Strategy } from '../../parallelism/strategy.js';
import type { FrameworkRules } from './frameworkRules.js';
import type { OpenKeys } from './openKeys.js';

/** What decides the time of one layer: everything but the pipeline, the sharding of states and recomputation. */
export type LayerChoice = Pick<
  Strategy,
  | 'precision'
  | 'gradientDtype'
  | 'tensorParallel'
  | 'sequenceParallel'
  | 'contextParallel'
  | 'contextMethod'
  | 'expertParallel'
  | 'expertTensorParallel'
  | 'microBatchSize'
>;

/** Divisors of a whole number in ascending order. */
export function divisors(value: number): readonly number[] {
  const low: number[] = [];
  const high: number[] = [];
  for (let d = 1; d * d <= value; d++) {
    if (value % d !== 0) continue;
    low.push(d);
    if (d * d !== value) high.unshift(value / d);
  }
  return [...low, ...high];
}

export function leastCommonMultiple(a: number, b: number): number {
  let [x, y] = [a, b];
  while (y > 0) [x, y] = [y, x % y];
  return (a / x) * b;
}

/** Layer choices that differ in their micro-batch and their context-parallel method only, and the pipelines that they can run in. */
export interface LayerGroup {
  readonly choice: Omit<LayerChoice, 'microBatchSize' | 'contextMethod'>;
  readonly methods: readonly Strategy['contextMethod'][];
  readonly pipelines: readonly number[];
}

/** All legal groups. */
export function* layerGroups(keys: OpenKeys, rules: FrameworkRules): Generator<LayerGroup> {
  const { model, accelerators } = keys.scenario;
  const experts = model.moe?.numExperts ?? 0;
  const ranks = divisors(accelerators);
  const upTo = (allowed: boolean): readonly number[] => (allowed ? ranks : [1]);
  const contexts = keys.values('contextParallel', () => upTo(rules.contextParallel));
  const expertDegrees = keys.values('expertParallel', () =>
    rules.expertParallel && experts > 0 ? divisors(experts) : [1],
  );
  for (const format of precisionChoices(keys, rules)) {
    for (const tensorParallel of keys.values('tensorParallel', () => upTo(rules.tensorParallel))) {
      if (!fitsHeads(keys, tensorParallel)) continue;
      for (const contextParallel of contexts) {
        const methods = methodChoices(keys, rules, tensorParallel, contextParallel);
        if (methods.length === 0 || accelerators % (tensorParallel * contextParallel) !== 0) continue;
        for (const sequenceParallel of sequenceChoices(keys, rules, tensorParallel)) {
          if (!sequenceDivides(keys, rules, tensorParallel, contextParallel, sequenceParallel)) continue;
          for (const expertParallel of expertDegrees) {
            for (const expertTensorParallel of expertTensorChoices(keys, rules, tensorParallel)) {
              const split = { tensorParallel, sequenceParallel, contextParallel, expertParallel, expertTensorParallel };
              const choice = { ...format, ...split };
              const pipelines = pipelinesOf(keys, rules, choice);
              if (pipelines.length > 0) yield { choice, methods, pipelines };
            }
          }
        }
      }
    }
  }
}

/** Pipeline degrees that the accelerators, the batch, the experts and the framework allow. */
function pipelinesOf(keys: OpenKeys, rules: FrameworkRules, choice: LayerGroup['choice']): readonly number[] {
  const { model, accelerators, strategy } = keys.scenario;
  const ranks = accelerators / (choice.tensorParallel * choice.contextParallel);
  return keys
    .values('pipelineParallel', () => (rules.pipelineParallel ? divisors(ranks) : [1]))
    .filter((pipelineParallel) => {
      if (ranks % pipelineParallel !== 0 || strategy.globalBatchSize % (ranks / pipelineParallel) !== 0) return false;
      if (pipelineParallel > model.numLayers + 2) return false;
      const expertRanks = choice.expertParallel * choice.expertTensorParallel;
      if (model.moe !== null && (accelerators / pipelineParallel) % expertRanks !== 0) return false;
      const { tensorOverlap } = strategy;
      const dataParallel = ranks / pipelineParallel;
      const broken = rules.refusesDegrees(
        { ...choice, tensorOverlap, pipelineParallel, dataParallel },
        model.moe !== null,
      );
      // What the user settled is not doubted.
      return broken === undefined || !keys.isOpen(broken);
    });
}

/** Micro-batches that divide a replica's share of the batch, smallest first. */
export function microBatchSizes(keys: OpenKeys, sequencesPerReplica: number): readonly number[] {
  return keys
    .values('microBatchSize', () => divisors(sequencesPerReplica))
    .filter((size) => sequencesPerReplica % size === 0);
}

/** Heads, key-value heads and the feed-forward width must be cut evenly. */
function fitsHeads({ scenario }: OpenKeys, tensorParallel: number): boolean {
  const { model } = scenario;
  const keyValueHeads = model.mla === null ? model.numKeyValueHeads : model.numAttentionHeads;
  return (
    model.numAttentionHeads % tensorParallel === 0 &&
    (keyValueHeads % tensorParallel === 0 || tensorParallel % keyValueHeads === 0) &&
    model.intermediateSize % tensorParallel === 0
  );
}

function sequenceChoices(keys: OpenKeys, rules: FrameworkRules, tensorParallel: number): readonly boolean[] {
  return keys.values('sequenceParallel', () => (tensorParallel > 1 ? rules.sequenceParallel : [false]));
}

/** Causal attention is balanced by giving each context-parallel rank several pieces of the sequence, of tensor-parallel shares. */
function sequenceDivides(
  keys: OpenKeys,
  rules: FrameworkRules,
  tensor: number,
  context: number,
  sequenceParallel: boolean,
): boolean {
  const { sequenceLength, framework } = keys.scenario;
  const shares = sequenceParallel ? tensor : 1;
  if (sequenceLength % (context * shares) !== 0) return false;
  const pieces = context > 1 && keys.isOpen('contextParallel') ? rules.contextPieces : 1;
  // Megatron splits the pieces themselves no further.
  return sequenceLength % (pieces * context * (framework.id === 'megatron' ? 1 : shares)) === 0;
}

function methodChoices(
  keys: OpenKeys,
  rules: FrameworkRules,
  tensor: number,
  context: number,
): readonly Strategy['contextMethod'][] {
  if (context === 1) return [keys.scenario.strategy.contextMethod];
  const heads = keys.scenario.model.numAttentionHeads / tensor;
  return keys
    .values('contextMethod', () => rules.contextMethods)
    .filter((method) => method !== 'ulysses' || heads % context === 0);
}

function expertTensorChoices(keys: OpenKeys, rules: FrameworkRules, tensorParallel: number): readonly number[] {
  const { model, strategy } = keys.scenario;
  if (model.moe === null) return [keys.isOpen('expertTensorParallel') ? 1 : strategy.expertTensorParallel];
  const width = model.moe.expertIntermediateSize;
  return keys.values('expertTensorParallel', () =>
    rules.expertTensorParallel ? divisors(tensorParallel).filter((d) => width % d === 0) : [1],
  );
}

/** The format of the run, and lower ones that the framework and the matrix units both have; wider ones are slower and larger. */
function precisionChoices(
  keys: OpenKeys,
  rules: FrameworkRules,
): readonly Pick<LayerChoice, 'precision' | 'gradientDtype'>[] {
  const { strategy, cluster } = keys.scenario;
  const { peakFlopsPerSecond, generation } = cluster.accelerator;
  const microScaled = /blackwell|rubin/i.test(generation);
  const low = rules.lowPrecisions.filter((precision) =>
    precision === 'fp8'
      ? peakFlopsPerSecond.fp8 > 0
      : microScaled && peakFlopsPerSecond[precision === 'nvfp4' ? 'fp4' : 'fp8'] > 0,
  );
  const usual = strategy.precision === 'bf16' ? ['bf16' as const, ...low] : [strategy.precision];
  return keys
    .values('precision', () => precisions.filter((precision) => usual.includes(precision)))
    .map((precision) => ({ precision, gradientDtype: gradientDtype(keys, precision) }));
}

/** Gradients keep the width that they have in the run; 16-bit ones follow the weights' format. */
function gradientDtype(keys: OpenKeys, precision: Strategy['precision']): Strategy['gradientDtype'] {
  const { strategy } = keys.scenario;
  if (!keys.isOpen('gradientDtype')) return keys.values('gradientDtype', () => [])[0] ?? strategy.gradientDtype;
  if (strategy.gradientDtype === 'fp32' || precision === 'fp32' || precision === 'tf32') return 'fp32';
  return precision === 'fp16' ? 'fp16' : 'bf16';
}
