/** Arithmetic and conditions over figures of which only a range is known, such as `memory.peakBytes < 72 GB and mfu > 0.4`. */
import type { MathNode } from 'mathjs/number';
import { SlipwayError } from '../errors.js';
import { loadParser } from './expression.js';
import { type Dimension, dimensions } from './units.js';

/** Smallest and largest possible value; a condition is 0 or 1. */
export type Range = readonly [number, number];
/** A compiled expression: its range for what is known of a `T`. */
export type RangeTerm<T> = (known: T) => Range;
/** What a name stands for; throws where it stands for nothing. */
export type Names<T> = (name: string) => RangeTerm<T>;

/** A longer text is nothing that a person wrote, and deep nesting could exhaust the stack. */
const LONGEST = 500;

/**
 * Compiles `text` once. Numbers with units, names, + - * / ^, comparisons, `and`, `or`, `not` and parentheses pass, and nothing else: no assignment,
 * function, text or index, so that an expression can neither loop nor reach anything. The range of the result holds its value for every
 * choice of the operands within theirs. Throws `SlipwayError`.
 */
export async function compileRange<T>(text: string, names: Names<T>): Promise<RangeTerm<T>> {
  return new Compiler(text, names).term(await parsed(text));
}

async function parsed(text: string): Promise<MathNode> {
  if (text.length > LONGEST) throw refused(text, `longer than ${LONGEST} characters`);
  const parse = await loadParser();
  try {
    return parse(text.replaceAll(/\$\s*(?=[\d.])/g, 'USD * '));
  } catch {
    throw refused(text, 'it cannot be parsed');
  }
}

/** One of the conditions that `and` joins. */
export interface Conjunct {
  readonly text: string;
  /** Of a comparison by size: what is compared, and by how much it misses, below 0 where it holds. */
  readonly slack?: { readonly compared: string; readonly excess: string };
}

/** Takes `a < 1 and b > 2` apart. Throws `SlipwayError` on what cannot be parsed. */
export async function conjunctsOf(text: string): Promise<readonly Conjunct[]> {
  return conjuncts(await parsed(text));
}

function conjuncts(node: MathNode): readonly Conjunct[] {
  if (node.type === 'ParenthesisNode') return conjuncts(Reflect.get(node, 'content') as MathNode);
  const text = node.toString();
  if (node.type !== 'OperatorNode') return [{ text }];
  const fn = String(Reflect.get(node, 'fn'));
  const parts = Reflect.get(node, 'args') as MathNode[];
  if (fn === 'and') return parts.flatMap(conjuncts);
  const [left = '', right = ''] = parts.map(String);
  // `0.4 < mfu` is about mfu.
  const compared = parts[0]?.type === 'ConstantNode' ? right : left;
  if (fn === 'smaller' || fn === 'smallerEq') return [{ text, slack: { compared, excess: `(${left}) - (${right})` } }];
  if (fn === 'larger' || fn === 'largerEq') return [{ text, slack: { compared, excess: `(${right}) - (${left})` } }];
  return [{ text }];
}

class Compiler<T> {
  constructor(
    private readonly text: string,
    private readonly names: Names<T>,
  ) {}

  term(node: MathNode): RangeTerm<T> {
    switch (node.type) {
      case 'ConstantNode':
        return this.constant(Reflect.get(node, 'value'));
      case 'SymbolNode':
      case 'AccessorNode':
        return this.names(this.path(node));
      case 'ParenthesisNode':
        return this.term(Reflect.get(node, 'content') as MathNode);
      case 'OperatorNode':
        return this.operator(node);
      case 'RelationalNode':
        throw refused(this.text, 'join comparisons by `and`');
      default:
        throw refused(
          this.text,
          'only numbers, figures, + - * / ^, comparisons, and, or, not and parentheses are understood',
        );
    }
  }

  private constant(value: unknown): RangeTerm<T> {
    if (typeof value !== 'number' && typeof value !== 'boolean') throw refused(this.text, 'only numbers are compared');
    const number = Number(value);
    return () => [number, number];
  }

  /** `memory.peakBytes` comes as an index into a symbol. */
  private path(node: MathNode): string {
    if (node.type === 'SymbolNode') return String(Reflect.get(node, 'name'));
    const index = Reflect.get(node, 'index') as MathNode;
    const keys = (Reflect.get(index, 'dimensions') as MathNode[]).map((key) => Reflect.get(key, 'value'));
    const [key] = keys;
    if (node.type !== 'AccessorNode' || keys.length !== 1 || typeof key !== 'string') {
      throw refused(this.text, 'figures are named as in the JSON of estimate');
    }
    return `${this.path(Reflect.get(node, 'object') as MathNode)}.${key}`;
  }

