import type { Pass, PassKind, PassLengths, PipelineOrder } from '../../src/parallelism/pipeline/order.js';
import { scheduleOf } from '../../src/parallelism/pipeline/schedules.js';
import type { PipelineSchedule } from '../../src/parallelism/strategy.js';
import type { TimedStep } from '../../src/simulation/criticalPath.js';
import { runGraph } from '../../src/simulation/engine/engine.js';
import { streamIndex, TaskGraph } from '../../src/simulation/engine/taskGraph.js';
import type { TaskInfo } from '../../src/simulation/stepTasks.js';

export const equal: PassLengths = { forward: 1, inputGradient: 1, weightGradient: 1 };

export interface UnitStep extends TimedStep {
  readonly order: PipelineOrder;
}

/** A pipeline under the assumptions of the papers: every chunk takes the same time, messages take none, nothing else runs. */
export function unitStep(order: PipelineOrder, lengths: PassLengths = equal, staggered = false): UnitStep {
  const graph = new TaskGraph(order.ranks.length);
  const tasks: TaskInfo[] = [];
  const done = new Map<string, number>();
  const waiting: (readonly [task: number, key: string])[] = [];
  order.ranks.forEach((passes, rank) => {
    for (let i = 0; i < passes.length; i++) {
      const pass = passes[i];
      if (pass === undefined) continue;
      const beside = pass.together === true ? passes[++i] : undefined;
      const both = beside === undefined ? [pass] : [pass, beside];
      const seconds = both.reduce((sum, one) => sum + secondsOf(one.kind, lengths), 0);
      const task = graph.add(streamIndex(rank, 'compute'), seconds, tasks.length);
      tasks.push(infoOf(pass, rank, seconds, both.length > 1));
      for (const one of both) {
        if (one.kind !== 'weightGradient') done.set(keyOf(one.kind, one), task);
        for (const key of needsOf(one, order.chunks)) waiting.push([task, key]);
      }
    }
  });
  for (const [task, key] of waiting) {
    const earlier = done.get(key);
    if (earlier === undefined) throw new Error(`nothing does ${key}`);
    if (earlier !== task) graph.after(task, earlier);
  }
  const frozen = graph.freeze();
  const timeline = runGraph(frozen, 1);
  if ('deadlock' in timeline) throw new Error(`deadlock at ${timeline.stuck.join()}`);
  const makespanSeconds = timeline.makespan;
  const step = { graph: frozen, timeline, tasks, makespanSeconds, stepSeconds: makespanSeconds };
  return { ...step, schedule: { staggered }, order };
}

/** The step of one of the schedules. */
export function unitSchedule(
  name: PipelineSchedule,
  stages: number,
  microBatches: number,
  chunks = 1,
  lengths: PassLengths = equal,
): UnitStep {
  const schedule = scheduleOf(name);
  return unitStep(schedule.order({ stages, microBatches, chunks, lengths }), lengths, schedule.staggered);
}

export function secondsOf(kind: PassKind, { forward, inputGradient, weightGradient }: PassLengths): number {
  const seconds = { forward, inputGradient, weightGradient, backward: inputGradient + weightGradient };
  return seconds[kind];
}

function infoOf({ kind, microBatch, chunk }: Pass, rank: number, seconds: number, together: boolean): TaskInfo {
  return {
    kind: together ? 'together' : kind,
    rank,
    microBatch,
    chunk,
    parts: { compute: seconds, recompute: 0, tensor: 0, context: 0, expert: 0, data: 0, offload: 0, host: 0 },
    passes: [],
  };
}

function keyOf(kind: PassKind, { microBatch, chunk }: Pick<Pass, 'microBatch' | 'chunk'>): string {
  return `${kind === 'forward' ? 'F' : 'B'}${microBatch} of chunk ${chunk}`;
}

function needsOf(pass: Pass, chunks: number): string[] {
  const { kind, microBatch, chunk } = pass;
  if (kind === 'forward') return chunk > 0 ? [keyOf('forward', { microBatch, chunk: chunk - 1 })] : [];
  if (kind === 'weightGradient') return [keyOf('backward', pass)];
  const own = keyOf('forward', pass);
  return chunk < chunks - 1 ? [own, keyOf('backward', { microBatch, chunk: chunk + 1 })] : [own];
}
