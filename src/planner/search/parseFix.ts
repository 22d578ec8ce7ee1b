import { SlipwayError } from '../../errors.js';
import type { Strategy } from '../../parallelism/strategy.js';
import { strategySchema } from '../../scenario/strategySchema.js';
import { parseAxis } from '../sweep/parseAxis.js';
import type { Fixed, KeyValue } from './request.js';

export interface ParsedFix {
  readonly fix: Fixed;
  /** Sizes of the cluster, where `accelerators` is among the keys. */
  readonly accelerators?: readonly number[];
}

/** Keys whose values are lists or texts of their own; they belong into the run file. */
const notHere: ReadonlySet<string> = new Set(['stageLayers', 'pipelineLayout', 'recomputeModules', 'flashAttention']);

/** Reads `tp=8,pp=8..32` and `mbs=1,2`: keys of the strategy, or accelerators, each with values or a range. Throws `SlipwayError`. */
export function parseFix(texts: readonly string[], where = '--fix'): ParsedFix {
  const fix: Record<string, readonly KeyValue[]> = {};
  let accelerators: readonly number[] | undefined;
  for (const part of texts.flatMap((text) => text.split(/,(?=\s*[\w.]+\s*=)/))) {
    const { path, change } = parseAxis(part, where);
    const key = path.at(-1) ?? '';
    if (change.kind !== 'list') throw refused(part, 'gives no values', where);
    if (path.length === 1 && key === 'accelerators') accelerators = sizes(part, change.values, where);
    else if (path[0] === 'strategy' && !notHere.has(key))
      fix[key] = change.values.map((value) => checked(key, value, where));
    else throw refused(part, 'is no key that the search chooses', where);
  }
  return { fix: fix as Fixed, ...(accelerators === undefined ? {} : { accelerators }) };
}

function sizes(part: string, values: readonly unknown[], where: string): readonly number[] {
  return values.map((value) => {
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 1) {
      throw refused(part, 'is not a whole number of accelerators', where);
    }
    return value;
  });
}

function checked(key: string, value: unknown, where: string): KeyValue {
  const result = strategySchema.shape[key as keyof Strategy].safeParse(value);
  if (result.success) return result.data as KeyValue;
  const [issue] = result.error.issues;
  throw new SlipwayError('invalid-run-file', `${key}=${String(value)}: ${issue?.message ?? 'no such value'}`, {
    key: where,
  });
}

function refused(part: string, why: string, where: string): SlipwayError {
  return new SlipwayError('invalid-run-file', `'${part.trim()}' ${why}`, { key: where });
}
