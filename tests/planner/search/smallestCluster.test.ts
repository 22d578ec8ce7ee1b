import { expect, test } from 'vitest';
import type { PlanRequest, PlanResult } from '../../../src/planner/search/request.js';
import { smallestCluster } from '../../../src/planner/search/smallestCluster.js';
import { planOf } from '../../../src/planner/search/whyNot.js';
import { resolveScenario } from '../../../src/scenario/resolveScenario.js';
import type { RunFileInput } from '../../../src/scenario/runFileSchema.js';

const dense = { name: 'dense', numLayers: 6, hiddenSize: 2048, numAttentionHeads: 16, gatedMlp: true };
const moe = { ...dense, name: 'experts', moe: { numExperts: 4, expertsPerToken: 2, expertIntermediateSize: 2048 } };

function scenarioOf(model: NonNullable<RunFileInput['model']>): PlanRequest['scenario'] {
  return resolveScenario({
    model,
    cluster: 'dgx-a100',
    accelerators: 128,
    strategy: { globalBatchSize: 120, precision: 'bf16', recompute: 'none', dataSharding: 'zero-1' },
    sequenceLength: 1024,
    training: { tokens: 2e10, dollarsPerAcceleratorHour: 2 },
  });
}

async function answered(request: Omit<PlanRequest, 'accelerators' | 'objective'>): Promise<PlanResult> {
  const search = smallestCluster(request);
  for (;;) {
    const { done, value } = await search.next();
    if (done === true) return value;
  }
}

/** Every number of whole nodes by itself, smallest first. */
async function bySizes(request: Omit<PlanRequest, 'accelerators' | 'objective'>): Promise<number | undefined> {
  for (let size = 8; size <= 128; size += 8) {
    const { plans } = await planOf({ ...request, accelerators: [size], objective: 'step', top: 1 });
    if (plans.length > 0) return size;
  }
  return undefined;
}

test.each([
  ['dense', dense],
  ['experts', moe],
] as const)(
  '%s: the smallest cluster in time and money is the one that a search of every size finds',
  async (_, model) => {
    const scenario = scenarioOf(model);
    const { plans } = await planOf({ scenario, accelerators: [40], top: 1 });
    const [middle] = plans;
    if (middle === undefined) throw new Error('nothing fits 40 accelerators');
    const steps = Math.ceil(2e10 / (120 * 1024));
    const deadlineSeconds = steps * middle.evaluation.stepSeconds * 1.05;
    const request = { scenario, deadlineSeconds, budgetDollars: 1e6, top: 3 };
    const result = await answered(request);
    const smallest = await bySizes(request);
    expect(smallest).toBeGreaterThan(16);
    expect(smallest).toBeLessThanOrEqual(40);
    expect(result.plans[0]?.accelerators).toBe(smallest);
    // A replica is never left without a sequence: the batch decides how many there can be.
    for (const { accelerators, strategy: s } of result.plans) {
      expect(120 % (accelerators / (s.tensorParallel * s.contextParallel * s.pipelineParallel))).toBe(0);
      expect(s.globalBatchSize).toBe(120);
    }
  },
);

test('no size meets an impossible deadline, nor a budget of a cent', async () => {
  const scenario = scenarioOf(dense);
  expect((await answered({ scenario, deadlineSeconds: 1 })).plans).toEqual([]);
  expect((await answered({ scenario, budgetDollars: 0.01 })).plans).toEqual([]);
});
