import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { predictRun } from '../../src/calibration/predict.js';
import { loadShippedRuns } from '../../src/calibration/shippedRuns.js';
import { groupBy } from '../../src/calibration/statistics.js';
import { validateRuns } from '../../src/calibration/validate.js';
import { deriveDegrees } from '../../src/parallelism/degrees.js';
import { backward, forward, type Pass, straight } from '../../src/parallelism/pipeline/order.js';
import { type PipelineSchedule, pipelineSchedules } from '../../src/parallelism/strategy.js';
import { resolveScenario } from '../../src/scenario/resolveScenario.js';
import type { Scenario } from '../../src/scenario/scenario.js';
import { evaluate, evaluateAndBound, waitForSlowest } from '../../src/simulation/closedForm.js';
import { streamsPerRank } from '../../src/simulation/engine/taskGraph.js';
import { prepare } from '../../src/simulation/prepare.js';
import { type SimulatedStep, simulatedStepSeconds, simulateStep } from '../../src/simulation/simulate.js';
import { layerTable } from '../../src/simulation/stageCost.js';
import { simulateSeconds } from '../../src/simulation/steadyState.js';
import { runs } from '../properties/scenarios.js';

/** Passes up to which a drawn step is simulated here: some tens of milliseconds. */
const fewPasses = 4000;

function passesOf(scenario: Scenario): number {
  const { pipelineParallel, virtualStages, microBatches } = deriveDegrees(scenario);
  return 2 * pipelineParallel * virtualStages * microBatches;
}

function forEverySmallScenario(property: (scenario: Scenario) => void, numRuns: number): void {
  const small = runs.filter((run) => passesOf(resolveScenario(run)) <= fewPasses);
  fc.assert(
    fc.property(small, (run) => property(resolveScenario(run))),
    { numRuns },
  );
}

/** The closed form's step as the simulation has it: without the framework's fixed overhead and the wait for the slowest. */
function closedSeconds(scenario: Scenario): number {
  const slowest = 1 + waitForSlowest(prepare(scenario));
  return evaluate(scenario).stepSeconds / slowest - scenario.framework.stepOverheadSeconds;
}

/** The bound that searches order candidates by, likewise. */
function tightSeconds(scenario: Scenario): number {
  const p = prepare(scenario);
  const { boundSeconds } = evaluateAndBound(p, layerTable(p));
  return boundSeconds / (1 + waitForSlowest(p)) - scenario.framework.stepOverheadSeconds;
}

const rounding = 1 + 1e-9;

test('closed form <= simulation, all schedules, dense and with experts, all shardings; without its tasks it takes as long', () => {
  forEverySmallScenario((scenario) => {
    const { stepSeconds } = simulateStep(scenario);
    expect(closedSeconds(scenario)).toBeLessThanOrEqual(stepSeconds * rounding);
    expect(tightSeconds(scenario)).toBeLessThanOrEqual(stepSeconds * rounding);
    expect(Math.abs(simulatedStepSeconds(scenario) / stepSeconds - 1)).toBeLessThan(1e-9);
  }, 500);
});

test('an order that locks is refused, with tasks and without', () => {
  const scenario = resolveScenario({
    model: 'llama3-8b',
    cluster: 'dgx-h100',
    accelerators: 2,
    strategy: { pipelineParallel: 2, globalBatchSize: 2 },
  });
  const both = (rank: number): Pass[] => [forward(0, rank), backward(0, rank)];
  // The first rank waits for a gradient of micro-batch 1 that the second rank sends only after its forward pass.
  const order = straight(
    [
      [forward(0, 0), backward(1, 0), forward(1, 0), backward(0, 0)],
      [...both(1), forward(1, 1), backward(1, 1)],
    ],
    2,
  );
  for (const run of [simulateStep, simulatedStepSeconds]) {
    expect(() => run(scenario, { order })).toThrow(/deadlocks: rank 0 at backward of micro-batch 1, chunk 0 waits/);
  }
});

/** Plans that people run: presets, 4-way tensor or 8-way expert parallelism, m = 2 p and 4 p. */
function ordinaryPlans(pipelineSchedule: PipelineSchedule): Scenario[] {
  const chunked = pipelineSchedule === 'interleaved-1f1b' || pipelineSchedule === 'breadth-first';
  const plans: Scenario[] = [];
  for (const model of ['llama3-8b', 'gpt3-175b', 'mixtral-8x7b', 'deepseek-v3']) {
    const experts = model === 'mixtral-8x7b' || model === 'deepseek-v3';
    const [tensorParallel, expertParallel, dataParallel] = experts ? [1, 8, 8] : [4, 1, 2];
    for (const pipelineParallel of [2, 8, 16]) {
      for (const dataSharding of ['ddp', 'zero-1', 'zero-2', 'zero-3'] as const) {
        for (const full of [2, 4]) {
          const strategy = {
            tensorParallel,
            expertParallel,
            pipelineParallel,
            pipelineSchedule,
            virtualStages: chunked ? 2 : 1,
            dataSharding,
            microBatchSize: 1,
            globalBatchSize: full * pipelineParallel * dataParallel,
          };
          const accelerators = tensorParallel * pipelineParallel * dataParallel;
          plans.push(resolveScenario({ model, cluster: 'dgx-h100', accelerators, strategy }));
        }
      }
    }
  }
  return plans;
}

/**
 * How far below the simulation the closed form may lie. On 2026-11-24 at worst, in percent: 1.0, 1.0, 3.9, 0.7, 0.7, 7.1, 17.0, 15.4; median 0.1
 * to 1.4, of DualPipe 2.2. Of ZB-V's order the closed form knows only the work; DualPipe's worst are stages of unequal length.
 */
