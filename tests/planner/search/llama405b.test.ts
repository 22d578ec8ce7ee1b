import { expect, test } from 'vitest';
import { planEstimates } from '../../../src/planner/search/planEstimate.js';
import { planOf, whyNot } from '../../../src/planner/search/whyNot.js';
import { planTable } from '../../../src/report/planTable.js';
import { resolveScenario } from '../../../src/scenario/resolveScenario.js';
import { evaluateStep } from '../../../src/simulation/evaluateStep.js';

/** Llama 3 405B as Meta trained it, TP8 PP16 (The Llama 3 Herd of Models, table 4), against what the search finds. */
test('Llama 3 405B on 16,384 H100: at least as fast as TP8 PP16 by the same simulation, and it says why', async () => {
  const scenario = resolveScenario({
    model: 'llama3-405b',
    cluster: 'dgx-h100',
    accelerators: 16_384,
    sequenceLength: 8192,
    strategy: { globalBatchSize: 2048, precision: 'bf16' },
  });
  const { plans, complete, searched, simulated, ...rest } = await planOf({ scenario, top: 1 });
  const [best] = plans;
  expect(complete).toBe(true);
  expect(searched).toBeGreaterThan(10_000_000);
  const asked = { tensorParallel: [8], pipelineParallel: [16], contextParallel: [1] };
  const { plan } = await whyNot({ scenario }, asked);
  if (best === undefined || plan === null) throw new Error('nothing fits');
  expect(best.evaluation.fits && plan.evaluation.fits).toBe(true);
  expect(best.score).toBeLessThanOrEqual(plan.score);
  expect(evaluateStep({ ...scenario, strategy: best.strategy }).stepSeconds).toBe(best.score);
  expect(evaluateStep({ ...scenario, strategy: plan.strategy }).stepSeconds).toBe(plan.score);
  const [full = null] = planEstimates(scenario, [plan], { advice: false });
  const document = {
    ...{ schemaVersion: 1 as const, objective: 'step', seconds: 0, complete, searched, simulated, ...rest },
    ...{ plans: planEstimates(scenario, plans, { advice: false }), paretoAxes: ['step'], remedies: [] },
    whyNot: [{ asked: 'tp=8,pp=16', plan: full, reason: null, nearest: null, given: [] }],
  };
  const question = {
    model: 'Llama',
    cluster: 'dgx-h100',
    accelerators: [16_384],
    globalBatchSize: 2048,
    sequenceLength: 8192,
    framework: 'megatron',
    settled: [],
  };
  expect(planTable(document, question, { columns: 2000, color: false })).toMatch(
    /Why not tp=8,pp=16\n {2}it works: .* (slower than the best plan: .* more |as fast as the best plan)/,
  );
}, 240_000);
