import type { GroupScore, Score } from '../calibration/score.js';
import { groupBy } from '../calibration/statistics.js';
import type { ValidatedRun, ValidationResult, ValidationSummary } from '../calibration/validate.js';

export interface ValidationTableOptions {
  /** How many of the worst predicted runs to list. */
  readonly worst: number;
}

const width = 80;

/** The score as a text of 80 columns: headline, families, memory, decisions, ranking, and what was left out. */
export function validationTable(result: ValidationResult, options: ValidationTableOptions): string {
  const { runs, summary } = result;
  const sections = [
    headline(summary),
    families(summary),
    memory(summary),
    outOfMemory(summary),
    ranking(summary),
    leftOut(runs, summary),
    worstRuns(runs, options.worst),
  ];
  return `${sections
    .filter((section) => section.length > 0)
    .map((section) => section.join('\n'))
    .join('\n\n')}\n`;
}

function headline(summary: ValidationSummary): string[] {
  const { baseline, leftOut } = summary;
  const row = (title: string, pick: (score: Score) => number | null, meaning: string, print = percent) => {
    const without = leftOut === null ? '' : print(pick(leftOut)).padStart(10);
    const cells = `${print(pick(summary)).padStart(9)}${without}${print(pick(baseline)).padStart(10)}`;
    return `  ${title.padEnd(16)}${cells}   ${meaning}`.trimEnd();
  };
  return [
    `Predicted against measured: ${plural(summary.stepCount, 'step time')} of ${plural(summary.count, 'run')}`,
    '',
    `STEP TIME${'slipway'.padStart(18)}${leftOut === null ? '' : 'left out+'.padStart(10)}${'one-line*'.padStart(10)}`,
    row('family-balanced', (score) => score.familyBalancedMedianAbsStepError, 'median of the families'),
    row('median error', (score) => score.medianAbsStepError, 'of all runs, absolute'),
    row('mean error', (score) => score.meanAbsStepError, ''),
    row('90th percentile', (score) => score.p90AbsStepError, ''),
    row('bias', (score) => score.bias, 'mean, signed; negative: optimistic', signedPercent),
    row('balanced bias', (score) => score.familyBalancedBias, 'median of families, signed', signedPercent),
    '  * FLOPs / (accelerators x peak x the median efficiency of these very runs)',
    ...(leftOut === null ? [] : ['  + each family predicted with constants fitted to the others alone']),
  ];
}

function families(summary: ValidationSummary): string[] {
  const { leftOut } = summary;
  const columns = ['runs', 'median', 'mean', 'p90', 'bias', ...(leftOut === null ? [] : ['left out'])];
  const title = `${'FAMILY'.padEnd(22)}${[...columns, 'one-line'].map(familyCell).join('')}`;
  const entries = Object.entries(summary.byFamily).sort(([a], [b]) => a.localeCompare(b));
  const rows = entries.map(([family, group]) => {
    const others = [...(leftOut === null ? [] : [leftOut]), summary.baseline];
    return familyRow(
      family,
      group,
      others.map(({ byFamily }) => byFamily[family]),
    );
  });
  return entries.length < 2 ? [] : [title, ...rows];
}

/** A family's score, and the median error of others on the same runs. */
function familyRow(family: string, group: GroupScore, others: readonly (GroupScore | undefined)[]): string {
  const cells = [
    String(group.stepCount),
    percent(group.medianAbsStepError),
    percent(group.meanAbsStepError),
    percent(group.p90AbsStepError),
    signedPercent(group.bias),
  ];
  const medians = others.map((other) => percent(other?.medianAbsStepError ?? null));
  return `  ${clipped(family, 19).padEnd(20)}${[...cells, ...medians].map(familyCell).join('')}`;
}

/** Runs and four errors, then the medians of others under longer titles. */
function familyCell(text: string, column: number): string {
  return text.padStart(column < 5 ? 8 : 9);
}

function memory(summary: ValidationSummary): string[] {
  const kinds = Object.entries(summary.memoryByKind);
  const rows = kinds.map(([kind, score]) => {
    const errors = [percent(score.medianAbsMemoryError), percent(score.meanAbsMemoryError)];
    return `  ${kind.padEnd(28)}${[String(score.count), ...errors, '', signedPercent(score.bias)].map(cell).join('')}`;
  });
  const title = `${'PEAK MEMORY, by counter'.padEnd(30)}${['runs', 'median', 'mean', '', 'bias'].map(cell).join('')}`;
  return rows.length === 0 ? [] : [title, ...rows];
}

function outOfMemory(summary: ValidationSummary): string[] {
  const reporting = Object.entries(summary.byFamily).filter(([, group]) => ranOut(group));
  if (summary.outOfMemory.count === 0) return [];
  const rows = reporting.map(([family, group]) => decisionRow(family, group));
  const title = `${'FITS OR NOT'.padEnd(30)}${['runs', 'right'].map(cell).join('')}  said fits  said does not`;
  return [title, decisionRow('all with a known end', summary), ...rows];
}

