import { expect, test } from 'vitest';
import type { Accelerator, CollectiveCurve } from '../../src/hardware/accelerator.js';
import { modelFlops } from '../../src/model/flops.js';
import { recomputes } from '../../src/parallelism/strategy.js';
import { resolveScenario } from '../../src/scenario/resolveScenario.js';
import type { Scenario } from '../../src/scenario/scenario.js';
import { evaluate } from '../../src/simulation/closedForm.js';
import { simulatedStepSeconds } from '../../src/simulation/simulate.js';
import { forEveryScenario, withAccelerator, withStrategy } from './scenarios.js';

/** Room for rounding: a comparison of two sums of the same terms in another order. */
const rounding = 1 + 1e-9;

function stateBytes(scenario: Scenario): number[] {
  return evaluate(scenario).stages.map((stage) => stage.weightsBytes + stage.gradientsBytes + stage.optimizerBytes);
}

test('more tensor parallelism never needs more memory for weights', () => {
  forEveryScenario((scenario) => {
    const { strategy, model, accelerators } = scenario;
    const tensorParallel = 2 * strategy.tensorParallel;
    if (model.numAttentionHeads % (tensorParallel * strategy.contextParallel) !== 0) return;
    const wider = withStrategy({ ...scenario, accelerators: 2 * accelerators }, { tensorParallel });
    const before = evaluate(scenario).stages.map((stage) => stage.weightsBytes);
    evaluate(wider).stages.forEach((stage, i) => {
      expect(stage.weightsBytes).toBeLessThanOrEqual((before[i] ?? 0) * rounding);
    });
  });
});

test('a higher level of sharding never needs more bytes for states', () => {
  forEveryScenario((scenario) => {
    const levels = ['ddp', 'zero-1', 'zero-2', 'zero-3'] as const;
    const bytes = levels.map((dataSharding) => stateBytes(withStrategy(scenario, { dataSharding })));
    bytes.slice(1).forEach((higher, level) => {
      higher.forEach((value, stage) => {
        expect(value).toBeLessThanOrEqual((bytes[level]?.[stage] ?? 0) * rounding);
      });
    });
  });
});

test('more data parallelism never needs more bytes for states', () => {
  forEveryScenario((scenario) => {
    const { accelerators, strategy } = scenario;
    const more = { ...scenario, accelerators: 2 * accelerators };
    const doubled = withStrategy(more, { globalBatchSize: 2 * strategy.globalBatchSize });
    const before = stateBytes(scenario);
    stateBytes(doubled).forEach((value, stage) => {
      expect(value).toBeLessThanOrEqual((before[stage] ?? 0) * rounding);
    });
  });
});

test('the more is recomputed, the less memory a stage needs', () => {
  forEveryScenario((drawn) => {
    // Part of a stage with layers of two kinds: the model takes the mean of both for what stays, the worst for what comes back.
    const mixed = drawn.model.moe === null ? {} : { recomputeLayers: 0 };
    const scenario = withStrategy(drawn, { activationOffloadLayers: 0, ...mixed });
    const [none, , full] = recomputes.map((recompute) => evaluate(withStrategy(scenario, { recompute })));
    const selective = evaluate(withStrategy(scenario, { recompute: 'selective', recomputeModules: ['core_attn'] }));
    const all = evaluate(withStrategy(scenario, { recompute: 'full', recomputeLayers: 0 }));
    none?.stages.forEach((stage, i) => {
      const peak = stage.peakBytes * rounding;
      expect(selective.stages[i]?.peakBytes).toBeLessThanOrEqual(peak);
      expect(full?.stages[i]?.peakBytes).toBeLessThanOrEqual(peak);
      expect(all.stages[i]?.peakBytes).toBeLessThanOrEqual((full?.stages[i]?.peakBytes ?? 0) * rounding);
    });
    expect(full?.hardwareFlops).toBeGreaterThanOrEqual(full?.modelFlops ?? 0);
  });
});

