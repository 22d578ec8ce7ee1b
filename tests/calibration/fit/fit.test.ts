import { expect, test } from 'vitest';
import { Fitter } from '../../../src/calibration/fit/fit.js';
import { makeParameters, parametersOf, withValues } from '../../../src/calibration/fit/parameters.js';
import { fitRows } from '../../../src/calibration/fit/rows.js';
import { parseRuns } from '../../../src/calibration/runs.js';
import { evaluateStep } from '../../../src/simulation/evaluateStep.js';

const frameworks = [
  {
    id: 'megatron' as const,
    base: { hostLayerSeconds: 20e-6, stepOverheadSeconds: { value: 0.02, kind: 'estimate', source: 'x' } },
    versions: [{ version: 'megatron-deepspeed', hostLayerSeconds: 1e-3 }],
  },
];

/** Runs of one accelerator as the model itself sees them, at a sustained rate that the fit does not know. */
function measuredRuns(sustained: number, families: readonly string[]) {
  const lines = families.flatMap((family) =>
    [1, 2, 4, 8].map((microBatchSize) => {
      const strategy = { tensorParallel: 8, microBatchSize, globalBatchSize: 64, precision: 'bf16' };
      const run = { model: 'llama2-7b', cluster: 'dgx-a100', accelerators: 8, framework: 'megatron', strategy };
      const row = { id: `${family} ${microBatchSize}`, family, run, measured: { stepSeconds: 1 } };
      const [{ scenario } = { scenario: undefined }] = fitRows(parseRuns(JSON.stringify(row), 'x'));
      if (scenario === undefined) throw new Error('not a run');
      const { accelerator } = scenario.cluster;
      const slower = { ...accelerator, sustained: { ...accelerator.sustained, bf16: sustained } };
      const { stepSeconds } = evaluateStep({ ...scenario, cluster: { ...scenario.cluster, accelerator: slower } });
      return JSON.stringify({ ...row, measured: { stepSeconds } });
    }),
  );
  return fitRows(parseRuns(lines.join('\n'), 'x'));
}

function fitterOf(rows: ReturnType<typeof measuredRuns>): Fitter {
  const accelerators = rows.map(({ scenario }) => scenario.cluster.accelerator).slice(0, 1);
  return new Fitter(rows, makeParameters(accelerators, frameworks));
}

function fittedValue(fitter: Fitter, values: Float64Array, id: string): number {
  return values[fitter.parameters.findIndex((parameter) => parameter.id === id)] ?? Number.NaN;
}

const rate = 'accelerators/a100-sxm-80 sustained.bf16';

test('a rate that the runs were made with is found again', () => {
  const fitter = fitterOf(measuredRuns(0.75, ['a', 'b', 'c']));
  expect(Math.abs(fittedValue(fitter, fitter.fit().values, rate) / 0.75 - 1)).toBeLessThan(0.03);
});

test('without the rows of a family its own peculiarity is gone from the constants', () => {
  const rows = [...measuredRuns(0.95, ['a', 'b']), ...measuredRuns(0.7, ['slow'])];
  const fitter = fitterOf(rows);
  const all = fittedValue(fitter, fitter.fit().values, rate);
  const without = fittedValue(fitter, fitter.fitWithout('slow'), rate);
  expect(without).toBeGreaterThan(all);
  expect(Math.abs(without / 0.95 - 1)).toBeLessThan(0.03);
});

test('the fit does not depend on what the presets hold, and is the same twice', () => {
  const fitter = fitterOf(measuredRuns(0.8, ['a', 'b']));
  const once = fitter.fit().values;
  expect([...fitterOf(measuredRuns(0.8, ['a', 'b'])).fit().values]).toEqual([...once]);
});

test('a version takes its own constants and its framework the others', () => {
  const fitter = fitterOf(measuredRuns(0.8, ['a']));
  const [row] = fitter.rows;
  if (row === undefined) throw new Error('no row');
  const framework = { ...row.scenario.framework, version: 'megatron-deepspeed' };
  const own = parametersOf(fitter.parameters, { ...row.scenario, framework });
  const ids = own.map((index) => fitter.parameters[index]?.id);
  expect(ids).toContain('frameworks/megatron@megatron-deepspeed hostLayerSeconds');
  expect(ids).not.toContain('frameworks/megatron hostLayerSeconds');
  expect(ids).toContain('frameworks/megatron stepOverheadSeconds');
  const values = Float64Array.from(fitter.parameters, ({ path }) => (path[0] === 'hostLayerSeconds' ? 7e-4 : 0.5));
  const changed = withValues({ ...row.scenario, framework }, own, fitter.parameters, values);
  expect(changed.framework.hostLayerSeconds).toBe(7e-4);
  expect(changed.framework.stepOverheadSeconds).toBe(0.5);
  expect(changed.cluster.accelerator.sustained.bf16).toBe(0.5);
});
