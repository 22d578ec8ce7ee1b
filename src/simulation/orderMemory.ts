import {
  activationTable,
  type FullestMoment,
  type MemoryContext,
  type StageBytes,
  type StageMoments,
  stageBytesAt,
  stageMoments,
  workingBytes,
} from '../memory/stageMemory.js';
import type { Pass, PipelineOrder } from '../parallelism/pipeline/order.js';
import { heldParameters, stageParameters } from './memoryContext.js';
import type { Prepared } from './prepare.js';
import { type PassMemory, passMemory } from './stepTasks.js';

/**
 * Bytes of every rank at its peak when it runs the passes of an order. A rank runs them one after the other, so its memory depends on
 * their order alone, and this is what the simulated timeline shows.
 */
export function orderMemory(p: Prepared, context: MemoryContext, order: PipelineOrder): readonly StageBytes[] {
  const table = activationTable(context);
  const moments = p.chunks.map((chunk) => stageMoments(context, table, chunk, heldParameters(p, context, chunk)));
  return p.stages.map((stage) => {
    const held = stageParameters(p, context, stage);
    const whole = stageMoments(context, table, stage, held);
    const share = 1 / Math.max(1, p.chunks.filter((chunk) => chunk.stage === stage.stage).length);
    return stageBytesAt(context, stage, held, whole, walk(order.ranks[stage.stage] ?? [], moments, share));
  });
}

function walk(passes: readonly Pass[], moments: readonly StageMoments[], share: number): FullestMoment {
  let alive = 0;
  let host = 0;
  let inFlight = 0;
  let most = 0;
  let mostAlive = 0;
  let mostWorking = 0;
  let mostInFlight = 0;
  let mostHost = 0;
  const working = moments.map(workingBytes);
  for (let i = 0, end = 0; i < passes.length; i = end) {
    end = i + (passes[i]?.together === true ? 2 : 1);
    let beside = 0;
    for (let j = i; j < end; j++) {
      const pass = passes[j];
      const chunk = pass === undefined ? undefined : moments[pass.chunk];
      if (pass === undefined || chunk === undefined) continue;
      if (pass.kind === 'forward') {
        alive += chunk.keptBytes + chunk.headKeptBytes;
        host += chunk.hostBytes;
        inFlight += share;
      } else if (pass.kind !== 'weightGradient') beside += working[pass.chunk] ?? 0;
    }
    if (alive + beside > most) {
      most = alive + beside;
      mostAlive = alive;
      mostWorking = beside;
    }
    mostInFlight = Math.max(mostInFlight, inFlight);
    mostHost = Math.max(mostHost, host);
    for (let j = i; j < end; j++) {
      const pass = passes[j];
      const chunk = pass === undefined ? undefined : moments[pass.chunk];
      if (pass === undefined || chunk === undefined || pass.kind === 'forward') continue;
      const { kept, head } = freedShares(passMemory(pass, true, true), chunk);
      alive -= kept * chunk.keptBytes + head * chunk.headKeptBytes;
      host -= kept * chunk.hostBytes;
      inFlight -= share * kept;
    }
  }
  return {
    activationsBytes: mostAlive,
    workingBytes: mostWorking,
    inFlightMicroBatches: mostInFlight,
    hostBytes: mostHost,
  };
}

/** What a pass frees at its end of what its chunk keeps; the head's activations are done with its input gradient. */
export function freedShares(pass: PassMemory, { waitingShare }: StageMoments): { kept: number; head: number } {
  if (pass.frees) return pass.waited ? { kept: waitingShare, head: 0 } : { kept: 1, head: 1 };
  return pass.splits ? { kept: 1 - waitingShare, head: 1 } : { kept: 0, head: 0 };
}
