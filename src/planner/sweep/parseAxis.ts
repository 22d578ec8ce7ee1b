import { SlipwayError } from '../../errors.js';
import { parseValue } from '../../scenario/setPath.js';
import type { Axis, AxisChange } from './axis.js';
import { pathOfKey } from './axisKey.js';
import { formulaNames } from './formulaNames.js';

/** More values than this on one axis are a typing mistake, not a question. */
const MOST_VALUES = 1_000_000;

/** Reads `accelerators=1024..16384*2`, `tensorParallel=4,8`, `cluster.accelerator.memoryBytesPerSecond*=1,1.5,2`. */
export function parseAxis(text: string, where = '--vary'): Axis {
  const [, name = '', operation = '', right = ''] = /^\s*([\w.-]+?)\s*([*+]?=)\s*(.*?)\s*$/s.exec(text) ?? [];
  if (name === '' || right === '') {
    const message = `'${shown(text)}' is not key=values, such as accelerators=1024..16384*2 or tensorParallel=4,8`;
    throw new SlipwayError('invalid-run-file', message, { key: where });
  }
  const path = pathOfKey(name, where);
  const change =
    !isName(path) && operation === '=' && isFormula(right) ? formula(right) : changeOf(operation, right, where);
  return { name, path, change };
}

function changeOf(operation: string, right: string, where: string): AxisChange {
  const values = split(right, where).flatMap((part) => valuesOf(part, where));
  if (values.length > MOST_VALUES) throw tooMany(right, where);
  const repeated = values.find((value, index) => values.indexOf(value) !== index && values.length < 10_000);
  if (repeated !== undefined) {
    throw new SlipwayError('invalid-run-file', `'${shown(right)}' names ${String(repeated)} twice`, { key: where });
  }
  if (operation === '=') return { kind: 'list', values };
  const numbers = values.filter((value): value is number => typeof value === 'number');
  if (numbers.length < values.length) {
    const message = `'${shown(right)}': ${operation} takes plain numbers, such as 0.5,1,2`;
    throw new SlipwayError('invalid-run-file', message, { key: where });
  }
  return { kind: operation === '*=' ? 'times' : 'plus', values: numbers };
}

/** A key that takes the name of something, or a path. */
function isName([first = '', ...rest]: readonly string[]): boolean {
  return rest.length === 0 && ['model', 'cluster', 'framework', 'frameworkVersion', 'task'].includes(first);
}

/** Anything with the name of a number in it: `accelerators / 8`, but not `2 * 400 Gbit/s`. */
function isFormula(text: string): boolean {
  const words: readonly string[] = text.match(/[A-Za-z_]\w*/g) ?? [];
  return !/^[[{]/.test(text) && words.some((word) => formulaNames.includes(word));
}

function formula(text: string): AxisChange {
  return { kind: 'formula', text };
}

/** At commas outside brackets, braces and quotes. */
function split(text: string, where: string): readonly string[] {
  const parts: string[] = [];
  let depth = 0;
  let part = '';
  for (const letter of text) {
    if ('[{'.includes(letter)) depth += 1;
    if (']}'.includes(letter)) depth -= 1;
    if (letter === ',' && depth === 0) {
      parts.push(part.trim());
      part = '';
    } else part += letter;
  }
  parts.push(part.trim());
  if (!parts.includes('')) return parts;
  throw new SlipwayError('invalid-run-file', `'${shown(text)}' has an empty value`, { key: where });
}

const number = String.raw`[+-]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?`;
const rangePattern = new RegExp(
  `^(${number})\\s*([^\\d\\s.*+-][^.*+]*)?\\.\\.\\s*(${number})\\s*([^\\d\\s*+-][^*+]*)?(?:([*+])\\s*(${number})\\s*(\\S.*)?)?$`,
);

function valuesOf(part: string, where: string): readonly unknown[] {
  // A path may have two dots as well.
  if (!part.includes('..') || /\.\.[\\/]|^[./\\[{]/.test(part)) return [parseValue(part)];
  const match = rangePattern.exec(part);
  if (!match) {
    throw bad(part, 'is not a range; write a..b, a..b+step or a..b*factor', where);
  }
  const [, first = '', firstUnit = '', last = '', lastUnit = '', sign = '+', step = '1', stepUnit = ''] = match;
  const unit = firstUnit.trim() || lastUnit.trim();
  for (const other of [firstUnit, lastUnit, stepUnit]) {
    if (other.trim() !== '' && other.trim() !== unit) throw bad(part, 'mixes units', where);
  }
  const numbers = range(numeric(first), numeric(last), sign, numeric(step), part, where);
  return unit === '' ? numbers : numbers.map((value) => `${value} ${unit}`);
}

function range(first: number, last: number, sign: string, step: number, part: string, where: string): number[] {
  if (sign === '*' ? !(step > 1 && first > 0) : !(step > 0)) {
    throw bad(
      part,
      sign === '*' ? 'needs a factor of more than 1 and a positive start' : 'needs a positive step',
      where,
    );
  }
  if (last < first) throw bad(part, 'ends before it starts', where);
  const steps = sign === '*' ? Math.log(last / first) / Math.log(step) : (last - first) / step;
  if (steps >= MOST_VALUES) throw tooMany(part, where);
  // Each value from the start, so that errors do not add up; the tolerance keeps an end that is met but for rounding.
  const count = Math.floor(steps + 1e-9) + 1;
  return Array.from({ length: count }, (_, i) => tidy(sign === '*' ? first * step ** i : first + step * i));
}

/** 0.1 + 0.2 as a person would write it. */
function tidy(value: number): number {
  return Number.isInteger(value) ? value : Number(value.toPrecision(12));
}

function numeric(text: string): number {
  return Number(text.replaceAll('_', ''));
}

function bad(part: string, why: string, where: string): SlipwayError {
  return new SlipwayError('invalid-run-file', `'${shown(part)}' ${why}`, { key: where });
}

function tooMany(text: string, where: string): SlipwayError {
  return bad(text, `has more than ${MOST_VALUES.toLocaleString('en')} values`, where);
}

function shown(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
