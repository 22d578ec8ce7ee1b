import { describe, expect, it } from 'vitest';
import { placeGroup } from '../../src/hardware/collectives/group.js';
import { expertCost } from '../../src/parallelism/expert.js';
import type { Strategy } from '../../src/parallelism/strategy.js';
import { resolveScenario } from '../../src/scenario/resolveScenario.js';

const run = { model: 'qwen3-30b-a3b', cluster: 'dgx-h100', accelerators: 16 };

function exchangeSeconds(ranks: number, expertDispatcher: Strategy['expertDispatcher']): number {
  const { model, cluster, strategy } = resolveScenario({
    ...run,
    strategy: { expertParallel: ranks, expertDispatcher },
  });
  if (model.moe === null) throw new Error('no experts');
  const alone = placeGroup(cluster, 1, 1);
  return expertCost(placeGroup(cluster, ranks, 1), alone, model.moe, strategy, 1e9).forwardSeconds;
}

describe('a dispatcher that knows where the experts lie', () => {
  it('sends a token once to each of 8 ranks: 8 (1 - (7/8)^8) of its 8 visits', () => {
    const share = 1 - (7 / 8) ** 8;
    expect(exchangeSeconds(8, 'deepep') / exchangeSeconds(8, 'alltoall')).toBeCloseTo(share, 2);
  });

  it('sends a token once to each of 2 domains: 2 (1 - (1/2)^8) of its 8 visits', () => {
    const share = (2 * (1 - 0.5 ** 8)) / 8;
    expect(exchangeSeconds(16, 'deepep') / exchangeSeconds(16, 'alltoall')).toBeCloseTo(share, 2);
  });
});
