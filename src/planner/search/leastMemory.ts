import { activationTable, type HeldParameters, type MemoryContext, stageMoments } from '../../memory/stageMemory.js';
import { stateBytes } from '../../memory/states.js';
import { memoryTotals } from '../../memory/totals.js';
import { layerCounts } from '../../model/layerKinds.js';
import { layerGraph } from '../../model/operators.js';
import type { RankParameters } from '../../parallelism/data.js';
import { degreesOf } from '../../parallelism/degrees.js';
import { oneForwardOneBackward } from '../../parallelism/pipeline/oneForwardOneBackward.js';
import { endRankParameters, layerRankParameters } from '../../parallelism/rankParameters.js';
import { recomputeChoice } from '../../parallelism/rankShare.js';
import type { Strategy } from '../../parallelism/strategy.js';
import type { Prepared } from '../../simulation/prepare.js';
import type { LayerGroup } from './layerChoices.js';
import { emptyStages } from './pipelineChoices.js';
import type { Space } from './space.js';
import type { StateSetting } from './stateChoices.js';

/** Activations of one sequence in a layer: what stays, and what is alive while it runs backward. */
interface Kept {
  readonly dense: number;
  readonly moe: number;
  readonly working: number;
}

/** What does not depend on pipeline and expert parallelism. */
export interface Activations {
  readonly kept: readonly Kept[];
  readonly lossBytes: number;
}

/** Bytes of states: a layer of each kind, the embedding, and the head with the final norm. */
interface States {
  readonly dense: number;
  readonly moe: number;
  readonly embedding: number;
  readonly head: number;
}

/**
 * Memory that no pipeline of p stages can do without on its fullest stage, for a layer group and any schedule, split of the layers,
 * recomputation, sharding and offload of the space.
 *
 * Stage i holds the states of its layers and, no schedule with fewer, min(m, p - i) micro-batches of their activations. The fullest stage needs at least
 * any weighted mean over the stages; with weights that fall as the need of a layer on a stage grows, every layer adds about the same
 * wherever it is: sum over layers of min over i of weight_i (states + inFlight_i x kept). Activations are proportional to the micro-batch.
 */
export class LeastMemory {
  private readonly base: Prepared;
  private readonly kept: readonly Kept[];
  private readonly lossBytes: number;
  private readonly counts: { readonly dense: number; readonly moe: number };
  private readonly layers: { readonly dense: RankParameters; readonly moe: RankParameters };
  private readonly states = new Map<number, readonly States[]>();

  constructor(
    private readonly space: Space,
    private readonly group: LayerGroup,
  ) {
    const { contextMethod } = space.keys.scenario.strategy;
    this.base = space.bases.prepared({ ...group.choice, contextMethod, microBatchSize: 1 });
    const { model, degrees } = this.base;
    const extra = model.multiTokenPredictionLayers;
    const { dense, moe } = layerCounts(model);
    this.counts = moe > 0 ? { dense, moe: moe + extra } : { dense: dense + extra, moe };
    const denseLayer = layerRankParameters(model, 'dense', degrees);
    this.layers = {
      dense: denseLayer,
      moe: model.moe === null ? denseLayer : layerRankParameters(model, 'moe', degrees),
    };
    const { kept, lossBytes } = space.activationsOf(group, () => this.activations());
    this.kept = kept;
    this.lossBytes = lossBytes;
  }

  /** Two bounds, of which the smaller counts: recomputing everything, and the least of everything else. */
  private activations(): Activations {
    const settings = this.space.recomputesOf(1);
    const kept: Kept[] = [];
    if (settings.some(({ recompute }) => recompute === 'full'))
      kept.push(this.keptUnder({ recompute: 'full', recomputeModules: [] }));
    const others = settings.filter(({ recompute }) => recompute !== 'full');
    if (others.length > 0) {
      // Keeps no more than each of them, and works on no more than no recomputation does.
      const recomputeModules = [...new Set(others.flatMap((setting) => setting.recomputeModules))];
      const selective = others.some(({ recompute }) => recompute === 'selective');
      const none = this.keptUnder({ recompute: 'none', recomputeModules: [] });
      const least = selective ? this.keptUnder({ recompute: 'selective', recomputeModules }) : none;
      kept.push({ dense: least.dense, moe: least.moe, working: none.working });
    }
    return { kept, lossBytes: this.lossOf() };
  }

  /** Whether some candidate of the group in a pipeline of p stages may fit. */
  mayFit(pipelineParallel: number, microBatchSize: number, microBatches: number): boolean {
    if (this.space.keys.mayOffloadActivations()) return true;
    const { contextBytes, communicatorBytes, fragmentation } = this.base.framework.memory;
    const capacity = this.base.accelerator.usableMemoryBytes * (1 + rounding);
    const room = (capacity - contextBytes - communicatorBytes) / (1 + fragmentation);
    return this.statesOf(pipelineParallel).some((states) =>
      this.kept.some((kept) => this.fullest(states, kept, pipelineParallel, microBatchSize, microBatches) <= room),
    );
  }

  /** A bound of the bytes that the fullest accelerator must have, context and communicators included. */
  leastDeviceBytes(pipelineParallel: number, microBatchSize: number, microBatches: number): number {
    const bytes = this.space.keys.mayOffloadActivations()
      ? 0
      : this.leastBytes(pipelineParallel, microBatchSize, microBatches);
    return memoryTotals(this.base.framework, bytes, 0).deviceBytes * (1 - rounding);
  }

