import type { ComparedValue, Comparison } from '../planner/compare/compareEstimates.js';
import type { GapReport } from '../planner/compare/explainGap.js';
import { formatRatio, formatSeconds, grouped } from '../quantity/format.js';
import { formatCell } from './sweepTable.js';
import { bar, intervalText, type TextStyle, tint, wrapped } from './text.js';
import { bytesParts, secondsParts, type WaterfallParts } from './waterfallParts.js';

/** Estimates side by side: what differs is marked, what is the same takes one line; then why the first and each other differ. */
export function compareTable(comparison: Comparison, style: TextStyle): string {
  const sections = [
    ...sideBySide(comparison, style),
    common(comparison, style),
    ...comparison.waterfalls.flatMap(({ from, to, step, memory }) => [
      waterfallLines(`Step, from ${from} to ${to}`, secondsParts(step), style),
      waterfallLines(`Allocated on the fullest stage, from ${from} to ${to}`, bytesParts(memory), style),
    ]),
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

/** A figure, and the interval that it lies in below it. */
function withInterval(figure: ComparedValue, { intervals }: Comparison): readonly ComparedValue[] {
  const values = intervals.find(({ key }) => key === figure.key)?.values;
  if (values === undefined || values.every((value) => value === null)) return [figure];
  const texts = values.map((value) =>
    value === null ? null : intervalText(value, (end) => formatCell(figure.key, end)),
  );
  return [figure, { key: `${figure.key} 80 % range`, values: texts, differs: figure.differs }];
}

/** Tables of as many estimates as the width holds. */
function sideBySide(comparison: Comparison, style: TextStyle): readonly (readonly string[])[] {
  const { names, settings, figures } = comparison;
  const rows = [
    ...settings.filter(({ differs }) => differs),
    ...figures
      .filter(({ values }) => values.some((value) => value !== null))
      .flatMap((figure) => withInterval(figure, comparison)),
  ];
  const labels = rows.map(({ key }) => shortKey(key));
  const lead = Math.max(...labels.map(({ length }) => length), 8) + 2;
  const cells = rows.map((row) => row.values.map((value) => formatCell(row.key, value)));
  const shown = names.map((name) => clipped(name, 22));
  const widths = shown.map((name, i) => Math.max(name.length, ...cells.map((row) => row[i]?.length ?? 0)));
  const tables: string[][] = [];
  let from = 0;
  while (from < names.length) {
    let to = from;
    let used = lead;
    // The first one stands in every table, for comparison.
    if (from > 0) used += 2 + (widths[0] ?? 0);
    while (to < names.length && (to === from || used + 2 + (widths[to] ?? 0) <= style.columns)) {
      used += 2 + (widths[to] ?? 0);
      to += 1;
    }
    const columns = [...(from > 0 ? [0] : []), ...Array.from({ length: to - from }, (_, i) => from + i)];
    const line = (first: string, texts: readonly string[]): string =>
      `${first.padEnd(lead)}${columns.map((i) => `  ${(texts[i] ?? '').padStart(widths[i] ?? 0)}`).join('')}`.trimEnd();
    tables.push([
      tint(line('', shown), 'bold', style),
      ...rows.map((row, i) => marked(line(`${row.differs ? '*' : ' '} ${labels[i]}`, cells[i] ?? []), row, style)),
    ]);
    from = to;
  }
  return tables;
}

function marked(text: string, { differs }: ComparedValue, style: TextStyle): string {
  return differs ? tint(text, 'yellow', style) : text;
}

/** Settings that are off or left to nobody's interest say nothing. */
function common({ settings, names }: Comparison, style: TextStyle): readonly string[] {
  const off = new Set<unknown>([null, false, 0, 1, 'none', 'ddp']);
  const same = settings.filter(({ differs, values }) => !differs && !off.has(values[0] ?? null));
  const words = same.map(({ key, values }) => `${shortKey(key)}=${formatCell(key, values[0] ?? null)}`);
  return words.length === 0
    ? []
    : wrapped(names.length === 2 ? 'Same in both: ' : 'Same in all: ', words, style.columns);
}

/** From one total to the other. */
function waterfallLines(title: string, { before, after, parts }: WaterfallParts, style: TextStyle): readonly string[] {
  const line = (name: string, number: string): string => `  ${name.padEnd(18)} ${number.padStart(13)}`;
  return [
    tint(title, 'bold', style),
    line('before', before),
    ...parts.map(({ cause, text, share, grows }) =>
      `${line(cause, text)}  ${tint(bar(share, 24), grows ? 'red' : 'green', style)}`.trimEnd(),
    ),
    ...(parts.length === 0 ? ['  no difference'] : []),
    line('after', after),
  ];
}

export function shortKey(key: string): string {
  return key.replace(/^(strategy|memory|throughput|training|run)\./, '').replace('.', ' ');
}

function clipped(text: string, room: number): string {
  return text.length <= room ? text : `...${text.slice(text.length - room + 3)}`;
}

const MOST_CAUSES = 12;

/** The causes of a gap for people, likeliest first. */
export function gapTable(report: GapReport, name: string, style: TextStyle): string {
  const { estimatedSeconds, measuredSeconds, gapDelta, causes, estimatedSecondsInterval } = report;
  const direction = gapDelta >= 0 ? 'slower' : 'faster';
  const head = `${name}: measured ${formatSeconds(measuredSeconds)}, estimated ${formatSeconds(estimatedSeconds)}: ${formatRatio(Math.abs(gapDelta))} ${direction} than estimated`;
  const [low, high] = estimatedSecondsInterval;
  const place = measuredSeconds >= low && measuredSeconds <= high ? 'inside' : 'outside';
  const range = `${place} the 80 % range of like runs, ${intervalText(estimatedSecondsInterval, formatSeconds)}`;
  const lines = causes.slice(0, MOST_CAUSES).flatMap(({ name: cause, setting, stepSeconds, explains, fits, about }) => {
    const share = `${grouped(Math.round(explains * 100))} %`.padStart(6);
    const words = [cause, ...(setting === '' ? [] : [setting])].join(', ');
    const then =
      about === 'run'
        ? `step ${formatSeconds(stepSeconds)}${fits ? '' : ', but does not fit'}`
        : `measured ${formatSeconds(stepSeconds)}`;
    return wrapped(`${share}  `, `${words}: ${then}`.split(' '), style.columns);
  });
  const title = 'What could account for it, alone, and how much of it; likeliest first';
  const none = ['  nothing in this list moves the estimate that way'];
  return `${[...wrapped('', `${head}; ${range}`.split(' '), style.columns), '', tint(title, 'bold', style), ...(lines.length > 0 ? lines : none)].join('\n')}\n`;
}
