import { describe, expect, test } from 'vitest';
import { brokenRule, deadEnd } from '../../../src/planner/search/deadEnd.js';
import type { PlanRequest } from '../../../src/planner/search/request.js';
import { planOf } from '../../../src/planner/search/whyNot.js';
import { resolveScenario } from '../../../src/scenario/resolveScenario.js';
import type { RunFileInput } from '../../../src/scenario/runFileSchema.js';

const dense = { name: 'dense', numLayers: 4, hiddenSize: 2048, numAttentionHeads: 16, gatedMlp: true };

function requestOf(more: Partial<PlanRequest> = {}, run: Partial<RunFileInput> = {}): PlanRequest {
  const scenario = resolveScenario({
    model: dense,
    cluster: 'dgx-a100',
    accelerators: 4,
    strategy: { globalBatchSize: 8, precision: 'bf16' },
    sequenceLength: 1024,
    training: { tokens: 1e9, dollarsPerAcceleratorHour: 2 },
    ...run,
  });
  return { scenario, ...more };
}

async function deadEndOf(request: PlanRequest): Promise<Awaited<ReturnType<typeof deadEnd>>> {
  const result = await planOf(request);
  expect(result.plans).toEqual([]);
  return deadEnd(request, result);
}

describe('where no plan meets a condition', () => {
  test('the nearest one is the best of all by the figure that is asked for', async () => {
    const best = await planOf(requestOf({ objective: 'mfu', top: 1 }));
    const { nearestMiss, remedies } = await deadEndOf(requestOf({ where: 'mfu > 0.95' }));
    expect(nearestMiss?.reason.code).toBe('condition');
    expect(nearestMiss?.reason.message).toMatch(/^no plan meets mfu > 0\.95 \(at best mfu \d\d\.\d %\)$/);
    expect(nearestMiss?.evaluation?.stepSeconds).toBeCloseTo(best.plans[0]?.evaluation.stepSeconds ?? 0, 12);
    expect(remedies[0]?.change).toBe('nearest to mfu > 0.95');
  });

  test('each of several is given up by itself, with the others held', async () => {
    const least = await planOf(requestOf({ objective: 'memory.peakBytes', top: 1 }));
    const peak = least.plans[0]?.evaluation.allocatedBytes ?? 0;
    const where = `memory.peakBytes < ${Math.round(peak * 1.01)} and step < 1 us`;
    const { remedies } = await deadEndOf(requestOf({ where }));
    const [nearest] = remedies.filter(({ change }) => change.startsWith('nearest to step'));
    expect(nearest?.plan.evaluation.allocatedBytes).toBeLessThan(peak * 1.01);
    expect(remedies.some(({ change }) => change.startsWith('nearest to memory'))).toBe(false);
  });

  test('a deadline and a budget that exclude each other are told apart', async () => {
    const request = requestOf({ accelerators: [4, 8, 16], deadlineSeconds: 60, budgetDollars: 0.01 });
    const { nearestMiss, remedies } = await deadEndOf(request);
    expect(nearestMiss?.reason.message).toMatch(
      /^no plan meets the deadline of 60 s \(nearest found: [^)]+\) or the budget of \$0\.01 \(nearest found: \$[\d.]+\)$/,
    );
    const [fastest, cheapest] = remedies;
    expect(fastest?.plan.accelerators).toBe(16);
    expect(cheapest?.plan.accelerators).toBeLessThan(16);
  });
});

describe('where memory rules everything out', () => {
  test('the miss is in bytes, and settled keys and more accelerators are the ways out', async () => {
    const run = {
      model: { ...dense, numLayers: 96, hiddenSize: 8192, numAttentionHeads: 64 },
      strategy: { globalBatchSize: 8, precision: 'bf16' as const, offload: 'none' as const },
    };
    const { nearestMiss, remedies } = await deadEndOf(requestOf({}, run));
    expect(nearestMiss?.reason.code).toBe('memory');
    expect(nearestMiss?.evaluation?.fits).toBe(false);
    expect(remedies.map(({ change }) => change)).toContainEqual(expect.stringMatching(/^\d+ accelerators$/));
    for (const { plan } of remedies) expect(plan.evaluation.fits).toBe(true);
  });
});

test('values that no rule allows are named by the rule they break', async () => {
  const { nearestMiss } = await deadEndOf(requestOf({ fix: { tensorParallel: [3] } }));
  expect(nearestMiss?.reason.message).toContain('tensorParallel 3');
  expect(brokenRule(requestOf({ fix: { tensorParallel: [3, 2] } }))).toBeUndefined();
});
