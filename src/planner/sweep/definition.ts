import { hash } from 'node:crypto';
import type { FlopsConvention } from '../../model/flops.js';
import type { Axis } from './axis.js';

/** Everything that the answer of a sweep depends on, as plain data: it travels to workers and into the header of a shard. */
export interface SweepDefinition {
  /** The run file as written, flags in it. */
  readonly run: Readonly<Record<string, unknown>>;
  /** Folder that a relative path of the model starts from. */
  readonly baseDirectory: string;
  readonly axes: readonly Axis[];
  /** What a point is: the closed form, the estimate (which simulates where that is cheap), or the best plan of a search. */
  readonly method: SweepMethod;
  readonly flopsConvention: FlopsConvention;
  /** Dotted names of the figures in a row. */
  readonly figures: readonly string[];
  /** Version of slipway: another one may answer otherwise, and answers are not mixed. */
  readonly release: string;
  /** With `plan`: its objective. */
  readonly objective?: string;
}

export type SweepMethod = 'closed-form' | 'estimate' | 'plan';

/** Sixteen hexadecimal digits of a SHA-256: among a million points two are alike once in 37 million sweeps. */
export function digest(text: string): string {
  return hash('sha256', text, 'hex').slice(0, 16);
}

/** Names the sweep: the same question always has the same one, from whichever folder it is asked. */
export function sweepDigest(definition: SweepDefinition): string {
  return digest(questionText(definition));
}

/** The question alone, without the folder that it was asked from. */
export function questionText({ baseDirectory: _, ...question }: SweepDefinition): string {
  return canonical(question);
}

/** JSON with its keys in order, so that equal values have equal texts. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
