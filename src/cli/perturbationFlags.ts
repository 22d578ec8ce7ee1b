import { SlipwayError } from '../errors.js';
import type { Perturbation } from '../simulation/perturbation.js';
import type { FlagValues } from './runFileArguments.js';

/** `--slow-rank 17:1.3 --slow-links 1.5 --jitter 0.02 --seed 7`; nothing where none of the first three is given. */
export function perturbationOf(flags: FlagValues): Perturbation | undefined {
  const ranks = Array.isArray(flags.slowRank) ? flags.slowRank.map((given) => slowRank(String(given))) : [];
  const linkFactor = numberOf(flags.slowLinks, '--slow-links', 'a factor of at least 1, such as 1.5', 1, 1e6);
  const jitter = numberOf(flags.jitter, '--jitter', 'a fraction, such as 0.02', 0, 1);
  const seed = numberOf(flags.seed, '--seed', 'a whole number', 0, 2 ** 32 - 1, true);
  if (ranks.length === 0 && linkFactor === undefined && jitter === undefined) return undefined;
  return { slowRanks: new Map(ranks), linkFactor: linkFactor ?? 1, jitter: jitter ?? 0, seed: seed ?? 1 };
}

function slowRank(given: string): readonly [number, number] {
  const [, rank = '', factor = ''] = /^(\d{1,10}):(\d+(?:\.\d+)?)$/.exec(given.trim()) ?? [];
  if (rank !== '' && Number(factor) >= 1) return [Number(rank), Number(factor)];
  throw refused(given, '--slow-rank', 'rank:factor with a factor of at least 1, such as 17:1.3');
}

function numberOf(
  given: unknown,
  key: string,
  expected: string,
  least: number,
  most: number,
  whole = false,
): number | undefined {
  if (typeof given !== 'string') return undefined;
  const value = /^\d+(\.\d+)?(e-?\d+)?$/i.test(given.trim()) ? Number(given) : Number.NaN;
  if (value >= least && value <= most && (!whole || Number.isInteger(value))) return value;
  throw refused(given, key, expected);
}

function refused(given: string, key: string, expected: string): SlipwayError {
  return new SlipwayError('invalid-quantity', `'${given}' is not ${expected}`, { key });
}