/**
 * The same scenario where the closed form orders two steps: backward passes in one piece, weights not fully sharded, exchange of
 * tokens not hidden, no waiting for the host. Elsewhere one stretch of compute may hide several transfers, none knowing of the others, so that faster
 * kernels can seem to expose more than they save; the event simulation has to decide there.
 */
function plain(scenario: Scenario): Scenario {
  const { pipelineSchedule, dataSharding } = scenario.strategy;
  const splits = ['zb-h1', 'zb-h2', 'zb-v', 'dualpipe'].includes(pipelineSchedule);
  return withStrategy(scenario, {
    ...(splits ? { pipelineSchedule: '1f1b', virtualStages: 1 } : {}),
    ...(dataSharding === 'zero-3' || dataSharding === 'zero-2' ? { dataSharding: 'zero-1' } : {}),
    expertOverlap: false,
    cudaGraphs: 'full',
  });
}

/**
 * Traffic of one stage beside the passes of another: compute that hides it runs slower for as long as they overlap, and where that
 * overlap falls may turn with the kernels; 0.011 % in 4,000 draws of each comparison.
 */
const turnedRound = 1.001;

test('full recomputation never makes a step shorter', () => {
  forEveryScenario((scenario) => {
    // Activations that are computed again need not cross the host link, which may save more than it costs.
    const resident = withStrategy(plain(scenario), { activationOffloadLayers: 0 });
    const none = evaluate(withStrategy(resident, { recompute: 'none' }));
    const full = evaluate(withStrategy(resident, { recompute: 'full', recomputeLayers: 0 }));
    expect(none.stepSeconds).toBeLessThanOrEqual(full.stepSeconds * turnedRound);
  }, 400);
});

const curvesTwice = (curves: readonly CollectiveCurve[]): CollectiveCurve[] =>
  curves.map((curve) => ({ ...curve, busBytesPerSecond: 2 * curve.busBytesPerSecond }));

function fasterPeak({ peakFlopsPerSecond: peak }: Accelerator): Partial<Accelerator> {
  const twice = {
    fp32: 2 * peak.fp32,
    tf32: 2 * peak.tf32,
    fp16: 2 * peak.fp16,
    bf16: 2 * peak.bf16,
    fp8: 2 * peak.fp8,
    fp4: 2 * peak.fp4,
  };
  return { peakFlopsPerSecond: twice };
}

function fasterMemory({ memoryBytesPerSecond, hostBytesPerSecond }: Accelerator): Partial<Accelerator> {
  return { memoryBytesPerSecond: 2 * memoryBytesPerSecond, hostBytesPerSecond: 2 * hostBytesPerSecond };
}

function fasterScaleUp({ scaleUpBytesPerSecond, collectives: c }: Accelerator): Partial<Accelerator> {
  return {
    scaleUpBytesPerSecond: 2 * scaleUpBytesPerSecond,
    collectives: {
      allReduce: curvesTwice(c.allReduce),
      allGather: curvesTwice(c.allGather),
      reduceScatter: curvesTwice(c.reduceScatter),
      allToAll: curvesTwice(c.allToAll),
    },
  };
}

test.each([
  ['matrix units', fasterPeak],
  ['memory', fasterMemory],
  ['scale-up links', fasterScaleUp],
] as const)('twice as fast %s never make a step slower', (_, faster) => {
  forEveryScenario((scenario) => {
    const slower = plain(scenario);
    const after = evaluate(withAccelerator(slower, faster(slower.cluster.accelerator)));
    expect(after.stepSeconds).toBeLessThanOrEqual(evaluate(slower).stepSeconds * turnedRound);
  }, 400);
});

test('a network twice as fast never makes a step slower', () => {
  forEveryScenario((scenario) => {
    const slower = plain(scenario);
    const { cluster } = slower;
    const faster = {
      ...slower,
      cluster: { ...cluster, nodeNetworkBytesPerSecond: 2 * cluster.nodeNetworkBytesPerSecond },
    };
    expect(evaluate(faster).stepSeconds).toBeLessThanOrEqual(evaluate(slower).stepSeconds * turnedRound);
  }, 400);
});

