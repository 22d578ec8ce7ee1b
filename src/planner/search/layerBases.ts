import { degreesOf } from '../../parallelism/degrees.js';
import type { RecomputeChoice } from '../../parallelism/layerCost.js';
import type { Strategy } from '../../parallelism/strategy.js';
import type { Scenario } from '../../scenario/scenario.js';
import { type LayerSeconds, layerSeconds } from '../../simulation/layerSeconds.js';
import { type Prepared, prepareWith, withExperts } from '../../simulation/prepare.js';
import type { LayerChoice } from './layerChoices.js';
import { withoutStates } from './stateChoices.js';

const onePipeline = { pipelineParallel: 1, virtualStages: 1, pipelineSchedule: '1f1b', stageLayers: [] } as const;

/** What layer choices share that differ in how experts are split and nothing else: kernels, the head, the time of a dense layer. */
export class LayerBases {
  private readonly bases = new Map<string, Prepared>();
  private readonly denseLayers = new Map<string, Map<string, LayerSeconds>>();

  constructor(private readonly scenario: Scenario) {}

  /** The layer on one stage, with nothing sharded and nothing offloaded: what it costs does not depend on where it runs. */
  prepared(layer: LayerChoice): Prepared {
    const strategy: Strategy = { ...withoutStates(this.scenario.strategy), ...layer, ...onePipeline };
    const key = keyOf(layer);
    const base = this.bases.get(key);
    if (base !== undefined) return withExperts(base, strategy);
    const single: Scenario = { ...this.scenario, strategy };
    const prepared = prepareWith(single, degreesOf(single));
    this.bases.set(key, prepared);
    return prepared;
  }

  /** A layer without experts. */
  dense(layer: LayerChoice, p: Prepared, recompute: RecomputeChoice): LayerSeconds {
    const key = keyOf(layer);
    let known = this.denseLayers.get(key);
    if (known === undefined) {
      known = new Map();
      this.denseLayers.set(key, known);
    }
    const policy = typeof recompute === 'string' ? recompute : [...recompute].join();
    let dense = known.get(policy);
    if (dense === undefined) {
      dense = layerSeconds(p, 'dense', recompute);
      known.set(policy, dense);
    }
    return dense;
  }
}

function keyOf(layer: LayerChoice): string {
  const { precision, gradientDtype, tensorParallel, sequenceParallel, contextParallel, contextMethod } = layer;
  return `${precision} ${gradientDtype} ${tensorParallel} ${sequenceParallel} ${contextParallel} ${contextMethod} ${layer.microBatchSize}`;
}
