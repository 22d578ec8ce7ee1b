import { invariant } from '../errors.js';

/** Keys whose numbers may be negative: differences. */
const signed = /Delta$|Error$|^bias$|^change$|^delta$/;

/** One JSON document with `schemaVersion` first. A number that no reader could use is a bug of ours and crashes. */
export function toJson<T extends { readonly schemaVersion: number }>(document: T): string {
  const { schemaVersion, ...rest } = document;
  return `${JSON.stringify({ schemaVersion, ...rest }, usable, 2)}\n`;
}

function usable(key: string, value: unknown): unknown {
  if (typeof value !== 'number') return value;
  invariant(Number.isFinite(value), `${key} is ${value}`);
  invariant(value >= 0 || signed.test(key), `${key} is negative: ${value}`);
  return value;
}