describe.each([
  ['gpipe', 0.02],
  ['1f1b', 0.02],
  ['interleaved-1f1b', 0.04],
  ['breadth-first', 0.01],
  ['zb-h1', 0.01],
  ['zb-h2', 0.08],
  ['zb-v', 0.18],
  ['dualpipe', 0.16],
] as const)('%s on ordinary plans', (schedule, promised) => {
  const plans = ordinaryPlans(schedule);

  test(`the closed form is within ${100 * promised} % of the simulation`, () => {
    for (const plan of plans) {
      const simulated = simulateStep(plan).stepSeconds;
      expect(closedSeconds(plan) / simulated).toBeGreaterThan(1 - promised);
    }
  });
});

test('the schedules above are all there are', () => {
  expect(pipelineSchedules.length).toBe(8);
});

test.each(pipelineSchedules)(
  '%s: a step of many micro-batches from its steady state is the step in full',
  (schedule) => {
    for (const plan of ordinaryPlans(schedule).filter((_, i) => i % 9 === 0)) {
      const globalBatchSize = 7 * plan.strategy.globalBatchSize;
      const long = { ...plan, strategy: { ...plan.strategy, globalBatchSize } };
      const { stepSeconds } = simulateSeconds(long);
      expect(stepSeconds / simulateStep(long).stepSeconds).toBeCloseTo(1, 8);
    }
  },
);

function bytesOf(array: Float64Array): Buffer {
  return Buffer.from(array.buffer, array.byteOffset, array.byteLength);
}

test('the same scenario is simulated to the same bytes', () => {
  forEverySmallScenario((scenario) => {
    const [one, two] = [simulateStep(scenario), simulateStep(scenario)];
    expect(bytesOf(one.timeline.start).equals(bytesOf(two.timeline.start))).toBe(true);
    expect(bytesOf(one.timeline.end).equals(bytesOf(two.timeline.end))).toBe(true);
    expect(JSON.stringify(one.memory)).toBe(JSON.stringify(two.memory));
  }, 40);
});

/** Seconds of work on every stream. */
function busySeconds({ graph }: SimulatedStep): Float64Array {
  const busy = new Float64Array(graph.ranks * streamsPerRank);
  graph.streams.forEach((stream, task) => {
    busy[stream] = (busy[stream] ?? 0) + (graph.seconds[task] ?? 0);
  });
  return busy;
}

test('no step is shorter than the work of its busiest stream', () => {
  forEverySmallScenario((scenario) => {
    const step = simulateStep(scenario);
    expect(step.makespanSeconds * rounding).toBeGreaterThanOrEqual(Math.max(...busySeconds(step)));
    // Ranks that go on alone are done after their own span, which counts the gather of their weights where it shows.
    if (!step.schedule.staggered) expect(step.stepSeconds).toBe(step.makespanSeconds);
  }, 150);
});

describe('zero-bubble schedules as measured (Qi et al. 2023, tables 4 and 6)', () => {
  const shipped = loadShippedRuns().filter((run) => run.family === 'zero-bubble');
  const { runs: rows, summary } = validateRuns(shipped, predictRun);

  /** The schedule's name in the paper, from `zb-t6-6.2B-ZB-2p*-m48`; the rest of the id is the question. */
  const parse = (id: string) => {
    const [, question = '', schedule = '', microBatches = ''] = /^(zb-t\d-[\d.]+B)-(.*)-m(\d+)$/.exec(id) ?? [];
    return { question: `${question} m=${microBatches}`, schedule: schedule.replace('*', '') };
  };
  /** Samples a second and accelerator, of which the paper prints three digits, in units of the last one. */
  const printedThroughput = ({ id, measured }: (typeof rows)[number]): number => {
    const file = shipped.find((run) => run.id === id)?.run as {
      accelerators: number;
      strategy: { globalBatchSize: number };
    };
    const throughput = file.strategy.globalBatchSize / file.accelerators / (measured.stepSeconds ?? Number.NaN);
    return Math.round(throughput * (throughput < 10 ? 100 : 10));
  };
  const steps = rows
    .map((row) => ({ ...row, printed: printedThroughput(row) }))
    .map(({ id, printed, predicted }) => ({
      ...parse(id),
      printed,
      predicted: predicted?.stepSeconds ?? Number.NaN,
    }));
  const questions = [...groupBy(steps, ({ question }) => question)];

  test('all rows, models of two sizes with three numbers of micro-batches each', () => {
    expect(rows.length).toBe(36);
    expect(rows.filter(({ skipped }) => skipped !== null)).toEqual([]);
    expect(questions.length).toBe(9);
  });

  /** Two throughputs that differ by one in the last digit that is printed (4.20 and 4.19) may have been the same. */
  test.each(questions)('%s: the schedules in the measured order', (_question, group) => {
    const wrong = group.flatMap((fast) =>
      group
        .filter((slow) => fast.printed > slow.printed + 1 && fast.predicted >= slow.predicted)
        .map((slow) => [fast.schedule, slow.schedule] as const),
    );
    expect(wrong).toEqual([]);
  });

  test('step time: median error within 6 %', () => {
    expect(summary.medianAbsStepError).not.toBeNull();
    expect(summary.medianAbsStepError).toBeLessThanOrEqual(0.06);
  });

  test('memory: median error within 8 %', () => {
    expect(summary.medianAbsMemoryError).not.toBeNull();
    expect(summary.medianAbsMemoryError).toBeLessThanOrEqual(0.08);
  });
});
