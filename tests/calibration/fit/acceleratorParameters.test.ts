import { describe, expect, test } from 'vitest';
import { acceleratorParameters } from '../../../src/calibration/fit/acceleratorParameters.js';
import type { Accelerator } from '../../../src/hardware/accelerator.js';
import { resolveScenario } from '../../../src/scenario/resolveScenario.js';

function accelerator(cluster: string, change: Partial<Accelerator> = {}): Accelerator {
  return { ...resolveScenario({ model: 'llama2-7b', cluster }).cluster.accelerator, ...change };
}

const h100 = accelerator('dgx-h100');
const h200 = accelerator('dgx-h200');
const capped = accelerator('dgx-h100', { id: 'h100-capped', watts: h100.watts / 4 });
const gb200 = accelerator('gb200-nvl72');
const gb300 = accelerator('gb300-nvl72');
const b200 = accelerator('dgx-b200');

function expectations(accelerators: readonly Accelerator[]) {
  const parameters = acceleratorParameters(accelerators);
  return (owner: string, family: string) => {
    const found = parameters.find((one) => one.owner === owner && one.path[1] === family);
    if (found === undefined) throw new Error(`no ${owner} ${family}`);
    return { ...found, parentOwner: parameters[found.parent]?.owner };
  };
}

describe('what an accelerator is expected to sustain before any run of it', () => {
  test('a part with the chip of another is expected to do as that one, whichever comes first', () => {
    for (const order of [
      [h100, h200],
      [h200, h100],
    ]) {
      const of = expectations(order);
      expect(of('h200-sxm-141', 'bf16').parentOwner).toBe('h100-sxm-80');
      expect(of('h200-sxm-141', 'bf16').spread).toBeLessThan(of('h100-sxm-80', 'bf16').spread);
      expect(of('h100-sxm-80', 'bf16').parentOwner).toBe('generation hopper');
    }
  });

  test('alone in its generation it is expected to do as the generation', () => {
    expect(expectations([h100])('h100-sxm-80', 'fp8').overParent).toBe(1);
  });

  test('a quarter of the power is expected to sustain half of the rate, in GEMMs alone', () => {
    const of = expectations([h100, capped]);
    expect(of('h100-sxm-80', 'bf16').overParent / of('h100-capped', 'bf16').overParent).toBeCloseTo(2, 9);
    expect(of('h100-capped', 'attention').overParent).toBe(1);
  });

  test('a generation that refines another leans on it', () => {
    const of = expectations([gb300, gb200]);
    expect(of('generation blackwell-ultra', 'fp8').parentOwner).toBe('generation blackwell');
    expect(of('generation blackwell', 'fp8').parentOwner).toBe('all');
  });

  test('kernels measured in training go before the generation', () => {
    const of = expectations([b200, gb200]);
    expect(of('b200-sxm-180', 'bf16')).toMatchObject({ parent: -1, prior: 0.746 });
    expect(of('b200-sxm-180', 'fp8').parentOwner).toBe('generation blackwell');
  });

  test('parents come before their children', () => {
    const parameters = acceleratorParameters([gb300, h200, gb200, h100, capped, b200]);
    parameters.forEach(({ parent }, index) => {
      expect(parent).toBeLessThan(index);
    });
  });
});
