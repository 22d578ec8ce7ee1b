import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { passKinds } from '../../../src/parallelism/pipeline/order.js';
import { resolveScenario } from '../../../src/scenario/resolveScenario.js';
import { chunkCosts } from '../../../src/simulation/chunkCost.js';
import { streamNames } from '../../../src/simulation/engine/taskGraph.js';
import { crossingBound } from '../../../src/simulation/pass/passBound.js';
import {
  crossesLayers,
  type LayerRun,
  type PassPlan,
  type PlanParts,
  passPlan,
} from '../../../src/simulation/pass/passPlan.js';
import { passSeconds, simulatePass } from '../../../src/simulation/pass/passTime.js';
import { layerPass, profileSeconds, type Step } from '../../../src/simulation/pass/steps.js';
import { prepare } from '../../../src/simulation/prepare.js';
import { layerTable } from '../../../src/simulation/stageCost.js';
import { runs } from '../../properties/scenarios.js';

const contention = 1.1;

function planOf(steps: readonly Step[], besideSeconds = 0, change: Partial<LayerRun & PlanParts> = {}): PassPlan {
  const parts = [{ pass: layerPass(steps, besideSeconds), share: 1, again: false }];
  const run: LayerRun = {
    kind: 'dense',
    count: 1,
    parts,
    gatherSeconds: 0,
    reduceSeconds: 0,
    copySeconds: 0,
    ...change,
  };
  return passPlan({
    before: [],
    runs: [run],
    after: [],
    rootGatherSeconds: 0,
    rootReduceSeconds: 0,
    gathersBeside: true,
    reducesBeside: true,
    layersPerBucket: 1,
    dataYieldsTo: [],
    ...change,
  });
}

function seconds(plan: PassPlan): number {
  return simulatePass(plan, contention).timeline.makespan;
}

const kernel = (length: number): Step => ({ kind: 'compute', name: 'kernel', seconds: length });
const beside = (
  how: 'whole' | 'gather' | 'scatter',
  traffic: number,
  kernelSeconds: number,
  stream: 'tensor' | 'context' = 'context',
): Step => ({
  kind: 'beside',
  how,
  pieces: 4,
  name: 'traffic',
  stream,
  seconds: traffic,
  kernel: 'kernel',
  kernelSeconds,
});

describe('a layer, task by task', () => {
  test('an exchange stops the kernels, traffic beside one slows it, but for tensor-parallel traffic', () => {
    expect(
      seconds(planOf([kernel(3), { kind: 'exchange', name: 'x', stream: 'tensor', seconds: 2 }, kernel(1)])),
    ).toBeCloseTo(6, 12);
    // Two seconds at once take 2.2, then one of the kernel alone, or one of the traffic.
    expect(seconds(planOf([beside('whole', 2, 3)]))).toBeCloseTo(3.2, 12);
    expect(seconds(planOf([beside('whole', 3, 2), kernel(1)]))).toBeCloseTo(4.2, 12);
    expect(seconds(planOf([beside('whole', 3, 2, 'tensor'), kernel(1)]))).toBeCloseTo(4, 12);
  });

  test.each(['gather', 'scatter'] as const)('in pieces (%s), one piece has nothing beside it', (how) => {
    // Pieces of 1 and 2: three of the short ones beside the long ones.
    expect(seconds(planOf([beside(how, 4, 8)]))).toBeCloseTo(8 + 1 + 3 * 0.1, 12);
    expect(seconds(planOf([beside(how, 8, 4)]))).toBeCloseTo(8 + 1 + 3 * 0.1, 12);
  });

  test('the token exchange of another micro-batch hides behind all that a layer does', () => {
    const steps = [kernel(3), { kind: 'exchange', name: 'x', stream: 'tensor', seconds: 2 } as const, kernel(1)];
    expect(seconds(planOf(steps, 5))).toBeCloseTo(6 + 3 * 0.1 + 0, 12);
    expect(seconds(planOf(steps, 9))).toBeCloseTo(4.4 + 2 + 3, 12);
  });

  test('its profile is the simulation', () => {
    const length = fc.double({ min: 0.01, max: 10, noNaN: true });
    const step: fc.Arbitrary<Step> = fc.oneof(
      length.map(kernel),
      fc.record({
        kind: fc.constant('exchange' as const),
        name: fc.constant('x'),
        stream: fc.constantFrom('tensor' as const, 'context' as const),
        seconds: length,
      }),
      fc.record({
        kind: fc.constant('beside' as const),
        how: fc.constantFrom('whole' as const, 'gather' as const, 'scatter' as const),
        pieces: fc.integer({ min: 2, max: 8 }),
        name: fc.constant('x'),
        stream: fc.constantFrom('tensor' as const, 'context' as const),
        seconds: length,
        kernel: fc.constant('k'),
        kernelSeconds: length,
      }),
    );
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 6 }), fc.oneof(fc.constant(0), length), (steps, other) => {
        // A kernel first: what runs beside a layer starts with it.
        const plan = planOf([kernel(1), ...steps, kernel(1)], other);
        expect(seconds(plan) / profileSeconds(plan.profile, contention)).toBeCloseTo(1, 9);
      }),
      { numRuns: 400 },
    );
  });
});

