import type { Estimate } from '../../../index.js';
import type { Look } from '../screen/row.js';
import type { Part } from './draw.js';

type Breakdown = Estimate['step']['breakdown'];

/** What a second of a step goes to, in the order of the report, with a colour and a letter each. */
const causes: readonly (readonly [key: keyof Breakdown, name: string, look: Look, letter: string])[] = [
  ['computeSeconds', 'compute', { colour: 'green' }, 'C'],
  ['recomputeSeconds', 'recompute', { colour: 'yellow' }, 'R'],
  ['tensorParallelSeconds', 'tensor parallel', { colour: 'cyan' }, 'T'],
  ['contextParallelSeconds', 'context parallel', { colour: 'blue' }, 'X'],
  ['expertParallelSeconds', 'expert parallel', { colour: 'magenta' }, 'E'],
  ['pipelineSendSeconds', 'pipeline send', { colour: 'white' }, 'S'],
  ['pipelineBubbleSeconds', 'pipeline bubble', { colour: 'red' }, 'B'],
  ['dataParallelSeconds', 'data parallel', { colour: 'blue', bold: true }, 'D'],
  ['optimizerSeconds', 'optimizer', { colour: 'magenta', bold: true }, 'O'],
  ['offloadSeconds', 'offload', { colour: 'yellow', bold: true }, 'H'],
  ['otherSeconds', 'other', { colour: 'grey' }, '-'],
];

/** The parts of a step, those that take no time left out. */
export function stepParts(breakdown: Breakdown): readonly Part[] {
  return causes
    .map(([key, name, look, letter]) => ({ name, value: breakdown[key], look, letter }))
    .filter(({ value }) => value > 0);
}

/** All causes of two steps side by side: `[name, seconds of the first, seconds of the second]`. */
export function causePairs(a: Breakdown, b: Breakdown): readonly (readonly [string, number, number])[] {
  return causes
    .map(([key, name]) => [name, a[key], b[key]] as const)
    .filter(([, first, second]) => first > 0 || second > 0);
}
