import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileGoal } from '../../../src/planner/search/goal.js';
import { OpenKeys } from '../../../src/planner/search/openKeys.js';
import type { PlanRequest } from '../../../src/planner/search/request.js';
import { Space } from '../../../src/planner/search/space.js';
import { planOf } from '../../../src/planner/search/whyNot.js';
import { resolveScenario } from '../../../src/scenario/resolveScenario.js';
import type { RunFileInput } from '../../../src/scenario/runFileSchema.js';
import { evaluateStep } from '../../../src/simulation/evaluateStep.js';

/** Scores of the best plans by brute force: `evaluateStep` on every legal candidate. */
async function bruteForce(request: PlanRequest): Promise<readonly number[]> {
  const goal = await compileGoal(request);
  const space = new Space(new OpenKeys(request.scenario, request.fix ?? {}));
  const scores: number[] = [];
  for (const strategy of space.strategies()) {
    const scenario = { ...request.scenario, strategy };
    const evaluation = evaluateStep(scenario);
    if (evaluation.fits && goal.meets({ scenario, evaluation })) scores.push(goal.score({ scenario, evaluation }));
  }
  return scores.sort((a, b) => a - b).slice(0, request.top ?? 10);
}

const dense = { name: 'dense', numLayers: 4, hiddenSize: 2048, numAttentionHeads: 16, gatedMlp: true };
const experts = { ...dense, name: 'experts', moe: { numExperts: 4, expertsPerToken: 2, expertIntermediateSize: 2048 } };

const objectives = [
  'step',
  'tokens-per-dollar',
  'days',
  'energy',
  'headroom',
  'step.seconds * memory.deviceBytes',
  'mfu',
];
const conditions = [undefined, undefined, 'memory.peakBytes < 9 GB', 'mfu > 0.2 and pipelineParallel < 4', 'hfu < 0.5'];

const memories: readonly string[] = ['7 GiB', '9 GiB', '14 GiB', '80 GiB'];

/** Small problems whose candidates can all be simulated, with memory that rules out some of them. */
const problems = fc.record({
  experts: fc.boolean(),
  framework: fc.constantFrom(
    'megatron' as const,
    'megatron' as const,
    'deepspeed' as const,
    'fsdp' as const,
    'xla' as const,
  ),
  frameworkVersion: fc.constantFrom('', '', 'zero-bubble', 'HAI-LLM', 'torchtitan'),
  accelerators: fc.constantFrom(2, 4),
  sequenceLength: fc.constantFrom(1024, 4096),
  globalBatchSize: fc.constantFrom(4, 8, 12),
  numLayers: fc.constantFrom(4, 6),
  memory: fc.constantFrom(...memories),
  objective: fc.constantFrom(...objectives),
  where: fc.constantFrom(...conditions),
  top: fc.constantFrom<number[]>(1, 5, 20),
});

/** Those with few candidates, for brute force. */
const fewCandidates = 400;

function isSmall(drawn: Drawn): boolean {
  const { scenario } = requestOf(drawn);
  let count = 0;
  for (const _ of new Space(new OpenKeys(scenario, {})).strategies()) if (++count > fewCandidates) return false;
  return true;
}

type Drawn = typeof problems extends fc.Arbitrary<infer T> ? T : never;

function requestOf(drawn: Drawn): PlanRequest {
  const cluster = resolveScenario({ model: dense, cluster: 'dgx-a100' }).cluster;
  const run: RunFileInput = {
    model: { ...(drawn.experts ? experts : dense), numLayers: drawn.numLayers },
    cluster: 'dgx-a100',
    framework: drawn.framework,
    accelerators: drawn.accelerators,
    sequenceLength: drawn.sequenceLength,
    strategy: { globalBatchSize: drawn.globalBatchSize, sequenceParallel: true, contextMethod: 'all-gather' },
    training: { tokens: 1e9, dollarsPerAcceleratorHour: 2 },
    ...(drawn.frameworkVersion === '' ? {} : { frameworkVersion: drawn.frameworkVersion }),
  };
  const usableMemoryBytes = Number.parseInt(drawn.memory, 10) * 2 ** 30;
  const scenario = {
    ...resolveScenario(run),
    cluster: { ...cluster, accelerator: { ...cluster.accelerator, usableMemoryBytes } },
  };
  const { objective, where, top } = drawn;
  return { scenario, objective, top, ...(where === undefined ? {} : { where }) };
}

describe('planSearch', () => {
  test('is brute force with evaluateStep on every legal candidate: dense and experts, objectives, conditions, frameworks', async () => {
    let answered = 0;
    await fc.assert(
      fc.asyncProperty(problems.filter(isSmall), async (drawn) => {
        const request = requestOf(drawn);
        const { plans, complete } = await planOf(request);
        expect(complete).toBe(true);
        expect(plans.map(({ score }) => score)).toEqual(await bruteForce(request));
        if (plans.length > 0) answered++;
      }),
      { numRuns: 36, endOnFailure: true },
    );
    expect(answered).toBeGreaterThan(18);
  }, 200_000);

  test('more memory never gives a worse optimum', async () => {
    await fc.assert(
      fc.asyncProperty(problems, async (drawn) => {
        const best: number[] = [];
        for (const memory of memories) {
          const { plans } = await planOf(requestOf({ ...drawn, memory, objective: 'step', where: undefined, top: 1 }));
          best.push(plans[0]?.score ?? Number.POSITIVE_INFINITY);
        }
        expect(best).toEqual([...best].sort((a, b) => b - a));
      }),
      { numRuns: 10 },
    );
  }, 120_000);

  test('keeps what the run file gives, above all the batch', async () => {
    const { plans } = await planOf(requestOf({ ...defaults, globalBatchSize: 12 }));
    expect(plans.length).toBeGreaterThan(0);
    for (const { strategy } of plans) {
      expect(strategy).toMatchObject({ globalBatchSize: 12, sequenceParallel: true, contextMethod: 'all-gather' });
    }
  });

  test('an aborted search returns what it has and says so', async () => {
    const controller = new AbortController();
    controller.abort();
    const { complete, plans } = await planOf({ ...requestOf(defaults), signal: controller.signal });
    expect([complete, plans.length]).toEqual([false, 0]);
  });

  test('plans that differ in a detail only count once with diverse', async () => {
    const { plans } = await planOf({ ...requestOf(defaults), diverse: true });
    const keys = plans.map(({ strategy: s }) =>
      [s.tensorParallel, s.contextParallel, s.pipelineParallel, s.expertParallel, s.microBatchSize, s.precision].join(),
    );
    expect(new Set(keys).size).toBe(keys.length);
    expect(keys.length).toBe(10);
  });
});

const defaults: Drawn = {
  experts: false,
  framework: 'megatron',
  frameworkVersion: '',
  accelerators: 4,
  sequenceLength: 1024,
  globalBatchSize: 8,
  numLayers: 4,
  memory: '80 GiB',
  objective: 'step',
  where: undefined,
  top: 10,
};
