import { allToAllSeconds, collectiveSeconds } from '../hardware/collectives/collective.js';
import type { RankGroup } from '../hardware/collectives/group.js';
import type { MixtureOfExperts } from '../model/architecture.js';
import type { Strategy } from './strategy.js';

/** Seconds of token exchange in one layer with experts and one micro-batch, each direction of the pass. */
export interface ExpertCost {
  readonly forwardSeconds: number;
  readonly backwardSeconds: number;
}

/** Expected number of the `places` that a token's experts lie on, over the experts it visits. */
function distinctShare(visits: number, places: number): number {
  return (places * (1 - (1 - 1 / places) ** visits)) / visits;
}

/**
 * What a dispatcher that sends a token once to each domain, and there once to each rank, saves of the traffic between domains
 * (DeepEP; node-limited routing, DeepSeek-V3 section 3.2.2) and inside one (DeepEP's dispatch layout counts tokens by rank).
 */
function dispatchShares(moe: MixtureOfExperts, strategy: Strategy, expert: RankGroup): { out: number; up: number } {
  const visits = moe.expertsPerToken;
  if (strategy.expertDispatcher === 'alltoall' || expert.ranks <= 1) return { out: 1, up: 1 };
  const up = distinctShare(visits, expert.ranks);
  if (expert.domains <= 1) return { out: 1, up };
  const out = distinctShare(visits, expert.domains);
  return { out: moe.nodeLimit > 0 ? Math.min(out, moe.nodeLimit / visits) : out, up };
}

/**
 * Dispatch and combine, forward and backward: each an all-to-all of tokens x visited experts x hidden. With expert tensor
 * parallelism the dispatched tokens are gathered and the results reduced over its group.
 */
export function expertCost(
  expert: RankGroup,
  expertTensor: RankGroup,
  moe: MixtureOfExperts,
  strategy: Strategy,
  dispatchBytes: number,
): ExpertCost {
  const shares = dispatchShares(moe, strategy, expert);
  const exchange = allToAllSeconds(expert, dispatchBytes, shares.out, shares.up);
  const inside = expertTensor.ranks * dispatchBytes;
  const gather =
    collectiveSeconds(expertTensor, 'allGather', inside) + collectiveSeconds(expertTensor, 'reduceScatter', inside);
  const total = 2 * exchange + gather;
  return { forwardSeconds: total, backwardSeconds: total };
}