  private operator(node: MathNode): RangeTerm<T> {
    const parts = Reflect.get(node, 'args') as MathNode[];
    const fn = String(Reflect.get(node, 'fn'));
    const [first, second] = parts;
    if (first === undefined) throw refused(this.text, 'an operator has nothing to work on');
    if (second === undefined) {
      const apply = unary[fn];
      if (apply === undefined) throw refused(this.text, `${fn} is not understood`);
      const a = this.term(first);
      return (known) => apply(a(known));
    }
    const apply = binary[fn];
    if (apply === undefined) throw refused(this.text, `${String(Reflect.get(node, 'op'))} is not understood`);
    const a = this.term(first);
    const unit = Reflect.get(node, 'implicit') === true ? unitFactor(second) : undefined;
    const b = unit === undefined ? this.term(second) : (): Range => [unit, unit];
    return (known) => apply(a(known), b(known));
  }
}

/** What stands right behind a number is a unit before it is a figure: `30 days`. */
function unitFactor(node: MathNode): number | undefined {
  if (node.type !== 'SymbolNode') return undefined;
  const name = String(Reflect.get(node, 'name'));
  const known: readonly Dimension[] = ['bytes', 'seconds', 'flops', 'dollars', 'watts', 'count'];
  for (const dimension of known) {
    const factor = dimensions[dimension].units.get(name);
    if (factor !== undefined) return factor;
  }
  return undefined;
}

type Apply1 = (a: Range) => Range;
type Apply2 = (a: Range, b: Range) => Range;

const unknown: Range = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];

/** Infinite bounds can meet in a way that says nothing. */
function ordered(...values: readonly number[]): Range {
  if (values.some(Number.isNaN)) return unknown;
  return [Math.min(...values), Math.max(...values)];
}

function truth(surely: boolean, surelyNot: boolean): Range {
  return [surely ? 1 : 0, surelyNot ? 0 : 1];
}

const isTrue = ([least, most]: Range): boolean => least > 0 || most < 0;
const isFalse = ([least, most]: Range): boolean => least === 0 && most === 0;

const unary: Readonly<Record<string, Apply1>> = {
  unaryMinus: ([least, most]) => [-most, -least],
  unaryPlus: (a) => a,
  not: (a) => truth(isFalse(a), isTrue(a)),
};

const smaller: Apply2 = (a, b) => truth(a[1] < b[0], a[0] >= b[1]);
const smallerEq: Apply2 = (a, b) => truth(a[1] <= b[0], a[0] > b[1]);
const equal: Apply2 = (a, b) => truth(a[0] === a[1] && b[0] === b[1] && a[0] === b[0], a[1] < b[0] || b[1] < a[0]);

const binary: Readonly<Record<string, Apply2>> = {
  add: (a, b) => ordered(a[0] + b[0], a[1] + b[1]),
  subtract: (a, b) => ordered(a[0] - b[1], a[1] - b[0]),
  multiply: (a, b) => ordered(a[0] * b[0], a[0] * b[1], a[1] * b[0], a[1] * b[1]),
  divide: (a, b) => (b[0] <= 0 && b[1] >= 0 ? unknown : ordered(a[0] / b[0], a[0] / b[1], a[1] / b[0], a[1] / b[1])),
  pow: (a, b) => {
    if (b[0] !== b[1] || a[0] < 0) return a[0] === a[1] && b[0] === b[1] ? ordered(a[0] ** b[0]) : unknown;
    return ordered(a[0] ** b[0], a[1] ** b[0]);
  },
  smaller,
  smallerEq,
  larger: (a, b) => smaller(b, a),
  largerEq: (a, b) => smallerEq(b, a),
  equal,
  unequal: (a, b) => {
    const [surely, possibly] = equal(a, b);
    return [1 - possibly, 1 - surely];
  },
  and: (a, b) => truth(isTrue(a) && isTrue(b), isFalse(a) || isFalse(b)),
  or: (a, b) => truth(isTrue(a) || isTrue(b), isFalse(a) && isFalse(b)),
};

function refused(text: string, why: string): SlipwayError {
  const shown = text.length > 60 ? `${text.slice(0, 57)}...` : text;
  return new SlipwayError('invalid-quantity', `'${shown}' is not understood: ${why}`);
}
