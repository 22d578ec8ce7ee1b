import { SlipwayError } from '../../errors.js';
import type { Strategy } from '../../parallelism/strategy.js';
import type { Scenario } from '../../scenario/scenario.js';
import type { Fixed, KeyValue } from './request.js';

/** What the user settled and what the search may choose. */
export class OpenKeys {
  private readonly leftOut: ReadonlySet<string>;

  constructor(
    readonly scenario: Scenario,
    private readonly fix: Fixed,
  ) {
    this.leftOut = new Set(scenario.defaultsFilledIn.map(({ key }) => key));
    refuseGlobalBatch(fix);
  }

  /** Whether the search may choose the key freely. */
  isOpen(key: keyof Strategy): boolean {
    if (this.fix[key] !== undefined) return false;
    const { strategy, framework } = this.scenario;
    // Lists are not noted as filled in: an empty one, or the framework's own, was not given.
    if (key === 'stageLayers') return strategy.stageLayers.length === 0;
    if (key === 'recomputeModules') {
      const usual = framework.defaults.recomputeModules ?? [];
      return strategy.recomputeModules.join() === usual.join();
    }
    return this.leftOut.has(`strategy.${key}`);
  }

  /** The values to try for a key: those it is held to, the run file's own, or `usual` where it is open. */
  values<K extends keyof Strategy>(key: K, usual: () => readonly Strategy[K][]): readonly Strategy[K][] {
    const held = this.fix[key];
    if (held !== undefined) return held as readonly Strategy[K][];
    return this.isOpen(key) ? usual() : [this.scenario.strategy[key]];
  }

  /** Whether some candidate copies activations to the host. */
  mayOffloadActivations(): boolean {
    const { activationOffloadLayers } = this.scenario.strategy;
    return this.values('activationOffloadLayers', () => [activationOffloadLayers]).some((layers) => layers > 0);
  }

  /** Whether a value agrees with what the key is held to, for keys whose open values depend on others. */
  allows(key: keyof Strategy, value: KeyValue): boolean {
    const held = this.fix[key];
    if (held !== undefined) return held.includes(value);
    return this.isOpen(key) || this.scenario.strategy[key] === value;
  }
}

/** The batch decides what is learned; another one is another training run. */
function refuseGlobalBatch(fix: Fixed): void {
  if ((fix.globalBatchSize?.length ?? 0) <= 1) return;
  const message = 'the global batch is part of the training, not of the plan; give one value';
  throw new SlipwayError('invalid-run-file', message, { key: 'strategy.globalBatchSize' });
}
