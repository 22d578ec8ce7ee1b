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
      return found === undefined ? 'missing' : `expected ${article(issue.expected)}, found ${shown(found)}`;
    case 'too_small':
      return issue.origin === 'string' || issue.origin === 'array'
        ? 'must not be empty'
        : `must be ${issue.inclusive ? 'at least' : 'more than'} ${issue.minimum}, found ${shown(found)}`;
    case 'too_big':
      return `must be ${issue.inclusive ? 'at most' : 'less than'} ${issue.maximum}, found ${shown(found)}`;
    case 'invalid_union':
      if (found === undefined) return 'missing';
      return issue.message === 'Invalid input'
        ? `unexpected ${shown(found)}`
        : `${issue.message}, found ${shown(found)}`;
    default:
      return issue.message;
  }
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
  const text = typeof value === 'string' ? `'${value}'` : (JSON.stringify(value) ?? String(value));
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

/** Keys that the schema knows at a path, through optional fields and unions. */
function keysAt(schema: unknown, path: readonly PropertyKey[]): readonly string[] {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable) return keysAt(schema.unwrap(), path);
  if (schema instanceof z.ZodUnion) return schema.options.flatMap((option) => keysAt(option, path));
  if (schema instanceof z.ZodPipe) return keysAt(schema.in, path);
  if (schema instanceof z.ZodArray) return keysAt(schema.element, path.slice(1));
  if (!(schema instanceof z.ZodObject)) return [];
  const [step, ...rest] = path;
  return step === undefined ? Object.keys(schema.shape) : keysAt(schema.shape[String(step)], rest);
}
