import { z } from 'zod';
import { SlipwayError } from '../errors.js';
import { nearest } from '../quantity/nearest.js';

type Issue = z.core.$ZodIssue;

/** Finds the line of a key path in the file the value came from. */
export type Locate = (path: readonly PropertyKey[]) => { readonly file?: string; readonly line?: number };

/** The first mistake that zod found, as one line: what is wrong, what was found, what would be right. */
export function schemaError(error: z.ZodError, value: unknown, schema: z.ZodType, locate: Locate): SlipwayError {
  const issue = deepest(error.issues);
  const path = issue.code === 'unrecognized_keys' ? [...issue.path, issue.keys[0] ?? ''] : issue.path;
  const key = path.map(String).join('.');
  return new SlipwayError('invalid-run-file', describeIssue(issue, valueAt(value, issue.path), schema), {
    ...locate(path),
    ...(key === '' ? {} : { key }),
  });
}

/** Unknown keys first (they explain missing ones), and inside a union the branch that came furthest. */
function deepest(issues: readonly Issue[]): Issue {
  const flat = issues.map(unwrapUnion);
  const found = flat.find((issue) => issue.code === 'unrecognized_keys') ?? flat[0];
  if (!found) throw new Error('internal error: zod failed without an issue');
  return found;
}

function unwrapUnion(issue: Issue): Issue {
  if (issue.code !== 'invalid_union') return issue;
  const branches = issue.errors.map((branch) => (branch.length > 0 ? deepest(branch) : undefined));
  const inside = branches.find((branch) => branch !== undefined && !isWrongRootType(branch));
  if (!inside) return issue;
  return { ...inside, path: [...issue.path, ...inside.path] };
}

function isWrongRootType(issue: Issue): boolean {
  return issue.path.length === 0 && issue.code === 'invalid_type';
}

function describeIssue(issue: Issue, found: unknown, schema: z.ZodType): string {
  switch (issue.code) {
    case 'unrecognized_keys': {
      const key = issue.keys[0] ?? '';
      const guess = nearest(key, keysAt(schema, issue.path));
      return guess === undefined ? 'unknown key' : `unknown key, did you mean ${guess}?`;
    }
    case 'invalid_value': {
      const values = issue.values.map(String);
      if (found === undefined) return `missing; one of ${values.join(', ')}`;
      const guess = typeof found === 'string' ? nearest(found, values) : undefined;
      return guess === undefined
        ? `${shown(found)} is not one of ${values.join(', ')}`
        : `${shown(found)} is not known, did you mean ${guess}?`;
    }
    case 'invalid_type':
      return found === undefined ? missing(schema, issue.path) : wrongType(issue.expected, found);
    case 'too_small':
      return issue.origin === 'string' || issue.origin === 'array'
        ? 'must not be empty'
        : `must be ${issue.inclusive ? 'at least' : 'more than'} ${issue.minimum}, found ${shown(found)}`;
    case 'too_big':
      return `must be ${issue.inclusive ? 'at most' : 'less than'} ${issue.maximum}, found ${shown(found)}`;
    case 'invalid_union':
      if (found === undefined) return missing(schema, issue.path);
      return issue.message === 'Invalid input'
        ? `expected${saying(schema, issue.path, '') || ' another kind of value'}, found ${shown(found)}`
        : `${issue.message}, found ${shown(found)}`;
    default:
      return issue.message;
  }
}

function missing(schema: z.ZodType, path: readonly PropertyKey[]): string {
  return `missing${saying(schema, path, ';')}`;
}

/** What the schema says of a key, as the end of a sentence: `; a preset or an inline cluster`. */
function saying(schema: z.ZodType, path: readonly PropertyKey[], lead: string): string {
  const words = schemaAt(schema, path)
    .map((found) => found.description)
    .find((description) => description !== undefined);
  if (words === undefined) return '';
  const sentence = /^.*?(?=\.( |$)|$)/.exec(words)?.[0] ?? words;
  // HBM and NIC stay as they are.
  return `${lead} ${sentence.replace(/^[A-Z](?![A-Z])/, (letter) => letter.toLowerCase())}`;
}

function wrongType(expected: string, found: unknown): string {
  const message = `expected ${article(expected)}, found ${shown(found)}`;
  const numeric = expected === 'int' || expected === 'number';
  const meant = numeric && typeof found === 'string' ? meantNumber(found) : undefined;
  return meant === undefined ? message : `${message}; did you mean ${meant}?`;
}

/** `"64"`, `1_024` and `16k` are texts to YAML. */
function meantNumber(text: string): number | undefined {
  const [, digits, thousands] = /^["']?(\d[\d_,]*)\s*(k?)["']?$/i.exec(text.trim()) ?? [];
  if (digits === undefined) return undefined;
  return Number(digits.replaceAll(/[_,]/g, '')) * (thousands === '' ? 1 : 1000);
}

function article(type: string): string {
  const words: Readonly<Record<string, string>> = {
    int: 'a whole number',
    number: 'a number',
    string: 'a text',
    boolean: 'true or false',
    array: 'a list',
    object: 'keys and values',
  };
  return words[type] ?? type;
}

function shown(value: unknown): string {
  if (value === null) return 'nothing (a key left out has its default)';
  // JSON has no NaN and no infinity, YAML does.
  const text =
    typeof value === 'string'
      ? `'${value}'`
      : typeof value === 'number'
        ? String(value)
        : (JSON.stringify(value) ?? String(value));
  return text.length > 40 ? `${text.slice(0, 37)}...` : text;
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let found = value;
  for (const step of path) {
    if (typeof found !== 'object' || found === null) return undefined;
    found = (found as Record<PropertyKey, unknown>)[step];
  }
  return found;
}

/** Keys that the schema knows at a path. */
function keysAt(schema: unknown, path: readonly PropertyKey[]): readonly string[] {
  return schemaAt(schema, path).flatMap((found) => objectsIn(found).flatMap((object) => Object.keys(object.shape)));
}

/** The schemas of a path, through optional fields; several where a union branches on the way. */
export function schemaAt(schema: unknown, path: readonly PropertyKey[]): readonly z.ZodType[] {
  const [step, ...rest] = path;
  if (step === undefined) return schema instanceof z.ZodType ? [schema] : [];
  if (schema instanceof z.ZodArray) return schemaAt(schema.element, rest);
  const inner = alternatives(schema);
  if (inner.length > 0) return inner.flatMap((option) => schemaAt(option, path));
  return schema instanceof z.ZodObject ? schemaAt(schema.shape[String(step)], rest) : [];
}

function objectsIn(schema: unknown): readonly z.ZodObject[] {
  return schema instanceof z.ZodObject ? [schema] : alternatives(schema).flatMap(objectsIn);
}

/** What a schema that only wraps others wraps. */
function alternatives(schema: unknown): readonly unknown[] {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable) return [schema.unwrap()];
  if (schema instanceof z.ZodUnion) return schema.options;
  if (schema instanceof z.ZodLazy) return [schema.unwrap()];
  return schema instanceof z.ZodPipe ? [schema.in] : [];
}
