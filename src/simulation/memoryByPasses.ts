import { activationTable } from '../memory/stageMemory.js';
import { scheduleFor } from '../parallelism/pipeline/schedules.js';
import { chunkCosts } from './chunkCost.js';
import { type MemoryAnswer, memoryAnswer } from './closedForm.js';
import { memoryContext } from './memoryContext.js';
import { orderMemory } from './orderMemory.js';
import type { Prepared } from './prepare.js';
import { scheduleOrder } from './simulate.js';
import type { LayerTable } from './stageCost.js';
import { orderRepeats } from './steadyState.js';

/** Schedules whose number of micro-batches in flight is exact in closed form, for stages of any size. */
const exactInClosedForm: ReadonlySet<string> = new Set(['1f1b', 'gpipe']);

/**
 * The memory of a step by the passes of its schedule. Once the pipeline is full the order repeats, and so does what is alive, so some
 * rounds stand for all.
 */
export function memoryByPasses(p: Prepared, layers: LayerTable): Partial<MemoryAnswer> {
  if (exactInClosedForm.has(p.strategy.pipelineSchedule)) return {};
  const schedule = scheduleFor(p.strategy);
  const context = memoryContext(p, layers, schedule);
  const microBatches = roundsOf(p, schedule.forwardFirst);
  const share = activationTable(context).weightShare;
  const order = scheduleOrder(p, schedule, chunkCosts(p, layers), microBatches, share);
  return memoryAnswer(p, orderMemory(p, context, order));
}

/** Enough micro-batches to fill the pipeline and go once through all chunks with each rank; all where they do not come in groups. */
function roundsOf({ strategy, degrees }: Prepared, forwardFirst: boolean): number {
  const { microBatches, pipelineParallel } = degrees;
  if (forwardFirst || !orderRepeats(strategy) || microBatches % pipelineParallel !== 0) return microBatches;
  return Math.min(microBatches, 4 * pipelineParallel);
}
