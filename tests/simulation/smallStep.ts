import { resolveScenario } from '../../src/scenario/resolveScenario.js';
import { type SimulatedStep, simulateStep } from '../../src/simulation/simulate.js';

/** One simulated step of a small model on 64 H100s. */
export function smallStep(strategy: object, name = 'small', numLayers = 32): SimulatedStep {
  return simulateStep(
    resolveScenario({
      model: {
        name,
        numLayers,
        hiddenSize: 4096,
        numAttentionHeads: 32,
        intermediateSize: 16384,
        vocabSize: 32000,
      },
      cluster: 'dgx-h100',
      accelerators: 64,
      sequenceLength: 4096,
      strategy: { globalBatchSize: 128, ...strategy },
    }),
  );
}
