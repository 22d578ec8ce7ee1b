import { allToAllSeconds, collectiveSeconds } from '../hardware/collectives/collective.js';
import type { RankGroup } from '../hardware/collectives/group.js';
import type { MixtureOfExperts } from '../model/architecture.js';
import type { Strategy } from './strategy.js';

/** Seconds of token exchange in one layer with experts and one micro-batch, each direction of the pass. */
export interface ExpertCost {
  readonly forwardSeconds: number;
  readonly backwardSeconds: number;
}

/**
 * Expected number of domains that a token's experts lie on, over the experts it visits: what a dispatcher that sends a
 * token once per domain saves (DeepEP; node-limited routing, DeepSeek-V3 section 3.2.2).
 */
function scaleOutShare(moe: MixtureOfExperts, strategy: Strategy, domains: number): number {
  const visits = moe.expertsPerToken;
  if (strategy.expertDispatcher === 'alltoall' || domains <= 1) return 1;
  const distinct = domains * (1 - (1 - 1 / domains) ** visits);
  const limited = moe.nodeLimit > 0 ? Math.min(distinct, moe.nodeLimit) : distinct;
  return limited / visits;
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
  const exchange = allToAllSeconds(expert, dispatchBytes, scaleOutShare(moe, strategy, expert.domains));
  const inside = expertTensor.ranks * dispatchBytes;
  const gather =
    collectiveSeconds(expertTensor, 'allGather', inside) + collectiveSeconds(expertTensor, 'reduceScatter', inside);
  const total = 2 * exchange + gather;
  return { forwardSeconds: total, backwardSeconds: total };
}
