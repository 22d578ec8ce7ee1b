import type { Outcome } from '../score.js';
import type { Fitter } from './fit.js';

/**
 * Every row predicted with constants that were fitted without any row of its family: what to expect of runs that nobody has fitted to.
 * Constants that only that family informs fall back to what is expected of them.
 */
export function leftOutOutcomes(fitter: Fitter): Outcome[] {
  const families = [...new Set(fitter.rows.map(({ run }) => run.family))];
  const valuesWithout = new Map(families.map((family) => [family, fitter.fitWithout(family)]));
  return fitter.rows.flatMap(({ run }, row) => {
    const values = valuesWithout.get(run.family);
    return values === undefined ? [] : fitter.outcome(row, values);
  });
}
