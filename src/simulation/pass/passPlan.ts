import { addProfile, type LayerPass, nothing, type PassProfile, type TrafficStream } from './steps.js';

/** A kernel outside the layers: embedding, final norm, head, loss. */
export interface Kernel {
  readonly name: string;
  readonly seconds: number;
}

/** A pass through one layer, or a share of it: what block recomputation runs again of the mean layer. */
export interface PartOfLayer {
  readonly pass: LayerPass;
  readonly share: number;
  /** Runs for the second time. */
  readonly again: boolean;
}

/** Equal layers one after the other. */
export interface LayerRun {
  readonly kind: 'dense' | 'moe';
  readonly count: number;
  readonly parts: readonly PartOfLayer[];
  /** Weights of a layer that must be gathered before it, gradients that leave after it, copies over the host link beside it. */
  readonly gatherSeconds: number;
  readonly reduceSeconds: number;
  readonly copySeconds: number;
}

/**
 * One pass of a micro-batch through a model chunk, in the order in which it runs, with the traffic that crosses from layer to layer. Weights
 * of a layer are gathered one ahead, beside the layer before (Zhao et al. 2023, section 3.3), its gradients leave beside the layer after;
 * copies over the host link run beside their layer, the one for the next pass beside the last.
 */
export interface PassPlan extends PlanParts {
  /** Kernels and the traffic inside layers; without what crosses from layer to layer. */
  readonly profile: PassProfile;
}

export interface PlanParts {
  readonly before: readonly Kernel[];
  readonly runs: readonly LayerRun[];
  readonly after: readonly Kernel[];
  /** The root unit of fully sharded training: embedding and head. Gathered before the forward pass, it stays until the backward pass. */
  readonly rootGatherSeconds: number;
  readonly rootReduceSeconds: number;
  /** Gathers and reductions run beside compute, or compute waits for them. */
  readonly gathersBeside: boolean;
  readonly reducesBeside: boolean;
  /** Layers whose gradients leave together. */
  readonly layersPerBucket: number;
  /** Traffic inside layers that takes the same links: gathers and reductions stand still for it. */
  readonly dataYieldsTo: readonly TrafficStream[];
}

export function passPlan(parts: PlanParts): PassPlan {
  const { before, runs, after } = parts;
  let profile = nothing;
  for (const run of runs)
    for (const { pass, share } of run.parts) profile = addProfile(profile, pass.profile, run.count * share);
  const freeSeconds = profile.freeSeconds + secondsOf(before) + secondsOf(after);
  return { ...parts, profile: { ...profile, freeSeconds } };
}

export function layerProfile({ parts }: LayerRun): PassProfile {
  const first = parts[0];
  if (parts.length === 1 && first?.share === 1) return first.pass.profile;
  return parts.reduce((sum, { pass, share }) => addProfile(sum, pass.profile, share), nothing);
}

export function secondsOf(kernels: readonly Kernel[]): number {
  return kernels.reduce((sum, { seconds }) => sum + seconds, 0);
}

/** Something crosses from layer to layer, so that the pass is more than the sum of its layers. */
export function crossesLayers({ runs, rootGatherSeconds, rootReduceSeconds }: PassPlan): boolean {
  if (rootGatherSeconds > 0 || rootReduceSeconds > 0) return true;
  return runs.some((run) => run.gatherSeconds > 0 || run.reduceSeconds > 0 || run.copySeconds > 0);
}
