import { parseDocument } from 'yaml';
import type { FitResult } from '../src/calibration/fit/fit.js';
import type { Parameter } from '../src/calibration/fit/parameters.js';

/** What a fit says about one preset: the figures, and in words what each rests on. */
export interface FittedFigure {
  readonly parameter: Parameter;
  readonly value: number;
  /** `Fitted by npm run fit on 363 of the shipped runs: dgxc 231, ...`; for figures that no run informs, what they were taken from. */
  readonly origin: string;
  readonly kind: 'fitted' | 'estimate';
}

export function fittedFigures(parameters: readonly Parameter[], { values, informedBy }: FitResult): FittedFigure[] {
  return parameters.map((parameter, index) => {
    const families = new Map<string, number>();
    const rows = informedBy[index] ?? [];
    for (const { run } of rows) families.set(run.family, (families.get(run.family) ?? 0) + 1);
    const counts = [...families].sort(([a], [b]) => (a < b ? -1 : 1)).map(([family, count]) => `${family} ${count}`);
    const parent = parameters[parameter.parent];
    const origin =
      rows.length > 0
        ? `Fitted by npm run fit on ${rows.length} of the shipped runs: ${counts.join(', ')}`
        : `No shipped run depends on it: expected near ${parent === undefined ? parameter.prior : parent.id} (src/calibration/fit/constants.ts)`;
    return {
      parameter,
      value: values[index] ?? parameter.prior,
      origin,
      kind: rows.length > 0 ? 'fitted' : 'estimate',
    };
  });
}

/** A file of presets/frameworks with the figures of its base and versions in place; everything else, comments included, stays. */
export function withFrameworkFigures(text: string, figures: readonly FittedFigure[]): string {
  const origins = new Map<string, string>();
  const document = parseDocument(text);
  const edits: { from: number; to: number; text: string }[] = [];
  for (const { parameter, value, origin, kind } of figures) {
    const node = document.getIn(nodePath(text, parameter), true) as { range?: [number, number, number] } | undefined;
    if (node?.range === undefined) continue;
    const [from, to] = node.range;
    const source = keyOf(parameter, origin, origins);
    edits.push({ from, to, text: `{ value: ${printed(value)}, kind: ${kind}, source: ${source} }` });
  }
  let result = text;
  for (const { from, to, text: replacement } of edits.sort((a, b) => b.from - a.from)) {
    result = result.slice(0, from) + replacement + result.slice(to);
  }
  const lines = [...origins].map(([origin, key]) => `  ${key}: ${JSON.stringify(origin)}\n`).join('');
  return result.replaceAll(/^ {2}fit\w*: .*\n/gm, '').replace(/^base:\n/m, `${lines}base:\n`);
}

function nodePath(text: string, { kind, version, path }: Parameter): (string | number)[] {
  if (kind === 'framework') return ['base', ...path];
  const versions = (parseDocument(text).toJS() as { versions: { version: string }[] }).versions;
  return ['versions', versions.findIndex((one) => one.version === version), ...path];
}

/** One key of `sources` for each distinct origin, named after the first figure that has it. */
function keyOf({ kind, version, path }: Parameter, origin: string, origins: Map<string, string>): string {
  const known = origins.get(origin);
  if (known !== undefined) return known;
  const words = [...(kind === 'version' ? version.split(/[^a-z0-9]+/) : []), ...path];
  const key = `fit${words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')}`;
  origins.set(origin, key);
  return key;
}

/** A file of presets/accelerators with its block of sustained rates. */
export function withSustainedRates(text: string, figures: readonly FittedFigure[]): string {
  const origins = new Map<string, string>();
  const lines = figures.map(({ parameter, value, origin, kind }) => {
    const known = origins.get(origin);
    const key = known ?? `fit${(parameter.path[1] ?? '').replace(/^./, (letter) => letter.toUpperCase())}`;
    origins.set(origin, key);
    return `  ${parameter.path[1]}: { value: ${printed(value)}, kind: ${kind}, source: ${key} }\n`;
  });
  const block = `# What a training step sustains of a kernel measured alone.\nsustained:\n${lines.join('')}\n`;
  const sources = [...origins].map(([origin, key]) => `  ${key}: ${JSON.stringify(origin)}\n`).join('');
  const cleaned = text
    .replace(/# What a training step sustains[^\n]*\nsustained:\n(?: {2}[^\n]*\n)+\n/, '')
    .replaceAll(/^ {2}(?:trainingFit|fit(?:Bf16|Fp8|Mxfp8|Fp4|Attention)): .*\n/gm, '');
  const before = /^# \[sequence length, fraction/m.test(cleaned)
    ? /^(# \[sequence length, fraction)/m
    : /^(sources:\n)/m;
  return cleaned.replace(before, `${block}$1`).replace(/^(sources:\n)/m, `$1${sources}`);
}

function printed(value: number): string {
  return value < 0.01 ? value.toExponential(2) : String(Number(value.toPrecision(3)));
}
