import { expect, test } from 'vitest';
import { countParameters, layerParameters } from '../../src/model/parameters.js';
import { endRankParameters, layerRankParameters, stageRankParameters } from '../../src/parallelism/rankParameters.js';
import type { Scenario } from '../../src/scenario/scenario.js';
import { evaluate } from '../../src/simulation/closedForm.js';
import { prepare } from '../../src/simulation/prepare.js';
import { forEveryScenario } from './scenarios.js';

/** Every number inside a result, with the path that leads to it. */
function numbersIn(value: unknown, path = ''): [string, number][] {
  if (typeof value === 'number') return [[path, value]];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, child]) => numbersIn(child, `${path}.${key}`));
}

/** Offloaded bytes of a node are within its memory, or memory and drives; a node of unknown memory refuses nothing. */
function hostHolds({ cluster, strategy }: Scenario, hostBytes: number): boolean {
  const drives = strategy.offload.endsWith('nvme') ? cluster.nvmeBytes : 0;
  return cluster.hostMemoryBytes === 0 || hostBytes <= cluster.hostMemoryBytes + drives;
}

test('every figure is finite and none is negative', () => {
  forEveryScenario((scenario) => {
    const wrong = numbersIn(evaluate(scenario)).filter(([, value]) => !Number.isFinite(value) || value < 0);
    expect(wrong).toEqual([]);
  }, 500);
});

test('exposed times add up to the step', () => {
  forEveryScenario((scenario) => {
    const { breakdown, stepSeconds } = evaluate(scenario);
    const sum = Object.values(breakdown).reduce((total: number, part: number) => total + part, 0);
    expect(sum / stepSeconds).toBeCloseTo(1, 12);
  }, 200);
});

test("a stage's parts add up to its peak, the worst stage decides, and what fits is below the capacity", () => {
  forEveryScenario((scenario) => {
    const result = evaluate(scenario);
    expect(result.stages.length).toBe(scenario.strategy.pipelineParallel);
    for (const stage of result.stages) {
      const states = stage.weightsBytes + stage.gradientsBytes + stage.optimizerBytes;
      expect((states + stage.activationsBytes + stage.buffersBytes) / stage.peakBytes).toBeCloseTo(1, 12);
    }
    expect(result.stages.map((stage) => stage.peakBytes)).toContain(result.allocatedBytes);
    const reserved = result.stages.map(
      (stage) => stage.peakBytes * (1 + scenario.framework.memory.fragmentation) + stage.separateBytes,
    );
    expect(result.reservedBytes).toBe(Math.max(...reserved));
    expect(result.reservedBytes).toBeGreaterThanOrEqual(result.allocatedBytes);
    expect(result.deviceBytes).toBeGreaterThanOrEqual(result.reservedBytes);
    expect(result.fits).toBe(result.deviceBytes <= result.capacityBytes && hostHolds(scenario, result.hostBytes));
    // Multi-token-prediction modules are layers of the last chunk.
    const layers = scenario.model.numLayers + scenario.model.multiTokenPredictionLayers;
    expect(result.stages.reduce((sum, stage) => sum + stage.layers, 0)).toBe(layers);
  }, 200);
});

test('parameters over the ranks of one model replica add up to the model and its prediction modules, copies counted once', () => {
  forEveryScenario((scenario) => {
    const { model, stages, degrees: d, paddedVocabulary } = prepare(scenario);
    const dense = layerRankParameters(model, 'dense', d);
    const moe = model.moe === null ? dense : layerRankParameters(model, 'moe', d);
    const copies = d.tensorParallel - 1;
    let overRanks = 0;
    for (const stage of stages) {
      const rank = stageRankParameters(model, stage, d, paddedVocabulary, dense, moe);
      const norms =
        stage.denseLayers * layerParameters(model, 'dense').replicated +
        stage.moeLayers * layerParameters(model, 'moe').replicated;
      const ends = endRankParameters(model, stage, d, paddedVocabulary);
      const tables = (paddedVocabulary * model.hiddenSize) / d.tensorParallel;
      const tied = model.tiedEmbeddings && stage.hasEmbedding && stage.hasHead;
      const whole = (stage.hasEmbedding ? tables : 0) + (stage.hasHead && !tied ? tables : 0);
      const projections = stage.hasHead ? model.multiTokenPredictionLayers * 2 * model.hiddenSize ** 2 : 0;
      const replicated = norms + ends.embedding + ends.head - whole - projections / d.tensorParallel;
      const secondCopy =
        model.tiedEmbeddings && stage.hasHead && !stage.hasEmbedding ? paddedVocabulary * model.hiddenSize : 0;
      const headCopies = model.mla === null ? Math.max(0, d.tensorParallel - model.numKeyValueHeads) : 0;
      const headWidth = 2 * model.headDim * (model.hiddenSize + (model.biases.queryKeyValue ? 1 : 0));
      overRanks -= (stage.denseLayers + stage.moeLayers) * headCopies * headWidth;
      overRanks += d.tensorParallel * rank.dense - copies * replicated - secondCopy;
      overRanks += d.expertParallel * d.expertTensorParallel * rank.expert;
    }
    const padding = scenario.framework.vocabularyPadding * d.tensorParallel;
    const { total, multiTokenPrediction } = countParameters(model, { vocabularyPadding: padding });
    expect(overRanks / (total + multiTokenPrediction)).toBeCloseTo(1, 9);
  }, 300);
});

test('weights in memory are the parameters of the model, once for each replica where nothing is sharded', () => {
  forEveryScenario((scenario) => {
    if (scenario.strategy.offload !== 'none') return;
    const run = {
      ...scenario,
      strategy: {
        ...scenario.strategy,
        tensorParallel: 1,
        sequenceParallel: false,
        expertTensorParallel: 1,
        precision: 'bf16' as const,
        dataSharding: 'ddp' as const,
        expertParallel: 1,
      },
    };
    const { stages } = evaluate({ ...run, accelerators: scenario.accelerators / scenario.strategy.tensorParallel });
    const held = stages.reduce((sum, stage) => sum + stage.weightsBytes, 0) / scenario.framework.weightBytes;
    const counts = countParameters(scenario.model, { vocabularyPadding: scenario.framework.vocabularyPadding });
    const first = stages.length > 1 && scenario.strategy.pipelineSchedule !== 'zb-v';
    const secondCopy = scenario.model.tiedEmbeddings && first ? counts.embedding : 0;
    // DualPipe runs a stage and its mirror image on every rank.
    const copies = stages.length > 1 && scenario.strategy.pipelineSchedule === 'dualpipe' ? 2 : 1;
    expect(held / copies / (counts.total + counts.multiTokenPrediction + secondCopy)).toBeCloseTo(1, 9);
  }, 200);
});
