import type { PipelineSchedule, Strategy } from '../strategy.js';
import { dualPipe } from './dualPipe.js';
import { gpipe } from './gpipe.js';
import { breadthFirst, interleaved } from './interleaved.js';
import { oneForwardOneBackward } from './oneForwardOneBackward.js';
import type { Schedule } from './schedule.js';
import { zeroBubbleH1, zeroBubbleH2, zeroBubbleV } from './zeroBubble.js';

const schedules: Readonly<Record<PipelineSchedule, Schedule>> = {
  gpipe,
  '1f1b': oneForwardOneBackward,
  'interleaved-1f1b': interleaved,
  'breadth-first': breadthFirst,
  'zb-h1': zeroBubbleH1,
  'zb-h2': zeroBubbleH2,
  'zb-v': zeroBubbleV,
  dualpipe: dualPipe,
};

/** The schedule that a strategy runs: without a pipeline, or with one chunk to interleave, that is plain 1F1B. */
export function scheduleFor({ pipelineParallel, pipelineSchedule, virtualStages }: Strategy): Schedule {
  const interleaves = pipelineSchedule === 'interleaved-1f1b' && virtualStages === 1;
  return scheduleOf(pipelineParallel === 1 || interleaves ? '1f1b' : pipelineSchedule);
}

export function scheduleOf(name: PipelineSchedule): Schedule {
  return schedules[name];
}
