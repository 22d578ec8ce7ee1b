import { describe, expect, test } from 'vitest';
import { calibrateCollective } from '../../../src/calibration/cluster/calibrateCollective.js';
import { calibrateGemm } from '../../../src/calibration/cluster/calibrateGemm.js';
import { calibrateSteps } from '../../../src/calibration/cluster/calibrateSteps.js';
import { rankJitter, steadySteps } from '../../../src/calibration/cluster/steadySteps.js';
import { collectiveSeconds } from '../../../src/hardware/collectives/collective.js';
import { placeGroup } from '../../../src/hardware/collectives/group.js';
import { loadCluster } from '../../../src/scenario/loadHardware.js';
import { onHosts, resolveScenario } from '../../../src/scenario/resolveScenario.js';
import { evaluateStep } from '../../../src/simulation/evaluateStep.js';

const cluster = loadCluster('dgx-h100');

describe('steady steps', () => {
  const samples = (seconds: readonly number[]) => seconds.map((one, i) => ({ line: i + 1, step: i + 1, seconds: one }));

  test('drop the warm-up and outvote a checkpoint', () => {
    const steady = steadySteps(samples([60, 20, 10, 10.1, 9.9, 10, 35, 10, 10.1, 9.9]));
    expect(steady).toMatchObject({ seconds: 10, warmUp: 2, kept: 8 });
    expect(steady?.spread).toBeLessThan(0.02);
  });

  test('keep a log without a warm-up whole, and are none of two steps', () => {
    expect(steadySteps(samples([10, 10, 10]))).toMatchObject({ kept: 3, warmUp: 0, spread: 0 });
    expect(steadySteps(samples([10, 10]))).toBeNull();
    expect(steadySteps([])).toBeNull();
  });

  test('tell the jitter of a rank from the spread of the slowest of many', () => {
    // pi / sqrt(6) / sqrt(2 ln 1024) = 0.3445
    expect(rankJitter(0.003445, 1024)).toBeCloseTo(0.01, 4);
  });
});

describe('GEMM timings', () => {
  const shapes = [1024, 2048, 4096, 8192].flatMap((m) => [2048, 8192].map((n) => ({ m, n, k: 4096 })));
  /** The law of the preset with other constants: 0.6 of the peak, 8 us. */
  const timed = shapes.map(({ m, n, k }, index) => {
    return { line: index + 2, m, n, k, format: 'bf16' as const, seconds: (2 * m * n * k) / (0.6 * 989.5e12) + 8e-6 };
  });

  test('give back the constants they were made with', () => {
    const fitted = calibrateGemm(cluster.accelerator, timed);
    expect(fitted.after).toBeLessThan(0.01);
    expect(fitted.after).toBeLessThan(fitted.before);
    expect(Math.abs(fitted.accelerator.gemm.bf16.maxEfficiency / 0.6 - 1)).toBeLessThan(0.03);
    expect(fitted.problems).toEqual([]);
  });

  test('name a shape above the peak and one that contradicts the others', () => {
    const [first, second, ...rest] = timed;
    if (first === undefined || second === undefined) throw new Error('no shapes');
    const fitted = calibrateGemm(cluster.accelerator, [
      { ...first, seconds: first.seconds / 100 },
      { ...second, seconds: second.seconds * 4 },
      ...rest,
    ]);
    expect(fitted.problems).toMatchObject([
      { line: 2, why: expect.stringContaining('above the peak of 990') },
      { line: 3, why: expect.stringContaining('times what the other shapes imply') },
    ]);
    expect(Math.abs(fitted.accelerator.gemm.bf16.maxEfficiency / 0.6 - 1)).toBeLessThan(0.05);
  });
});

describe('collectives', () => {
  const sizes = [1e6, 4e6, 16e6, 64e6, 256e6, 1e9, 4e9];

  test('inside a node: the curve of this many ranks', () => {
    const curve = { ranks: 8, busBytesPerSecond: 300e9, halfBytes: 30e6, power: 0.8, minimumSeconds: 25e-6 };
    const collectives = { ...cluster.accelerator.collectives, allReduce: [curve] };
    const slower = { ...cluster, accelerator: { ...cluster.accelerator, collectives } };
    const samples = sizes.map((bytes, line) => {
      return { line, bytes, seconds: collectiveSeconds(placeGroup(slower, 8, 1), 'allReduce', bytes) };
    });
    const fitted = calibrateCollective(cluster, { kind: 'allReduce', ranks: 8, nodes: 1, samples, problems: [] });
    expect(fitted.after).toBeLessThan(0.01);
    const found = fitted.cluster.accelerator.collectives.allReduce.find(({ ranks }) => ranks === 8);
    expect(Math.abs((found?.busBytesPerSecond ?? 0) / 300e9 - 1)).toBeLessThan(0.03);
  });

  test('across nodes: what the network reaches, and its latency', () => {
    const slower = { ...cluster, networkEfficiency: 0.5, networkLatencySeconds: 50e-6 };
    const samples = sizes.map((bytes, line) => {
      return { line, bytes, seconds: collectiveSeconds(placeGroup(slower, 32, 1), 'allGather', bytes) };
    });
    const fitted = calibrateCollective(cluster, { kind: 'allGather', ranks: 32, nodes: 4, samples, problems: [] });
    expect(Math.abs(fitted.cluster.networkEfficiency / 0.5 - 1)).toBeLessThan(0.02);
    expect(fitted.after).toBeLessThan(0.01);
  });
});

describe('training logs', () => {
  const scenarios = [1, 2, 4].map((microBatchSize) =>
    resolveScenario({
      model: 'llama2-7b',
      cluster: 'dgx-h100',
      accelerators: 8,
      framework: 'megatron',
      strategy: { tensorParallel: 8, microBatchSize, globalBatchSize: 64 },
    }),
  );
  const steps = (seconds: number) => ({ seconds, spread: 0.002, kept: 50, warmUp: 2 });

  test('of slower accelerators: predicted within a percent after the fit', () => {
    const accelerator = { ...cluster.accelerator, sustained: { ...cluster.accelerator.sustained, bf16: 0.7 } };
    const runs = scenarios.map((scenario) => {
      return {
        scenario,
        steps: steps(evaluateStep({ ...scenario, cluster: { ...cluster, accelerator } }).stepSeconds),
      };
    });
    const fitted = calibrateSteps(cluster, runs);
    expect(Math.max(...fitted.after.map(Math.abs))).toBeLessThan(0.02);
    expect(Math.min(...fitted.before.map(Math.abs))).toBeGreaterThan(0.05);
    expect(fitted.cluster.accelerator.sustained.bf16).toBeLessThan(cluster.accelerator.sustained.bf16);
    expect(fitted.cluster.jitter).toBeCloseTo(rankJitter(0.002, 8), 5);
  });

  test('the hosts of a cluster change the framework that runs on it', () => {
    const [scenario] = scenarios;
    if (scenario === undefined) throw new Error('no scenario');
    const { framework } = scenario;
    expect(onHosts(framework, cluster)).toBe(framework);
    const slow = onHosts(framework, { ...cluster, hostTimeFactor: 2, jitter: 0.01 });
    expect(slow).toMatchObject({ hostLaunchSeconds: 2 * framework.hostLaunchSeconds, jitter: 0.01 });
  });
});
