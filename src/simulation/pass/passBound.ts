import { type LayerRun, layerProfile, type PassPlan, secondsOf } from './passPlan.js';
import { nothing, type PassProfile, type TrafficStream } from './steps.js';

/** What traffic from layer to layer adds to a pass: gathers and reductions, and copies over the host link. */
export interface CrossingSeconds {
  readonly dataSeconds: number;
  readonly copySeconds: number;
}

/** No simulation of the pass takes less; equal for uniform layers that hide their traffic, or wait for nothing else. */
export function crossingBound(plan: PassPlan, contention: number): CrossingSeconds {
  const { profile } = plan;
  const data = plan.runs.some((run) => run.reduceSeconds > 0)
    ? reducing(plan, profile, contention)
    : gathering(plan, contention);
  const copies = total(plan.runs, (run) => run.copySeconds);
  const copy = exposedIn(profile, copies, copies, contention, []);
  // Both hide behind the same kernels: together they take as long as the longer one at least.
  return data >= copy ? { dataSeconds: data, copySeconds: 0 } : { dataSeconds: data, copySeconds: copy - data };
}

/**
 * What `seconds` of traffic add to kernels of which they may run beside at most `hideable` seconds: first where the kernels wait or are
 * slowed anyway, by traffic over other links, which adds nothing, then where traffic slows them and itself by the contention.
 */
function exposedIn(
  profile: PassProfile,
  seconds: number,
  hideable: number,
  contention: number,
  yieldsTo: readonly TrafficStream[],
): number {
  const shares = (stream: TrafficStream): boolean => yieldsTo.includes(stream);
  let room = shares('tensor') ? 0 : profile.tensorIdleSeconds + profile.tensorSlowedSeconds;
  if (!shares('context')) room += profile.contextIdleSeconds + profile.contextSlowedSeconds;
  if (!shares('expert')) room += profile.expertIdleSeconds + profile.expertSlowedSeconds;
  const unslowed = Math.min(hideable, room);
  const kernels = profile.freeSeconds - (shares('tensor') ? profile.tensorBesideSeconds : 0);
  const slowed = Math.min(hideable - unslowed, kernels);
  return seconds - unslowed - slowed * Math.max(0, 2 - contention);
}

/** One layer after the other, each beside the gather of the next: nothing hides the first but the kernels before it. */
function gathering(plan: PassPlan, contention: number): number {
  const { runs, before, rootGatherSeconds, gathersBeside, dataYieldsTo } = plan;
  if (!gathersBeside) return rootGatherSeconds + total(runs, (run) => run.gatherSeconds);
  let seconds = rootGatherSeconds;
  let beside: PassProfile = { ...nothing, freeSeconds: secondsOf(before) };
  for (const run of runs) {
    const { gatherSeconds: gather } = run;
    seconds += exposedIn(beside, gather, gather, contention, dataYieldsTo);
    beside = layerProfile(run);
    if (run.count > 1) seconds += (run.count - 1) * exposedIn(beside, gather, gather, contention, dataYieldsTo);
  }
  return seconds;
}

/** The first gather hides behind the kernels before the layers only, the last reduction behind those after them. */
function reducing(plan: PassPlan, profile: PassProfile, contention: number): number {
  const { runs, before, after, rootReduceSeconds, gathersBeside, reducesBeside } = plan;
  const gathers = total(runs, (run) => run.gatherSeconds);
  const reductions = total(runs, (run) => run.reduceSeconds);
  const first = Math.max(0, (runs[0]?.gatherSeconds ?? 0) - secondsOf(before));
  const last = lastBucket(plan, runs) - (plan.layersPerBucket > 1 ? 0 : secondsOf(after));
  const hideable =
    (gathersBeside ? gathers - first : 0) + (reducesBeside ? reductions - Math.min(reductions, Math.max(0, last)) : 0);
  const all = plan.rootGatherSeconds + gathers + reductions + rootReduceSeconds;
  return exposedIn(profile, all, hideable, contention, plan.dataYieldsTo);
}

/** Gradients that leave when all layers are done. */
export function lastBucket({ layersPerBucket }: PassPlan, runs: readonly LayerRun[]): number {
  const layers = runs.reduce((sum, { count }) => sum + count, 0);
  let left = layers - Math.floor((layers - 1) / layersPerBucket) * layersPerBucket;
  let seconds = 0;
  for (const { count, reduceSeconds } of [...runs].reverse()) {
    const of = Math.min(left, count);
    seconds += of * reduceSeconds;
    left -= of;
  }
  return seconds;
}

function total(runs: readonly LayerRun[], of: (run: LayerRun) => number): number {
  return runs.reduce((sum, run) => sum + run.count * of(run), 0);
}