/** Families that report runs out of memory are the real test: elsewhere 'fits' is always right. */
function ranOut(group: GroupScore): boolean {
  return group.outOfMemory.count > group.stepCount;
}

function decisionRow(title: string, { outOfMemory: decisions }: GroupScore): string {
  const right = decisions.count === 0 ? null : decisions.right / decisions.count;
  const wrong = `${String(decisions.saidFits).padStart(11)}${String(decisions.saidDoesNotFit).padStart(15)}`;
  return `  ${clipped(title, 27).padEnd(28)}${[String(decisions.count), percent(right)].map(cell).join('')}${wrong}`;
}

function ranking(summary: ValidationSummary): string[] {
  const { sweeps } = summary.ranking;
  if (sweeps === 0) return [];
  const row = (title: string, { ranking: score }: GroupScore) =>
    `  ${title.padEnd(17)}median ${percent(score.medianRegret)}, worst ${percent(score.worstRegret)}`;
  return [
    `RANKING: time lost by taking the first choice, over ${plural(sweeps, 'sweep')} of layouts`,
    row('slipway', summary),
    row('one-line', summary.baseline),
  ];
}

function leftOut(runs: readonly ValidatedRun[], summary: ValidationSummary): string[] {
  const { unknownFields: apart } = summary;
  const skipped = runs.filter((run) => run.skipped !== null);
  const lines: string[] = [];
  if (apart.count > 0) {
    const scores = `${percent(apart.familyBalancedMedianAbsStepError)}`;
    const rival = `one-line ${percent(apart.baseline.familyBalancedMedianAbsStepError)}`;
    lines.push(`  ${plural(apart.count, 'run')} with fields left open, scored apart: ${scores} (${rival})`);
  }
  if (summary.excluded > 0) lines.push(`  ${plural(summary.excluded, 'run')} whose source contradicts itself`);
  if (skipped.length > 0) lines.push(`  ${skipped.length} skipped (${percent(skipped.length / runs.length)}):`);
  lines.push(...reasons(skipped));
  return lines.length === 0 ? [] : ['NOT IN THE SCORE', ...lines];
}

function reasons(skipped: readonly ValidatedRun[]): string[] {
  // Messages differ in their numbers only; they are one reason.
  const groups = groupBy(skipped, (run) => (run.skipped ?? '').replaceAll(/\d[\d,.]*/g, '#'));
  return [...groups.values()]
    .sort((a, b) => b.length - a.length)
    .flatMap((group) => {
      const lines = wrapped(group[0]?.skipped ?? '', width - 10);
      return lines.map((line, index) => `  ${(index === 0 ? String(group.length) : '').padStart(6)}  ${line}`);
    });
}

function worstRuns(runs: readonly ValidatedRun[], worst: number): string[] {
  const scored = runs.filter((run) => run.scoredIn === 'summary' && run.stepError !== null);
  const rows = scored.sort((a, b) => Math.abs(b.stepError ?? 0) - Math.abs(a.stepError ?? 0)).slice(0, worst);
  if (rows.length === 0) return [];
  const title = `${'WORST PREDICTED'.padEnd(48)}${['measured', 'predicted', 'error'].map((text) => text.padStart(10)).join('')}`;
  return [title, ...rows.map(worstRow)];
}

function worstRow({ id, measured, predicted, stepError }: ValidatedRun): string {
  const cells = [seconds(measured.stepSeconds), seconds(predicted?.stepSeconds), signedPercent(stepError)];
  return `  ${clipped(id, 45).padEnd(46)}${cells.map((text) => text.padStart(10)).join('')}`;
}

function cell(text: string): string {
  return text.padStart(8);
}

function percent(fraction: number | null): string {
  if (fraction === null) return '-';
  // A wild row must not push the columns apart, and its digits say nothing.
  return fraction >= 10 ? '>999 %' : `${(100 * fraction).toFixed(1)} %`;
}

function signedPercent(fraction: number | null): string {
  return fraction !== null && fraction > 0 && fraction < 10 ? `+${percent(fraction)}` : percent(fraction);
}

function seconds(value: number | undefined): string {
  return value === undefined ? '-' : `${value >= 100 ? value.toFixed(0) : value.toPrecision(3)} s`;
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function wrapped(text: string, length: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/)) {
    const longer = `${lines.at(-1) ?? ''} ${word}`.trim();
    if (lines.length > 0 && longer.length <= length) lines[lines.length - 1] = longer;
    else lines.push(clipped(word, length));
  }
  return lines;
}

function clipped(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 3)}...`;
}
