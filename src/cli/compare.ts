import { basename } from 'node:path';
import { SlipwayError } from '../errors.js';
import type { FlopsConvention } from '../model/flops.js';
import { compareEstimates, type NamedEstimate } from '../planner/compare/compareEstimates.js';
import { explainGap, type Measured } from '../planner/compare/explainGap.js';
import { estimate } from '../planner/estimate.js';
import type { Estimate } from '../planner/estimateResult.js';
import { parseQuantity } from '../quantity/parseQuantity.js';
import { compareTable, gapTable } from '../report/compareTable.js';
import { toJson } from '../report/json.js';
import type { TextStyle } from '../report/text.js';
import { loadRun, type RunFileSource } from '../scenario/loadScenario.js';
import type { Override } from '../scenario/setPath.js';
import type { CommandOutput } from './program.js';
import { type FlagValues, overridesOf, sourceOf } from './runFileArguments.js';

/** `slipway compare a.yaml b.yaml ...`, and `slipway compare run.yaml --measured 8.3s`. Exit 1 where one of them does not fit. */
export async function runCompare(
  files: readonly string[],
  flags: FlagValues,
  style: TextStyle,
): Promise<CommandOutput> {
  const overrides = overridesOf(flags);
  const convention = flags.flopsConvention as FlopsConvention;
  if (typeof flags.measured === 'string')
    return explained(files, flags.measured, overrides, convention, flags.json === true, style);
  if (files.length < 2) {
    throw new SlipwayError(
      'invalid-run-file',
      'two files are compared; or give --measured 8.3s to explain a gap to reality',
    );
  }
  const named: NamedEstimate[] = [];
  for (const file of files) named.push(...(await estimatesOf(file, overrides, convention)));
  const comparison = compareEstimates(uniquelyNamed(named));
  const text = flags.json === true ? toJson(comparison) : compareTable(comparison, style);
  return { text, exitCode: named.every(({ estimate: { memory } }) => memory.fits) ? 0 : 1 };
}

async function explained(
  files: readonly string[],
  given: string,
  overrides: readonly Override[],
  convention: FlopsConvention,
  json: boolean,
  style: TextStyle,
): Promise<CommandOutput> {
  const [file] = files;
  if (file === undefined || files.length > 1) {
    throw new SlipwayError('invalid-run-file', 'a measurement is of one run; give one run file', { key: '--measured' });
  }
  const { scenario } = await loadRun(sourceOf(file), overrides);
  const report = explainGap(scenario, measuredOf(given), convention);
  return { text: json ? toJson(report) : gapTable(report, scenario.model.name, style), exitCode: 0 };
}

/** `8.3s`, `41 %` of the peak, `410 TFLOP/s` per accelerator, or `52000 tokens/s` of the whole cluster. */
function measuredOf(given: string): Measured {
  const text = given.trim();
  const rate = /^(.*?)\s*tokens\/s$/.exec(text)?.[1];
  const measured: Measured =
    rate !== undefined
      ? { kind: 'tokensPerSecond', value: quantityOf(rate, 'count') }
      : /%$/.test(text)
        ? { kind: 'mfu', value: quantityOf(text, 'ratio') }
        : /flops?(\/s)?$/i.test(text)
          ? { kind: 'teraflops', value: quantityOf(text, 'flopsPerSecond') / 1e12 }
          : { kind: 'seconds', value: quantityOf(text, 'seconds') };
  if (measured.value > 0) return measured;
  throw new SlipwayError('invalid-quantity', 'must be more than 0', { key: '--measured' });
}

function quantityOf(text: string, dimension: Parameters<typeof parseQuantity>[1]): number {
  try {
    return parseQuantity(text, dimension);
  } catch (error) {
    if (!(error instanceof SlipwayError)) throw error;
    const expected = 'a time such as 8.3s, a utilisation such as 41 %, 410 TFLOP/s per accelerator, or 52000 tokens/s';
    throw new SlipwayError(error.code, `'${text.slice(0, 40)}' is not ${expected}`, { key: '--measured' });
  }
}

/** A run file's estimate, or those of a document that `estimate --json` or `plan --json` printed. */
async function estimatesOf(
  file: string,
  overrides: readonly Override[],
  convention: FlopsConvention,
): Promise<NamedEstimate[]> {
  const source = sourceOf(file);
  const name = file === '-' ? 'standard input' : basename(file).replace(/\.(ya?ml|json)$/, '');
  const saved = source === undefined ? undefined : savedEstimate(source);
  if (saved !== undefined) return [{ name, estimate: saved }];
  const { run, scenario } = await loadRun(source, overrides);
  const written = { model: run.model, cluster: run.cluster };
  return [{ name, estimate: estimate(scenario, { advice: false, flopsConvention: convention, written }) }];
}

function savedEstimate({ text, file }: RunFileSource): Estimate | undefined {
  if (!text.trimStart().startsWith('{')) return undefined;
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof document !== 'object' || document === null || !('schemaVersion' in document)) return undefined;
  const plans: unknown = Reflect.get(document, 'plans');
  const found: unknown = Array.isArray(plans) ? plans[0] : document;
  if (isEstimate(found)) return found;
  const what = Array.isArray(plans)
    ? 'holds no plan'
    : 'is no run file, and no document of estimate --json or plan --json';
  throw new SlipwayError('invalid-syntax', what, { file });
}

function isEstimate(value: unknown): value is Estimate {
  const at = (...path: readonly string[]): unknown =>
    path.reduce<unknown>(
      (found, key) => (typeof found === 'object' && found !== null ? Reflect.get(found, key) : undefined),
      value,
    );
  return (
    typeof at('step', 'seconds') === 'number' &&
    typeof at('step', 'breakdown', 'computeSeconds') === 'number' &&
    Array.isArray(at('memory', 'stages')) &&
    typeof at('run', 'strategy') === 'object'
  );
}

/** Two files of one name in different folders, or one file twice. */
function uniquelyNamed(named: readonly NamedEstimate[]): readonly NamedEstimate[] {
  const seen = new Map<string, number>();
  return named.map(({ name, estimate: answer }) => {
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return { name: count > 1 ? `${name} (${count})` : name, estimate: answer };
  });
}
