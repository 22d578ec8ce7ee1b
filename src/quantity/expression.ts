/** The one file that imports mathjs, and only when a run file calculates something. */
import type { FactoryFunctionMap, MathNode } from 'mathjs/number';
import { SlipwayError } from '../errors.js';
import { type Dimension, dimensions } from './units.js';

export type Parse = (text: string) => MathNode;
let parser: Promise<Parse> | undefined;

/** A parser with the four operators, powers and signs, and none of the rest of mathjs. */
export async function loadParser(): Promise<Parse> {
  const all = await import('mathjs/number');
  // The types call every dependency list optional, although the package always has them.
  const functions: FactoryFunctionMap[] = [
    all.parseDependencies,
    all.addDependencies,
    all.subtractDependencies,
    all.multiplyDependencies,
    all.divideDependencies,
    all.powDependencies,
    all.unaryMinusDependencies,
    all.unaryPlusDependencies,
  ].filter((list) => list !== undefined);
  const math = all.create(Object.assign({}, ...functions));
  return (text) => math.parse(text);
}

/** Arithmetic only: assignments, blocks, functions, strings and property access have no business in a run file. */
const allowedNodes = new Set(['OperatorNode', 'ParenthesisNode', 'ConstantNode', 'SymbolNode']);

/** Base units that an expression of a dimension may hold, with the power it must end up with; none at all is fine too. */
const bases: Readonly<Record<Dimension, readonly (readonly [Dimension, number])[]>> = {
  bytes: [['bytes', 1]],
  bytesPerSecond: [
    ['bytes', 1],
    ['seconds', -1],
  ],
  seconds: [['seconds', 1]],
  hertz: [['hertz', 1]],
  flops: [['flops', 1]],
  flopsPerSecond: [
    ['flops', 1],
    ['seconds', -1],
  ],
  count: [['count', 1]],
  dollars: [['dollars', 1]],
  dollarsPerHour: [
    ['dollars', 1],
    ['seconds', -1],
  ],
  watts: [['watts', 1]],
  ratio: [],
};

/** The value of `8 * 400 Gbit/s` in the SI unit of the dimension (dollars per hour for prices). */
export async function evaluateExpression(text: string, dimension: Dimension): Promise<number> {
  parser ??= loadParser();
  const tree = parsed(await parser, text, dimension);
  const value = evaluated(tree, text, dimension, new Map());
  if (!Number.isFinite(value)) return value;
  const powers = bases[dimension].map(([base, power]) => [base, power, powerOf(base, tree, text, dimension)] as const);
  const bare = powers.every(([, , found]) => found === 0);
  if (!bare && powers.some(([, power, found]) => power !== found))
    throw notA(text, dimension, 'the units do not cancel');
  return dimension === 'dollarsPerHour' && !bare ? value * 3600 : value;
}

function parsed(parse: Parse, text: string, dimension: Dimension): MathNode {
  let tree: MathNode;
  try {
    tree = parse(text.replaceAll(/\$\s*(?=[\d.])/g, 'USD * '));
  } catch {
    throw notA(text, dimension, 'it cannot be parsed');
  }
  tree.traverse((node) => {
    if (!allowedNodes.has(node.type)) throw notA(text, dimension, 'only + - * / ^ and parentheses are calculated');
  });
  return tree;
}

/** The power of a base unit in the result, found by making that unit twice as large. */
function powerOf(base: Dimension, tree: MathNode, text: string, dimension: Dimension): number {
  const one = evaluated(tree, text, dimension, new Map());
  const two = evaluated(tree, text, dimension, new Map([[base, 2]]));
  return one === 0 ? 0 : Math.log2(two / one);
}

function evaluated(tree: MathNode, text: string, dimension: Dimension, scale: ReadonlyMap<Dimension, number>): number {
  const scope = new Map<string, number>();
  for (const [base] of bases[dimension]) {
    for (const [name, factor] of dimensions[base].units) scope.set(name, factor * (scale.get(base) ?? 1));
    if (base === 'bytes') addBits(scope, scale.get(base) ?? 1);
  }
  let value: unknown;
  try {
    value = tree.evaluate(scope);
  } catch (error) {
    throw notA(
      text,
      dimension,
      error instanceof Error ? error.message.replace(/^Undefined symbol/, 'there is no unit') : 'it has no value',
    );
  }
  if (typeof value !== 'number') throw notA(text, dimension, 'its value is not a number');
  return value;
}

function addBits(scope: Map<string, number>, scale: number): void {
  for (const [prefix, factor] of [
    ['', 1],
    ['k', 1e3],
    ['M', 1e6],
    ['G', 1e9],
    ['T', 1e12],
  ] as const) {
    scope.set(`${prefix}bit`, (factor * scale) / 8);
    scope.set(`${prefix}b`, (factor * scale) / 8);
  }
}

function notA(text: string, dimension: Dimension, why: string): SlipwayError {
  return new SlipwayError('invalid-quantity', `'${text}' is not ${dimensions[dimension].expected}: ${why}`);
}
