import { describe, expect, test } from 'vitest';
import { resolveScenario } from '../../src/scenario/resolveScenario.js';
import type { RunFileInput } from '../../src/scenario/runFileSchema.js';
import { evaluate } from '../../src/simulation/closedForm.js';
import { evaluateStep } from '../../src/simulation/evaluateStep.js';
import { simulateStep } from '../../src/simulation/simulate.js';
import { forEveryScenario } from '../properties/scenarios.js';

function scenario(strategy: NonNullable<RunFileInput['strategy']>) {
  return resolveScenario({
    model: 'llama3-70b',
    cluster: 'dgx-h100',
    accelerators: 64,
    sequenceLength: 8192,
    strategy,
  });
}

const pipeline = { tensorParallel: 8, pipelineParallel: 8, microBatchSize: 1, globalBatchSize: 48 } as const;

describe('every rank peaks at the same bytes in the estimate and in the simulation', () => {
  test.each([
    { pipelineSchedule: '1f1b' },
    { pipelineSchedule: 'gpipe' },
    { pipelineSchedule: 'interleaved-1f1b', virtualStages: 5 },
    // Chunks of one, two and three layers: what is alive depends on which chunks are.
    {
      pipelineSchedule: 'interleaved-1f1b',
      virtualStages: 5,
      stageLayers: Array.from({ length: 40 }, (_, i) => [1, 3, 2, 2][i % 4] ?? 2),
    },
    { pipelineSchedule: 'breadth-first', virtualStages: 5 },
    { pipelineSchedule: 'zb-h1' },
    { pipelineSchedule: 'zb-h2' },
    { pipelineSchedule: 'zb-v' },
    { pipelineSchedule: 'dualpipe' },
  ] as const)('$pipelineSchedule', (schedule) => {
    const { stageLayers, ...rest } = { stageLayers: undefined, ...schedule };
    const plan = scenario({ ...pipeline, ...rest, ...(stageLayers === undefined ? {} : { stageLayers }) });
    const estimated = evaluateStep(plan).stages;
    const simulated = simulateStep(plan).memory;
    expect(simulated).toHaveLength(estimated.length);
    estimated.forEach((stage, rank) => {
      expect(stage.peakBytes / (simulated[rank]?.peakBytes ?? 0)).toBeCloseTo(1, 12);
      expect(stage.inFlightMicroBatches).toBeCloseTo(simulated[rank]?.inFlightMicroBatches ?? 0, 9);
    });
  });

  test('drawn scenarios', () => {
    forEveryScenario((drawn) => {
      const simulated = simulateStep(drawn).memory;
      evaluateStep(drawn).stages.forEach((stage, rank) => {
        expect(stage.peakBytes / (simulated[rank]?.peakBytes ?? 0)).toBeCloseTo(1, 9);
      });
    }, 60);
  });
});

test('with equal chunks the closed form of interleaving is the walk', () => {
  const plan = scenario({ ...pipeline, pipelineSchedule: 'interleaved-1f1b', virtualStages: 5 });
  const closed = evaluate(plan).stages;
  // Between the ends, where a chunk also keeps what embedding or head need.
  evaluateStep(plan)
    .stages.slice(1, -1)
    .forEach((stage, i) => {
      expect(stage.peakBytes).toBeCloseTo(closed[i + 1]?.peakBytes ?? 0, 0);
    });
});
