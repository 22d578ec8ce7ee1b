import type { Strategy } from '../../parallelism/strategy.js';
import { formatBytes, formatRatio } from '../../quantity/format.js';
import type { Scenario } from '../../scenario/scenario.js';
import { evaluateStep } from '../../simulation/evaluateStep.js';
import type { Advice } from '../estimateResult.js';
import { refusedKeys } from './frameworkRules.js';
import type { Plan } from './request.js';

/** Below this gain a change is not worth a line. */
const LEAST_GAIN = 0.005;

/** Switches that the search leaves as they are: how the framework runs, not how the work is split. */
const switches: readonly (readonly [Partial<Strategy>, string])[] = [
  [{ tensorOverlap: true }, 'tensorOverlap true'],
  [{ overlapGradientReduce: true }, 'overlapGradientReduce true'],
  [{ overlapParameterGather: true }, 'overlapParameterGather true'],
  [{ expertOverlap: true }, 'expertOverlap true'],
  [{ expertDispatcher: 'deepep' }, 'expertDispatcher deepep'],
  [{ cudaGraphs: 'full' }, 'cudaGraphs full'],
  [{ compile: true }, 'compile true'],
  [{ fusedNorm: true }, 'fusedNorm true'],
  [{ fusedCrossEntropy: true }, 'fusedCrossEntropy true'],
  [{ gradientDtype: 'bf16' }, 'gradientDtype bf16'],
];

/**
 * What would make the best plan faster beyond what the search may choose: switches of the framework, each confirmed by `evaluateStep` as the plan
 * was, with its gain and its memory. Fastest first. Nothing that the search chooses can be on the list: the plan is the best of those.
 */
export function winnerAdvice(scenario: Scenario, plan: Plan): readonly Advice[] {
  const { strategy, evaluation, accelerators } = plan;
  const planned = { ...scenario, accelerators };
  // What the user settled is not doubted.
  const settled = refusedKeys(planned, strategy);
  const found = switches.flatMap(([change, name]): Advice[] => {
    const changed = { ...strategy, ...change };
    if (Object.entries(change).every(([key, value]) => strategy[key as keyof Strategy] === value)) return [];
    if (refusedKeys(planned, changed).some((key) => !settled.includes(key))) return [];
    const next = evaluateStep({ ...planned, strategy: changed });
    const stepSecondsDelta = next.stepSeconds - evaluation.stepSeconds;
    if (!next.fits || stepSecondsDelta > -LEAST_GAIN * evaluation.stepSeconds) return [];
    const peakBytesDelta = next.allocatedBytes - evaluation.allocatedBytes;
    const gain = `${formatRatio(-stepSecondsDelta / evaluation.stepSeconds)} faster`;
    const memory =
      Math.abs(peakBytesDelta) < 2 ** 20
        ? ''
        : `, ${formatBytes(Math.abs(peakBytesDelta))} ${peakBytesDelta > 0 ? 'more' : 'less'}`;
    return [{ change, stepSecondsDelta, peakBytesDelta, message: `${name}: ${gain}${memory}` }];
  });
  return found.sort((a, b) => a.stepSecondsDelta - b.stepSecondsDelta);
}
