/**
 * Fits what a training step sustains of kernels measured alone, per accelerator and kernel family, on the shipped runs:
 * `npx tsx tools/fit.ts [--write]`. Robust: least absolute log error, each family of runs with the same weight, one factor
 * after the other until nothing moves. `--write` puts the factors into presets/accelerators with the rows they rest on.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { loadShippedRuns } from '../src/calibration/shippedRuns.js';
import { withStated } from '../src/calibration/stated.js';
import { SlipwayError } from '../src/errors.js';
import type { Accelerator, SustainedFamily } from '../src/hardware/accelerator.js';
import { checkRunFile } from '../src/scenario/parseRunFile.js';
import { resolveCheckedRun } from '../src/scenario/resolveScenario.js';
import type { Scenario } from '../src/scenario/scenario.js';
import { evaluate } from '../src/simulation/closedForm.js';

interface Row {
  readonly family: string;
  readonly scenario: Scenario;
  readonly measuredSeconds: number;
}

const { values: flags } = parseArgs({ options: { write: { type: 'boolean', default: false } } });

/** Fewer rows than this say too little about an accelerator. */
const fewestRows = 4;
const bounds = { low: 0.65, high: 1.1 };
const families: readonly SustainedFamily[] = ['bf16', 'fp8', 'fp4', 'attention'];

function scoredRows(): Row[] {
  const rows: Row[] = [];
  for (const run of loadShippedRuns()) {
    const measuredSeconds = run.measured.stepSeconds;
    if (measuredSeconds === undefined || run.problems.length > 0) continue;
    try {
      const scenario = resolveCheckedRun(checkRunFile(withStated(run.run, run.stated)));
      // Throws where the degrees break a rule.
      evaluate(scenario);
      rows.push({ family: run.family, scenario, measuredSeconds });
    } catch (error) {
      if (!(error instanceof SlipwayError)) throw error;
    }
  }
  return rows;
}

function withSustained(row: Row, sustained: Accelerator['sustained']): Scenario {
  const { cluster } = row.scenario;
  return { ...row.scenario, cluster: { ...cluster, accelerator: { ...cluster.accelerator, sustained } } };
}

/** Mean over families of the mean absolute log error: a family of 500 rows weighs as much as one of eight. */
function loss(rows: readonly Row[], sustained: Accelerator['sustained']): number {
  const byFamily = new Map<string, number[]>();
  for (const row of rows) {
    const error = Math.abs(Math.log(evaluate(withSustained(row, sustained)).stepSeconds / row.measuredSeconds));
    // A row that is off by more than half is another effect; it shall not pull the kernels.
    byFamily.set(row.family, [...(byFamily.get(row.family) ?? []), Math.min(error, 0.5)]);
  }
  let sum = 0;
  let weight = 0;
  for (const errors of byFamily.values()) {
    // Few rows weigh less: their median is not known well.
    const share = Math.min(1, errors.length / 10);
    sum += (share * errors.reduce((a, b) => a + b, 0)) / errors.length;
    weight += share;
  }
  return sum / weight;
}

/** Which families the rows can tell: a format that no row runs in keeps its value. */
function informed(rows: readonly Row[]): SustainedFamily[] {
  const precisions = new Set(rows.map((row) => row.scenario.strategy.precision));
  const has = (...names: string[]): boolean => names.some((name) => [...precisions].some((p) => p === name));
  return families.filter((family) => {
    if (family === 'bf16') return has('bf16', 'fp16');
    if (family === 'fp8') return has('fp8', 'mxfp8');
    if (family === 'fp4') return has('nvfp4');
    return rows.some((row) => row.scenario.sequenceLength >= 16384);
  });
}

function fitAccelerator(rows: readonly Row[], start: Accelerator['sustained']): Accelerator['sustained'] {
  let best = { ...start };
  let bestLoss = loss(rows, best);
  for (const step of [0.05, 0.02, 0.01]) {
    for (let moved = true; moved; ) {
      moved = false;
      for (const family of informed(rows)) {
        for (const sign of [-1, 1]) {
          const value = Number((best[family] + sign * step).toFixed(3));
          if (value < bounds.low || value > bounds.high) continue;
          const tried = { ...best, [family]: value };
          const triedLoss = loss(rows, tried);
          if (triedLoss < bestLoss - 1e-5) {
            best = tried;
            bestLoss = triedLoss;
            moved = true;
          }
        }
      }
    }
  }
  return best;
}

function write(id: string, fitted: Accelerator['sustained'], rows: readonly Row[]): void {
  const file = `presets/accelerators/${id}.yaml`;
  const text = readFileSync(file, 'utf8');
  const counts = new Map<string, number>();
  for (const row of rows) counts.set(row.family, (counts.get(row.family) ?? 0) + 1);
  const origin = `Fitted on ${rows.length} rows of the shipped runs by tools/fit.ts: ${[...counts].map(([family, n]) => `${family} ${n}`).join(', ')}`;
  const lines = informed(rows).map(
    (family) => `  ${family}: { value: ${fitted[family]}, kind: fitted, source: trainingFit }`,
  );
  const block = `# What a training step sustains of a kernel measured alone.\nsustained:\n${lines.join('\n')}\n\n`;
  const cleaned = text
    .replace(/# What a training step sustains[^\n]*\nsustained:\n(?: {2}[^\n]*\n)+\n/, '')
    .replace(/ {2}trainingFit: [^\n]*\n/, '');
  const placed = cleaned
    .replace(/(# \[sequence length, fraction)/, `${block}$1`)
    .replace(/(\nsources:\n)/, `$1  trainingFit: ${JSON.stringify(origin)}\n`);
  writeFileSync(file, placed);
}

const byAccelerator = new Map<string, Row[]>();
for (const row of scoredRows()) {
  const id = row.scenario.cluster.accelerator.id;
  byAccelerator.set(id, [...(byAccelerator.get(id) ?? []), row]);
}
for (const [id, rows] of byAccelerator) {
  const first = rows[0];
  if (first === undefined || rows.length < fewestRows) continue;
  const start = first.scenario.cluster.accelerator.sustained;
  const fitted = fitAccelerator(rows, start);
  const shown = informed(rows)
    .map((family) => `${family} ${fitted[family]}`)
    .join(', ');
  console.log(
    `${id.padEnd(16)} ${String(rows.length).padStart(5)} rows  ${loss(rows, start).toFixed(3)} -> ${loss(rows, fitted).toFixed(3)}  ${shown}`,
  );
  if (flags.write) write(id, fitted, rows);
}
