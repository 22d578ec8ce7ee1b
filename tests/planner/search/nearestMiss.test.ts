import { describe, expect, test } from 'vitest';
import { OpenKeys } from '../../../src/planner/search/openKeys.js';
import { Space } from '../../../src/planner/search/space.js';
import { planOf } from '../../../src/planner/search/whyNot.js';
import { resolveScenario } from '../../../src/scenario/resolveScenario.js';
import type { RunFileInput } from '../../../src/scenario/runFileSchema.js';
import type { Scenario } from '../../../src/scenario/scenario.js';
import { evaluate } from '../../../src/simulation/closedForm.js';

const dense = { name: 'dense', numLayers: 6, hiddenSize: 2048, numAttentionHeads: 16, gatedMlp: true };
const experts = { ...dense, name: 'experts', moe: { numExperts: 4, expertsPerToken: 2, expertIntermediateSize: 2048 } };

type Run = Omit<RunFileInput, 'cluster'>;

const runs: readonly (readonly [string, Run])[] = [
  ['dense, Megatron', { model: dense, framework: 'megatron', accelerators: 4, strategy: { globalBatchSize: 8 } }],
  ['experts, Megatron', { model: experts, framework: 'megatron', accelerators: 2, strategy: { globalBatchSize: 4 } }],
  [
    'experts, zero-bubble',
    { model: experts, frameworkVersion: 'zero-bubble', accelerators: 4, strategy: { globalBatchSize: 12 } },
  ],
  ['dense, DeepSpeed', { model: dense, framework: 'deepspeed', accelerators: 4, strategy: { globalBatchSize: 8 } }],
  [
    'experts, torchtitan',
    {
      model: experts,
      framework: 'fsdp',
      frameworkVersion: 'torchtitan',
      accelerators: 4,
      strategy: { globalBatchSize: 8 },
    },
  ],
];

/** The run on accelerators of so much memory. */
function scenarioWith(run: Run, usableMemoryBytes: number): Scenario {
  const scenario = resolveScenario({ cluster: 'dgx-a100', sequenceLength: 4096, ...run });
  const { cluster } = scenario;
  return { ...scenario, cluster: { ...cluster, accelerator: { ...cluster.accelerator, usableMemoryBytes } } };
}

describe.each(runs)('where nothing fits: %s', (_, run) => {
  test('the nearest miss needs as much as the leanest of all candidates', async () => {
    const scenario = scenarioWith(run, 1e9);
    const needs = [...new Space(new OpenKeys(scenario, {})).strategies()].map(
      (strategy) => evaluate({ ...scenario, strategy }).deviceBytes,
    );
    const { nearestMiss, plans } = await planOf({ scenario });
    expect(plans).toEqual([]);
    expect(needs.length).toBeGreaterThan(20);
    expect(nearestMiss?.evaluation?.deviceBytes).toBeCloseTo(Math.min(...needs), 0);
    // With that much memory it is a plan.
    const enough = await planOf({ scenario: scenarioWith(run, Math.min(...needs) * (1 + 1e-9)), top: 1 });
    expect(enough.plans.length).toBe(1);
  });
});
