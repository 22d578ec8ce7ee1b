import { expect, test } from 'vitest';
import { predictRun } from '../../src/calibration/predict.js';
import { loadShippedRuns } from '../../src/calibration/shippedRuns.js';
import { withStated } from '../../src/calibration/stated.js';
import { SlipwayError } from '../../src/errors.js';
import type { Scenario } from '../../src/scenario/scenario.js';

/**
 * What `estimate` warns of lies outside the runs that were checked. That range is derived from the shipped rows here, and
 * kept as a file, because an estimate must not read two megabytes of rows. `npm run freeze` writes it.
 */
test('the validated range is that of the scored rows', async () => {
  await expect(source(scoredScenarios())).toMatchFileSnapshot('../../src/uncertainty/validatedRange.ts');
});

/** Rows that the headline score counts: a measured step time, every field known, nothing contradictory, predictable. */
function scoredScenarios(): Scenario[] {
  const rows = loadShippedRuns().filter(
    ({ measured, problems, unknown }) =>
      measured.stepSeconds !== undefined && problems.length === 0 && unknown.length === 0,
  );
  return rows.flatMap(({ run, stated }) => {
    try {
      return [predictRun(withStated(run, stated)).scenario];
    } catch (error) {
      if (error instanceof SlipwayError) return [];
      throw error;
    }
  });
}

function source(scenarios: readonly Scenario[]): string {
  const groups = new Map<string, Scenario[]>();
  for (const scenario of scenarios) {
    const { id } = scenario.cluster.accelerator;
    groups.set(id, [...(groups.get(id) ?? []), scenario]);
  }
  const entries = [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([id, group]) => entry(id, group));
  return `${head}export const validatedRanges: Readonly<Record<string, ValidatedRange>> = {\n${entries.join('')}};\n`;
}

const head = `/** Generated from validation/*.jsonl by \`npm run freeze\`; a test holds the two together. */

/** The published runs on one accelerator that slipway was checked against, and how many of each sort. */
export interface ValidatedRange {
  readonly runs: number;
  readonly mostAccelerators: number;
  readonly longestSequence: number;
  readonly frameworks: Readonly<Record<string, number>>;
  readonly precisions: Readonly<Record<string, number>>;
  readonly models: Readonly<Record<string, number>>;
}

`;

function entry(id: string, group: readonly Scenario[]): string {
  const most = (values: readonly number[]) => Math.max(...values);
  return [
    `  ${name(id)}: {`,
    `    runs: ${group.length},`,
    `    mostAccelerators: ${most(group.map(({ accelerators }) => accelerators))},`,
    `    longestSequence: ${most(group.map(({ sequenceLength }) => sequenceLength))},`,
    `    frameworks: ${counts(group.map(({ framework }) => framework.id))},`,
    `    precisions: ${counts(group.map(({ strategy }) => strategy.precision))},`,
    `    models: ${counts(group.map(({ model }) => (model.moe === null ? 'dense' : 'mixture')))},`,
    '  },\n',
  ].join('\n');
}

function counts(names: readonly string[]): string {
  const known = [...new Set(names)].sort();
  return `{ ${known.map((one) => `${name(one)}: ${names.filter((other) => other === one).length}`).join(', ')} }`;
}

function name(text: string): string {
  return /^[a-z]\w*$/.test(text) ? text : `'${text}'`;
}
