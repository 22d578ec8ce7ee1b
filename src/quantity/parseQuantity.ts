import { SlipwayError } from '../errors.js';
import { evaluateExpression } from './expression.js';
import { type Dimension, dimensions } from './units.js';

const plain = /^([$])?\s*([+-]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*([^\d\s].*)?$/;

/**
 * A number with a unit, in the SI unit of its dimension: `80 GiB`, `400 Gbit/s`, `15.6T`, `2.5 $/h`, `30 days`.
 * A bare number is taken in that SI unit. Negative and infinite values are never valid.
 * Expressions (`8 * 400 Gbit/s`) need `parseQuantityExpression`, because mathjs is loaded only when one appears.
 */
export function parseQuantity(input: string | number, dimension: Dimension): number {
  if (typeof input === 'number') return accepted(input, input, dimension);
  const text = input.trim();
  const match = plain.exec(text);
  if (!match) throw notUnderstood(text, dimension);
  const [, currency, digits = '', unit = ''] = match;
  const factor = unitFactor(currency ? withCurrency(unit) : unit, dimension);
  if (factor === undefined) throw wrongUnit(text, digits, unit, dimension);
  return accepted(Number(digits.replaceAll('_', '')) * factor, input, dimension);
}

/** Whether the text calculates something, so that only the expression parser understands it. */
export function isExpression(input: unknown): input is string {
  if (typeof input !== 'string') return false;
  const text = input.trim();
  return /[*^()]|[\w%$]\s+[-+]\s|\/\s*[\d.]/.test(text);
}

/** Like `parseQuantity`, and also `8 * 400 Gbit/s`. Asynchronous only where the text is an expression. */
export function parseQuantityOrExpression(input: string | number, dimension: Dimension): number | Promise<number> {
  if (!isExpression(input)) return parseQuantity(input, dimension);
  return evaluateExpression(input, dimension).then((value) => accepted(value, input, dimension));
}

function unitFactor(unit: string, dimension: Dimension): number | undefined {
  const { units } = dimensions[dimension];
  if (unit === '') return units.get('') ?? 1;
  return units.get(unit.replaceAll(/\s+/g, ''));
}

/** `$2.5/h` and `$3M` as `2.5 $/h` and `3 M$`. */
function withCurrency(unit: string): string {
  return unit.startsWith('/') ? `$${unit}` : `${unit}$`;
}

/** Beyond these no quantity of a training run lies, and products of a few of them stay finite. */
const LARGEST = 1e30;
const SMALLEST = 1e-30;

function accepted(value: number, input: string | number, dimension: Dimension): number {
  if (value === 0 || (value >= SMALLEST && value <= LARGEST)) return value;
  const reason = refusal(value);
  throw new SlipwayError('invalid-quantity', `${input} ${reason}; expected ${dimensions[dimension].expected}`);
}

function refusal(value: number): string {
  if (value < 0) return 'is negative';
  if (!Number.isFinite(value)) return 'is not a finite number';
  return value > LARGEST ? 'is too large' : 'is too small';
}

function notUnderstood(text: string, dimension: Dimension): SlipwayError {
  const shown = text.length > 40 ? `${text.slice(0, 40)}...` : text;
  return new SlipwayError('invalid-quantity', `'${shown}' is not ${dimensions[dimension].expected}`);
}

function wrongUnit(text: string, digits: string, unit: string, dimension: Dimension): SlipwayError {
  const nearest = nearestUnit(unit.trim(), dimension);
  const suggestion = nearest === '' ? digits : `${digits} ${nearest}`;
  return new SlipwayError(
    'invalid-quantity',
    `'${text}' is not ${dimensions[dimension].expected}; did you mean ${suggestion}?`,
    { suggestion },
  );
}

/** The usual spelling with the same prefix: GHz of memory was probably meant as GB. */
function nearestUnit(unit: string, dimension: Dimension): string {
  const usual: Readonly<Record<Dimension, string>> = {
    bytes: 'B',
    bytesPerSecond: /bit|bps|b\/s/.test(unit) ? 'bit/s' : 'B/s',
    seconds: 's',
    hertz: 'Hz',
    flops: 'FLOP',
    flopsPerSecond: 'FLOP/s',
    count: '',
    dollars: '$',
    dollarsPerHour: '$/h',
    watts: 'W',
    ratio: '%',
  };
  const { units } = dimensions[dimension];
  const folded = [...units.keys()].find((name) => name.toLowerCase() === unit.toLowerCase());
  if (folded !== undefined) return folded;
  const prefix = /^([KMGTP]i|[kMGTPE])/.exec(unit)?.[0] ?? '';
  const candidate = prefix + usual[dimension];
  return units.has(candidate) ? candidate : usual[dimension];
}