describe('traffic from layer to layer', () => {
  test('weights are gathered one layer ahead; nothing hides the first', () => {
    expect(seconds(planOf([kernel(4)], 0, { count: 3, gatherSeconds: 2 }))).toBeCloseTo(2 + 3 * 4 + 2 * 2 * 0.1, 12);
    expect(seconds(planOf([kernel(4)], 0, { count: 3, gatherSeconds: 6 }))).toBeCloseTo(6 + 2 * (4.4 + 2) + 4, 12);
    expect(seconds(planOf([kernel(4)], 0, { count: 3, gatherSeconds: 2, gathersBeside: false }))).toBeCloseTo(18, 12);
  });

  test('gradients leave beside the next layer; nothing hides the last', () => {
    expect(seconds(planOf([kernel(4)], 0, { count: 3, reduceSeconds: 2 }))).toBeCloseTo(3 * 4 + 2 * 2 * 0.1 + 2, 12);
    const both = planOf([kernel(4)], 0, { count: 3, gatherSeconds: 1, reduceSeconds: 2 });
    expect(seconds(both)).toBeCloseTo(1 + 12 + 0.1 * (1 + 3 + 2) + 2, 12);
  });

  test('the root unit is gathered once, and reduced last', () => {
    const plan = { rootGatherSeconds: 5, rootReduceSeconds: 7 };
    expect(seconds(planOf([kernel(4)], 0, plan))).toBeCloseTo(16, 12);
  });

  test('copies over the host link run beside their layer, and beside the gathers as well', () => {
    expect(seconds(planOf([kernel(4)], 0, { count: 3, copySeconds: 2 }))).toBeCloseTo(12 + 6 * 0.1, 12);
    expect(seconds(planOf([kernel(4)], 0, { count: 3, copySeconds: 5 }))).toBeCloseTo(3 * (4.4 + 1), 12);
    // Both at once slow the kernel once.
    expect(seconds(planOf([kernel(4)], 0, { count: 3, copySeconds: 2, gatherSeconds: 2 }))).toBeCloseTo(
      2 + 12 + 6 * 0.1,
      12,
    );
  });

  test('on the links of the tensor-parallel traffic a gather stands still while that moves', () => {
    const steps = [kernel(2), { kind: 'exchange', name: 'x', stream: 'tensor', seconds: 3 } as const, kernel(2)];
    const other = planOf(steps, 0, { count: 2, gatherSeconds: 4 });
    expect(seconds(other)).toBeCloseTo(4 + 2 * 7 + 2 * 0.1, 12);
    expect(seconds(passPlan({ ...other, dataYieldsTo: ['tensor'] }))).toBeCloseTo(4 + 2 * 7 + 4 * 0.1, 12);
  });
});

test('passes of drawn scenarios: profile = simulation within layers, bound <= simulation across them, many layers from few', () => {
  fc.assert(
    fc.property(runs, (run) => {
      const p = prepare(resolveScenario(run));
      for (const { passes } of chunkCosts(p, layerTable(p)).slice(0, 2)) {
        for (const kind of passKinds) {
          for (const alone of [false, true]) {
            const plan = passes.plan(kind, alone);
            const whole = simulatePass(plan, p.contention).timeline.makespan;
            expect(passSeconds(plan, p.contention)).toBeCloseTo(whole, 8);
            const inside = profileSeconds(plan.profile, p.contention);
            const { dataSeconds, copySeconds } = crossingBound(plan, p.contention);
            if (!crossesLayers(plan)) expect(Math.abs(whole - inside)).toBeLessThanOrEqual(1e-9 * whole);
            expect(inside + dataSeconds + copySeconds).toBeLessThanOrEqual(whole * (1 + 1e-9));
          }
        }
      }
    }),
    { numRuns: 150 },
  );
});

test('a pass uses every stream that its parallelism needs', () => {
  const scenario = resolveScenario({
    model: 'deepseek-v3',
    cluster: 'dgx-h100',
    accelerators: 256,
    sequenceLength: 4096,
    strategy: {
      tensorParallel: 2,
      contextParallel: 2,
      expertParallel: 32,
      dataSharding: 'zero-3',
      activationOffloadLayers: 8,
      globalBatchSize: 64,
    },
  });
  const p = prepare(scenario);
  const passes = chunkCosts(p, layerTable(p))[0]?.passes;
  const streams = new Set(passes?.timeline('forward', false).graph.streams);
  expect([...streams].map((stream) => streamNames[stream]).sort()).toEqual([
    'compute',
    'context',
    'data',
    'expert',
    'host',
    'tensor',
  ]);
});
