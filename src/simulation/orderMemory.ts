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
  let most = { activationsBytes: 0, workingBytes: 0 };
  let mostInFlight = 0;
  let mostHost = 0;
  for (let i = 0; i < passes.length; i++) {
    const both = [passes[i], ...(passes[i]?.together === true ? [passes[++i]] : [])];
    const changes = both.flatMap((pass) => {
      const chunk = pass === undefined ? undefined : moments[pass.chunk];
      return pass === undefined || chunk === undefined ? [] : [{ memory: passMemory(pass, true, true), chunk }];
    });
    for (const { memory, chunk } of changes) {
      if (!memory.allocates) continue;
      alive += chunk.keptBytes + chunk.headKeptBytes;
      host += chunk.hostBytes;
      inFlight += share;
    }
    const working = changes.reduce((sum, { memory, chunk }) => sum + (memory.backward ? workingBytes(chunk) : 0), 0);
    if (alive + working > most.activationsBytes + most.workingBytes) {
      most = { activationsBytes: alive, workingBytes: working };
    }
    mostInFlight = Math.max(mostInFlight, inFlight);
    mostHost = Math.max(mostHost, host);
    for (const { memory, chunk } of changes) {
      const { kept, head } = freedShares(memory, chunk);
      alive -= kept * chunk.keptBytes + head * chunk.headKeptBytes;
      host -= kept * chunk.hostBytes;
      inFlight -= share * kept;
    }
  }
  return { ...most, inFlightMicroBatches: mostInFlight, hostBytes: mostHost };
}

/** What a pass frees at its end of what its chunk keeps; the head's activations are done with its input gradient. */
export function freedShares(pass: PassMemory, { waitingShare }: StageMoments): { kept: number; head: number } {
  if (pass.frees) return pass.waited ? { kept: waitingShare, head: 0 } : { kept: 1, head: 1 };
  return pass.splits ? { kept: 1 - waitingShare, head: 1 } : { kept: 0, head: 0 };
}
