import { invariant } from '../../errors.js';
import { runGraph, type Timeline } from '../engine/engine.js';
import type { FrozenGraph } from '../engine/taskGraph.js';
import { type PassTask, passGraph } from './passGraph.js';
import { crossesLayers, type LayerRun, type PassPlan, passPlan } from './passPlan.js';
import { profileSeconds } from './steps.js';

/** A pass, task by task. */
export interface SimulatedPass {
  readonly graph: FrozenGraph;
  readonly timeline: Timeline;
  readonly tasks: readonly PassTask[];
}

export function simulatePass(plan: PassPlan, contention: number): SimulatedPass {
  return { ...simulated(plan, contention, true) };
}

function simulated(plan: PassPlan, contention: number, detail: boolean): SimulatedPass {
  const { graph, tasks } = passGraph(plan, detail);
  const frozen = graph.freeze();
  // In pieces or whole, tensor-parallel traffic takes the same links.
  const yields = plan.dataYieldsTo.flatMap((stream) =>
    stream === 'tensor' ? (['tensor', 'pieces'] as const) : [stream],
  );
  const timeline = runGraph(frozen, contention, yields);
  invariant(!('deadlock' in timeline), 'a pass waits for itself');
  return { graph: frozen, timeline, tasks };
}

/** Layers of a kind that are followed one by one; in the middle of more of them, every further one adds the same. */
const fewLayers = 5;
/** Runs of the steady state must agree to this relative difference, as for micro-batches. */
const agreement = 1e-9;

/**
 * Seconds of a pass. Where nothing crosses from layer to layer that is the sum of its parts; else the pass is simulated, and long runs of equal
 * layers are extrapolated from short ones that show the same time for every further layer.
 */
export function passSeconds(plan: PassPlan, contention: number): number {
  if (!crossesLayers(plan)) return profileSeconds(plan.profile, contention);
  const whole = (): number => simulated(plan, contention, false).timeline.makespan;
  if (plan.layersPerBucket > 1 || plan.runs.every(({ count }) => count <= fewLayers + 1)) return whole();
  const short = plan.runs.map(({ count }) => Math.min(count, fewLayers));
  const timeOf = (counts: readonly number[]): number =>
    simulated(withCounts(plan, counts), contention, false).timeline.makespan;
  const base = timeOf(short);
  let seconds = base;
  for (let r = 0; r < plan.runs.length; r++) {
    const more = (plan.runs[r]?.count ?? 0) - fewLayers;
    if (more <= 0) continue;
    const [one, two] = [1, 2].map((extra) => timeOf(short.map((count, i) => (i === r ? count + extra : count))));
    const step = (two ?? 0) - (one ?? 0);
    if (Math.abs(step - ((one ?? 0) - base)) > agreement * base) return whole();
    seconds += more * step;
  }
  return seconds;
}

function withCounts(plan: PassPlan, counts: readonly number[]): PassPlan {
  const runs = plan.runs.map((run, i): LayerRun => ({ ...run, count: counts[i] ?? run.count }));
  return passPlan({ ...plan, runs });
}
