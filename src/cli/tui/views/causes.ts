import type { Estimate } from '../../../index.js';
import { stepCauses } from '../../../report/causes.js';
import type { Look } from '../screen/row.js';
import type { Part } from './draw.js';

type Breakdown = Estimate['step']['breakdown'];

/** A colour and a letter for every cause. */
const looks: Readonly<Record<keyof Breakdown, readonly [look: Look, letter: string]>> = {
  computeSeconds: [{ colour: 'green' }, 'C'],
  recomputeSeconds: [{ colour: 'yellow' }, 'R'],
  tensorParallelSeconds: [{ colour: 'cyan' }, 'T'],
  contextParallelSeconds: [{ colour: 'blue' }, 'X'],
  expertParallelSeconds: [{ colour: 'magenta' }, 'E'],
  pipelineSendSeconds: [{ colour: 'white' }, 'S'],
  pipelineBubbleSeconds: [{ colour: 'red' }, 'B'],
  dataParallelSeconds: [{ colour: 'blue', bold: true }, 'D'],
  optimizerSeconds: [{ colour: 'magenta', bold: true }, 'O'],
  offloadSeconds: [{ colour: 'yellow', bold: true }, 'H'],
  otherSeconds: [{ colour: 'grey' }, '-'],
};

/** What a second of a step goes to, in the order of the report; causes that take no time are left out. */
export function stepParts(breakdown: Breakdown): readonly Part[] {
  return stepCauses
    .map(({ key, name }): Part => {
      const [look, letter] = looks[key];
      return { name, value: breakdown[key], look, letter };
    })
    .filter(({ value }) => value > 0);
}
