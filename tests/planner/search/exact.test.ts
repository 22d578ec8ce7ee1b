import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OpenKeys } from '../../../src/planner/search/openKeys.js';
import type { PlanRequest, PlanResult } from '../../../src/planner/search/request.js';
import { planSearch } from '../../../src/planner/search/search.js';
import { Space } from '../../../src/planner/search/space.js';
import { resolveScenario } from '../../../src/scenario/resolveScenario.js';
import type { RunFileInput } from '../../../src/scenario/runFileSchema.js';
import type { Scenario } from '../../../src/scenario/scenario.js';
import { evaluateStep } from '../../../src/simulation/evaluateStep.js';
import type { Evaluation } from '../../../src/simulation/evaluation.js';

async function plan(request: PlanRequest): Promise<PlanResult> {
  const search = planSearch(request);
  for (;;) {
    const { done, value } = await search.next();
    if (done === true) return value;
  }
}

/** Every legal candidate through `evaluateStep`; those that fit. */
function everyPlan(scenario: Scenario): readonly Evaluation[] {
  const space = new Space(new OpenKeys(scenario, {}));
  const all = [...space.strategies()].map((strategy) => evaluateStep({ ...scenario, strategy }));
  return all.filter(({ fits }) => fits);
}

const dense = { name: 'dense', numLayers: 4, hiddenSize: 2048, numAttentionHeads: 16, gatedMlp: true };
const experts = { ...dense, name: 'experts', moe: { numExperts: 4, expertsPerToken: 2, expertIntermediateSize: 2048 } };

/** Small problems whose candidates can all be simulated: a few hundred each. */
const problems: fc.Arbitrary<RunFileInput> = fc
  .record({
    experts: fc.boolean(),
    framework: fc.constantFrom('megatron', 'megatron', 'deepspeed', 'fsdp', 'xla'),
    accelerators: fc.constantFrom(2, 4, 8),
    sequenceLength: fc.constantFrom(1024, 4096),
    globalBatchSize: fc.constantFrom(4, 8, 12),
    layers: fc.constantFrom(4, 6),
  })
  .map((drawn) => ({
    model: { ...(drawn.experts ? experts : dense), numLayers: drawn.layers },
    cluster: {
      accelerator: 'a100-sxm-80',
      acceleratorsPerNode: 4,
    },
    framework: drawn.framework as 'megatron',
    accelerators: drawn.accelerators,
    sequenceLength: drawn.sequenceLength,
    strategy: { globalBatchSize: drawn.globalBatchSize, sequenceParallel: true, contextMethod: 'all-gather' as const },
  }));

describe('planSearch', () => {
  test('finds the same best steps as evaluateStep on every legal candidate', async () => {
    await fc.assert(
      fc.asyncProperty(problems, async (run) => {
        const scenario = resolveScenario(run);
        const all = everyPlan(scenario).map(({ stepSeconds }) => stepSeconds);
        const best = all.sort((a, b) => a - b).slice(0, 10);
        const { plans, complete } = await plan({ scenario, top: 10 });
        expect(complete).toBe(true);
        expect(plans.map(({ score }) => score)).toEqual(best);
      }),
      { numRuns: 8 },
    );
  }, 120_000);
});