  /** A bound of the bytes that the framework allocates on the fullest stage. */
  leastBytes(pipelineParallel: number, microBatchSize: number, microBatches: number): number {
    let least = Number.POSITIVE_INFINITY;
    for (const states of this.statesOf(pipelineParallel)) {
      for (const kept of this.kept) {
        least = Math.min(least, this.fullest(states, kept, pipelineParallel, microBatchSize, microBatches));
      }
    }
    return least;
  }

  private fullest(states: States, kept: Kept, stages: number, microBatchSize: number, microBatches: number): number {
    const usual = this.counts.moe > 0 ? 'moe' : 'dense';
    const [usualStates, usualKept] = [states[usual], kept[usual]];
    const need = (stage: number): number =>
      usualStates + Math.min(microBatches, stages - stage) * microBatchSize * usualKept;
    let sum = 0;
    for (let stage = 0; stage < stages; stage++)
      sum += 1 / (usualStates + Math.min(microBatches, stages - stage) * microBatchSize * usualKept);
    const weight = (stage: number): number => 1 / (need(stage) * sum);
    let other = Number.POSITIVE_INFINITY;
    if (this.counts.moe > 0 && this.counts.dense > 0) {
      const { dense: denseStates } = states;
      const { dense: denseKept } = kept;
      for (let stage = 0; stage < stages; stage++) {
        const alive = Math.min(microBatches, stages - stage) * microBatchSize;
        other = Math.min(other, (denseStates + alive * denseKept) / ((usualStates + alive * usualKept) * sum));
      }
    } else other = 0;
    const layers = this.counts[usual] / sum + (usual === 'moe' ? this.counts.dense * other : 0);
    const working = microBatchSize * kept.working;
    const loss = Math.max(0, microBatchSize * this.lossBytes - working);
    // A stage without layers has no working set.
    const empty = emptyStages(this.space.keys, stages);
    const share = { none: 1, ends: Math.max(0, 1 - weight(0) - weight(stages - 1)), anywhere: 0 }[empty];
    return layers + weight(0) * states.embedding + weight(stages - 1) * (states.head + loss) + share * working;
  }

  private keptUnder(setting: Pick<Strategy, 'recompute' | 'recomputeModules'>): Kept {
    const context = this.context({ ...this.base.strategy, ...setting, recomputeLayers: 0 });
    const table = activationTable(context);
    const one = (denseLayers: number, moeLayers: number) => {
      const stage = { stage: 0, denseLayers, moeLayers, hasEmbedding: false, hasHead: false };
      return stageMoments(context, table, stage, none);
    };
    const dense = one(1, 0);
    const moe = this.base.model.moe === null ? dense : one(0, 1);
    const working = Math.min(dense.layerBytes, moe.layerBytes);
    return { dense: dense.keptBytes, moe: moe.keptBytes, working };
  }

  private lossOf(): number {
    const context = this.context(this.base.strategy);
    const stage = { stage: 0, denseLayers: 0, moeLayers: 0, hasEmbedding: false, hasHead: true };
    const { headKeptBytes, lossBytes } = stageMoments(context, activationTable(context), stage, none);
    return headKeptBytes + lossBytes;
  }

  private context(strategy: Strategy): MemoryContext {
    const { model, framework, degrees, share, execution, paddedVocabulary } = this.base;
    const denseGraph = layerGraph(model, execution, 'dense');
    return {
      ...{ model, strategy, framework, degrees, share, execution, paddedVocabulary },
      schedule: oneForwardOneBackward,
      recompute: recomputeChoice(strategy),
      denseGraph,
      moeGraph: model.moe === null ? denseGraph : layerGraph(model, execution, 'moe'),
      denseLayer: this.layers.dense,
      moeLayer: this.layers.moe,
    };
  }

  /** By sharding and offload. */
  private statesOf(pipelineParallel: number): readonly States[] {
    let found = this.states.get(pipelineParallel);
    if (found === undefined) {
      found = this.space
        .statesOf(this.group.choice, pipelineParallel)
        .map((state) => this.statesUnder(state, pipelineParallel));
      this.states.set(pipelineParallel, found);
    }
    return found;
  }

  private statesUnder(setting: StateSetting, pipelineParallel: number): States {
    const { scenario, model, framework, paddedVocabulary } = this.base;
    const strategy = { ...this.base.strategy, ...setting, pipelineParallel };
    const degrees = degreesOf({ ...scenario, strategy });
    const bytes = (parameters: RankParameters, matrices: number): number => {
      const { weights, gradients, optimizer } = stateBytes(parameters, matrices, degrees, strategy, framework);
      return weights + gradients + optimizer;
    };
    const { dense, moe } = this.layers;
    const whole = { stage: 0, denseLayers: 0, moeLayers: 0, hasEmbedding: true, hasHead: true };
    const ends = endRankParameters(model, whole, degrees, paddedVocabulary);
    return {
      dense: bytes(dense, dense.dense),
      moe: bytes(moe, moe.dense + moe.expert),
      embedding: bytes({ dense: ends.embedding, expert: 0 }, 0),
      head: bytes({ dense: ends.head, expert: 0 }, 0),
    };
  }
}

/** Sums here and in the evaluators differ in their last digits. */
const rounding = 1e-9;
const none: HeldParameters = { parameters: { dense: 0, expert: 0 }, embedding: 0, head: 0 };
