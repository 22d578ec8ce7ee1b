import { SlipwayError } from '../../errors.js';
import { type Axis, keyOf, lengthOf } from './axis.js';
import { canonical, digest, type SweepDefinition } from './definition.js';

/** Beyond this nobody can read the answer, and a slip of the keyboard would fill the disk. */
const MOST_POINTS = 100_000_000;

/** The points of a sweep: all combinations of the axes' values, the last axis varying fastest. */
export interface Grid {
  readonly axes: readonly Axis[];
  readonly points: number;
  /** Which value each axis takes at a point. */
  digits(index: number): number[];
  /** A hash of the question that the point asks; the same in every sweep of one run file that holds the point. */
  id(index: number): string;
}

/** Throws where two axes are about the same key, or the grid is too large. */
export function makeGrid({ axes, ...definition }: SweepDefinition): Grid {
  const points = axes.reduce((product, axis) => product * lengthOf(axis), 1);
  if (points > MOST_POINTS) {
    const message = `${axes.map(lengthOf).join(' x ')} = ${points.toLocaleString('en')} points; at most ${MOST_POINTS.toLocaleString('en')}`;
    throw new SlipwayError('invalid-run-file', message, { key: '--vary' });
  }
  const keys = axes.map(keyOf);
  const twice = keys.find((key, index) => keys.indexOf(key) !== index);
  if (twice !== undefined) throw new SlipwayError('invalid-run-file', `${twice} is varied twice`, { key: '--vary' });
  const lengths = axes.map(lengthOf);
  const { figures: _figures, baseDirectory: _folder, ...question } = definition;
  const base = digest(canonical(question));
  const names = axes.map((axis) => axis.change.kind + keyOf(axis));
  // Sorted by key, so that the order of the flags does not change a point.
  const order = names.map((_, axis) => axis).sort((a, b) => ((keys[a] ?? '') < (keys[b] ?? '') ? -1 : 1));
  const texts = axes.map(({ change }) => (change.kind === 'formula' ? [change.text] : change.values.map(canonical)));
  const digits = (index: number): number[] => {
    const found = new Array<number>(lengths.length).fill(0);
    let rest = index;
    for (let axis = lengths.length - 1; axis >= 0; axis--) {
      const length = lengths[axis] ?? 1;
      found[axis] = rest % length;
      rest = Math.floor(rest / length);
    }
    return found;
  };
  return {
    axes,
    points,
    digits,
    id(index) {
      const at = digits(index);
      let text = base;
      for (const axis of order) text += `\n${names[axis]}=${texts[axis]?.[at[axis] ?? 0]}`;
      return digest(text);
    },
  };
}
