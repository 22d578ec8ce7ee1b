import type { PipelineSchedule } from '../strategy.js';
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

export function scheduleOf(name: PipelineSchedule): Schedule {
  return schedules[name];
}