test('schedules that keep more micro-batches alive keep more activations: GPipe, ZB-H2, 1F1B', () => {
  forEveryScenario((scenario) => {
    const plain = withStrategy(scenario, { virtualStages: 1 });
    const [gpipe, zeroBubble, oneForward] = (['gpipe', 'zb-h2', '1f1b'] as const).map(
      (pipelineSchedule) => evaluate(withStrategy(plain, { pipelineSchedule })).stages,
    );
    oneForward?.forEach((stage, i) => {
      const middle = zeroBubble?.[i]?.inFlightMicroBatches ?? Number.NaN;
      expect(stage.inFlightMicroBatches).toBeLessThanOrEqual(middle);
      expect(middle).toBeLessThanOrEqual(gpipe?.[i]?.inFlightMicroBatches ?? Number.NaN);
      expect(stage.activationsBytes).toBeLessThanOrEqual((gpipe?.[i]?.activationsBytes ?? 0) * rounding);
    });
  });
});

test.each(['llama3-70b', 'gpt3-175b', 'megatron-1t'])(
  '%s: zero-bubble schedules are faster than 1F1B, H2 than H1',
  (model) => {
    const [oneForward, h1, h2] = (['1f1b', 'zb-h1', 'zb-h2'] as const).map((pipelineSchedule) => {
      const strategy = { tensorParallel: 8, pipelineParallel: 8, pipelineSchedule, globalBatchSize: 32 };
      return evaluate(resolveScenario({ model, cluster: 'dgx-h100', accelerators: 64, strategy })).stepSeconds;
    });
    expect(h1).toBeLessThan(oneForward ?? 0);
    expect(h2).toBeLessThan(h1 ?? 0);
  },
);

test.each([
  ['llama3-70b', 5],
  ['gpt3-175b', 4],
  ['megatron-1t', 4],
] as const)('interleaving lowers the bubble of %s', (model, most) => {
  const bubbles = [1, 2, most].map((virtualStages) => {
    const strategy = { tensorParallel: 8, pipelineParallel: 8, virtualStages, globalBatchSize: 32 };
    const scenario = resolveScenario({ model, cluster: 'dgx-h100', accelerators: 64, strategy });
    return evaluate(scenario).breakdown.pipelineBubbleSeconds;
  });
  expect(bubbles[1]).toBeLessThan(0.6 * (bubbles[0] ?? 0));
  expect(bubbles[2]).toBeLessThan(0.6 * (bubbles[1] ?? 0));
});

test('no accelerator does more than its peak: the FLOPs that a causal model needs, over the step', () => {
  forEveryScenario((scenario) => {
    const { cluster, strategy, model, sequenceLength, accelerators } = scenario;
    const flops = modelFlops(model, sequenceLength, strategy.globalBatchSize, 'causal', 0);
    const peak = Math.max(...Object.values(cluster.accelerator.peakFlopsPerSecond));
    expect(flops / (evaluate(scenario).stepSeconds * accelerators * peak)).toBeLessThan(1);
  }, 400);
});

/** Pass by pass: the closed form's bound comes closer to some numbers of micro-batches than to others. */
test('a step with twice the micro-batches takes longer, but less than twice as long', () => {
  forEveryScenario((scenario) => {
    const once = simulatedStepSeconds(scenario);
    const twice = simulatedStepSeconds(
      withStrategy(scenario, { globalBatchSize: 2 * scenario.strategy.globalBatchSize }),
    );
    expect(twice).toBeGreaterThanOrEqual(once / rounding);
    // Several chunks on a rank: the longer order is not the shorter one twice, and its passes may meet less well; 2.6 % in 1,200 draws.
    const { virtualStages, pipelineSchedule } = scenario.strategy;
    // ZB-V's list does not see how long messages take, and on slow networks that is most of the step.
    const loose = pipelineSchedule === 'zb-v' ? 1.15 : virtualStages > 1 ? 1.05 : rounding;
    expect(twice).toBeLessThanOrEqual(2 * once * loose);
  }, 60);
});
