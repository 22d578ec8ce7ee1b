import { expect, test } from 'vitest';
import { z } from 'zod';
import { flagName, type RunFileFlag, runFileFlags } from '../../src/cli/flags.js';
import { runFileSchema } from '../../src/scenario/runFileSchema.js';

interface Described {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Described>>;
}

test('every key of the run file has its flag, with the same choices and words', () => {
  const schema = z.toJSONSchema(runFileSchema, { io: 'input' }) as Described;
  expect(runFileFlags.map(({ alias: _, ...flag }) => flag)).toEqual(flagsOf(schema));
});

test('no two flags have the same name', () => {
  const names = runFileFlags.flatMap((flag) => [flagName(flag), ...(flag.alias === undefined ? [] : [flag.alias])]);
  expect(new Set(names).size).toBe(names.length);
});

function flagsOf(schema: Described): RunFileFlag[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, value]) =>
    key === 'strategy' || key === 'training'
      ? Object.entries(value.properties ?? {}).map(([inner, field]) => flagOf(`${key}.${inner}`, field))
      : [flagOf(key, value)],
  );
}

function flagOf(key: string, { type, enum: choices, description = '' }: Described): RunFileFlag {
  if (choices !== undefined) return { key, kind: 'choice', choices, description };
  const kinds: Readonly<Record<string, RunFileFlag['kind']>> = {
    integer: 'number',
    number: 'number',
    boolean: 'boolean',
    array: 'list',
  };
  return { key, kind: kinds[type ?? ''] ?? 'text', description };
}
