import { describe, expect, test } from 'vitest';
import { LayerCosts } from '../../../src/planner/search/costs.js';
import { LeastMemory } from '../../../src/planner/search/leastMemory.js';
import { OpenKeys } from '../../../src/planner/search/openKeys.js';
import { Space } from '../../../src/planner/search/space.js';
import { resolveScenario } from '../../../src/scenario/resolveScenario.js';
import type { RunFileInput } from '../../../src/scenario/runFileSchema.js';

const slack = 1 + 1e-9;

/** Big problems, of which every so many candidates are looked at. */
const runs: readonly (readonly [string, RunFileInput])[] = [
  [
    'dense on Hopper',
    { model: 'llama3-70b', cluster: 'dgx-h100', accelerators: 256, strategy: { globalBatchSize: 384 } },
  ],
  [
    'dense on Ampere',
    { model: 'gpt3-175b', cluster: 'dgx-a100', accelerators: 192, strategy: { globalBatchSize: 192 } },
  ],
  ['experts', { model: 'deepseek-v3', cluster: 'dgx-h100', accelerators: 512, strategy: { globalBatchSize: 768 } }],
  [
    'every schedule',
    {
      model: 'mixtral-8x7b',
      cluster: 'dgx-h100',
      accelerators: 64,
      framework: 'fsdp',
      frameworkVersion: 'torchtitan',
      strategy: { globalBatchSize: 96 },
    },
  ],
];

describe.each(runs)('bounds of a search: %s', (_, run) => {
  test('a layer is below its pipelines, a pipeline below its candidates; memory of a group is below theirs', () => {
    const space = new Space(new OpenKeys(resolveScenario(run), {}));
    let seen = 0;
    let step = 0;
    for (const group of space.groups()) {
      const memory = new LeastMemory(space, group);
      for (const pipelineParallel of group.pipelines) {
        const sizes = space.microBatchesOf(group, pipelineParallel);
        for (const microBatchSize of sizes) {
          step++;
          if (step % 211 !== 0) continue;
          const layer = {
            ...group.choice,
            microBatchSize,
            contextMethod: group.methods[step % group.methods.length] ?? 'ring',
          };
          const costs = new LayerCosts(space, layer);
          const shapes = space.shapesOf(layer, pipelineParallel);
          const shape = shapes[step % Math.max(1, shapes.length)];
          if (shape === undefined) continue;
          const settings = space.recomputesOf(shape.fullestStage);
          const [least] = settings;
          const setting = settings[step % settings.length];
          if (least === undefined || setting === undefined) continue;
          const larger = new LayerCosts(space, { ...layer, microBatchSize: sizes.at(-1) ?? microBatchSize });
          expect(larger.layerBound(least)).toBeLessThanOrEqual(costs.layerBound(least) * slack);
          const pipelineCosts = costs.of(pipelineParallel);
          const bound = pipelineCosts.bound(shape, setting);
          expect(costs.layerBound(setting)).toBeLessThanOrEqual(bound * slack);
          expect(pipelineCosts.bound(shape, least)).toBeLessThanOrEqual(bound * slack);
          const shapeCosts = pipelineCosts.of(shape);
          const microBatches = space.microBatches(group, pipelineParallel, microBatchSize);
          const bytes = memory.leastBytes(pipelineParallel, microBatchSize, microBatches);
          for (const states of space.statesOf(layer, pipelineParallel)) {
            const { evaluation, boundSeconds } = shapeCosts.evaluateAndBound(setting, states);
            const stateBound = shapeCosts.bound(setting, states);
            expect(bound).toBeLessThanOrEqual(stateBound * slack);
            expect(shapeCosts.statesBound(least, states)).toBeLessThanOrEqual(stateBound * slack);
            expect(stateBound).toBeLessThanOrEqual(boundSeconds * slack);
            expect(bytes).toBeLessThanOrEqual(evaluation.allocatedBytes * slack);
            expect(shapeCosts.fits(setting, states)).toBe(evaluation.fits);
            // More and more layers recomputed: the search takes one after the other.
            const some = settings.filter(({ recomputeLayers }) => recomputeLayers > 0).slice(0, 3);
            const longer = some.map((one) => shapeCosts.bound(one, states));
            longer.forEach((seconds, i) => {
              expect(longer[i - 1] ?? 0).toBeLessThanOrEqual(seconds * slack);
            });
            seen++;
          }
        }
      }
    }
    expect(seen).toBeGreaterThan(50);
  });
});
