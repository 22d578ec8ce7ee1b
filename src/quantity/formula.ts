/** Arithmetic over named numbers, such as `accelerators / 8 * 2`: parsed once, then as fast as written code. */
import type { MathNode } from 'mathjs/number';
import { SlipwayError } from '../errors.js';
import { loadParser } from './expression.js';
import { nearest } from './nearest.js';

/** Values by name; a name that the formula does not use is never asked for. */
export type FormulaScope = (name: string) => number;
export type Formula = (scope: FormulaScope) => number;

/** A longer text is no formula that a person wrote, and deep nesting could exhaust the stack. */
const LONGEST_FORMULA = 500;

/**
 * Compiles `text` over the names given. Only numbers, names, + - * / ^ and parentheses pass: no assignment, function, property or
 * text, so that a formula can neither loop nor reach anything. Throws `SlipwayError`.
 */
export async function compileFormula(text: string, names: readonly string[]): Promise<Formula> {
  if (text.length > LONGEST_FORMULA) throw refused(text, `longer than ${LONGEST_FORMULA} characters`);
  const parse = await loadParser();
  let tree: MathNode;
  try {
    tree = parse(text);
  } catch {
    throw refused(text, 'it cannot be parsed');
  }
  return compiled(tree, text, new Set(names));
}

function compiled(node: MathNode, text: string, names: ReadonlySet<string>): Formula {
  switch (node.type) {
    case 'ConstantNode':
      return constant(Reflect.get(node, 'value'), text);
    case 'SymbolNode':
      return symbol(String(Reflect.get(node, 'name')), text, names);
    case 'ParenthesisNode':
      return compiled(Reflect.get(node, 'content') as MathNode, text, names);
    case 'OperatorNode': {
      const operands = (Reflect.get(node, 'args') as MathNode[]).map((part) => compiled(part, text, names));
      return operator(String(Reflect.get(node, 'fn')), operands, text);
    }
    default:
      throw refused(text, 'only numbers, names, + - * / ^ and parentheses are calculated');
  }
}

function constant(value: unknown, text: string): Formula {
  if (typeof value !== 'number') throw refused(text, 'only numbers are calculated');
  return () => value;
}

function symbol(name: string, text: string, names: ReadonlySet<string>): Formula {
  if (names.has(name)) return (scope) => scope(name);
  const guess = nearest(name, names);
  throw refused(text, `there is no ${name}${guess === undefined ? '' : `, did you mean ${guess}?`}`);
}

function operator(fn: string, [first, second]: readonly Formula[], text: string): Formula {
  if (first !== undefined && second === undefined) {
    if (fn === 'unaryMinus') return (scope) => -first(scope);
    if (fn === 'unaryPlus') return first;
  }
  if (first !== undefined && second !== undefined) {
    if (fn === 'add') return (scope) => first(scope) + second(scope);
    if (fn === 'subtract') return (scope) => first(scope) - second(scope);
    if (fn === 'multiply') return (scope) => first(scope) * second(scope);
    if (fn === 'divide') return (scope) => first(scope) / second(scope);
    if (fn === 'pow') return (scope) => first(scope) ** second(scope);
  }
  throw refused(text, 'only + - * / ^ and parentheses are calculated');
}

function refused(text: string, why: string): SlipwayError {
  const shown = text.length > 60 ? `${text.slice(0, 57)}...` : text;
  return new SlipwayError('invalid-quantity', `'${shown}' is no formula: ${why}`);
}
