import type { Estimate } from '../estimateResult.js';
import type { NearestMiss, RejectedByReason } from './request.js';

/** The answer of `slipway plan`, and its JSON document. Keys may be added; those here stay. */
export interface PlanDocument {
  readonly schemaVersion: 1;
  readonly objective: string;
  /** Legal candidates that the answer speaks for. */
  readonly searched: number;
  /** Of those, worked out in closed form, and simulated. */
  readonly evaluated: number;
  readonly simulated: number;
  readonly feasible: number;
  /** Wall-clock time of the search. */
  readonly seconds: number;
  /** False where the search was stopped before it could prove that nothing better is left. */
  readonly complete: boolean;
  /** Best first. */
  readonly plans: readonly Estimate[];
  /** Positions in `plans` that no other plan beats on all axes. */
  readonly pareto: readonly number[];
  readonly paretoAxes: readonly string[];
  readonly rejectedByReason: RejectedByReason;
  readonly nearestMiss: NearestMiss | null;
  /** Where nothing fits: changes that make it fit, the cheapest first. */
  readonly remedies: readonly { readonly change: string; readonly plan: Estimate }[];
  readonly whyNot: readonly WhyNotDocument[];
}

export interface WhyNotDocument {
  /** As the user wrote it. */
  readonly asked: string;
  /** The best plan with it, or null. */
  readonly plan: Estimate | null;
  readonly reason: string | null;
  readonly nearest: Estimate | null;
  /** Keys that the nearest plan gave up. */
  readonly given: readonly string[];
}
