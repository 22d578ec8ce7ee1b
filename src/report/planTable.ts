import type { Estimate } from '../planner/estimateResult.js';
import type { PlanDocument, WhyNotDocument } from '../planner/search/planDocument.js';
import { formatBytes, formatCount, formatDollars, formatRatio, formatSeconds, grouped } from '../quantity/format.js';
import { stepCauses } from './causes.js';
import { strategyLabel } from './strategyLabel.js';
import { intervalText, row, type TextStyle, tint, wrapped } from './text.js';

/** The search's answer for people: the plans, what limits the best one, what was ruled out and why. */
export function planTable(plan: PlanDocument, question: Question, style: TextStyle): string {
  const [winner] = plan.plans;
  const sections = [
    heading(question, style),
    ...(winner === undefined
      ? [nothing(plan, style)]
      : [planRows(plan, question, style), limits(winner, style), better(winner, style)]),
    ...plan.whyNot.map((answer) => whyNotLines(answer, winner, style)),
    effort(plan, style),
  ];
  const text = sections.filter((lines) => lines.length > 0).map((lines) => lines.join('\n'));
  return `${text.join('\n\n')}\n`;
}

/** What was asked, for the heading. */
export interface Question {
  readonly model: string;
  readonly cluster: string;
  readonly accelerators: readonly number[];
  readonly globalBatchSize: number;
  readonly sequenceLength: number;
  readonly framework: string;
  /** Keys of the strategy that the user settled, as `key=value`. */
  readonly settled: readonly string[];
}

function heading(question: Question, style: TextStyle): readonly string[] {
  const { accelerators, settled } = question;
  const [first = 0] = accelerators;
  const sizes =
    accelerators.length > 1 ? `${grouped(first)} to ${grouped(accelerators.at(-1) ?? first)}` : grouped(first);
  const words = `on ${sizes} accelerators of ${question.cluster}, batch ${grouped(question.globalBatchSize)} x ${grouped(question.sequenceLength)} tokens, ${question.framework}`;
  return [
    ...wrapped('', [tint(question.model, 'bold', style), ...words.split(' ')], style.columns),
    ...(settled.length === 0
      ? []
      : wrapped('settled: ', settled, style.columns).map((line) => tint(line, 'dim', style))),
  ];
}

/** One column of the plans. */
interface PlanColumn {
  readonly head: string;
  readonly width: number;
  readonly cell: (plan: Estimate) => string;
}

/** Figures with their error bars; sizes, days and cost where there are any. */
function planColumns({ plans }: PlanDocument, question: Question): readonly PlanColumn[] {
  const all = (known: (plan: Estimate) => unknown): boolean => plans.every((plan) => known(plan) !== null);
  const sized = question.accelerators.length > 1;
  const columns: (PlanColumn | false)[] = [
    sized && { head: 'accel.', width: 7, cell: ({ run }) => grouped(run.accelerators) },
    { head: 'step', width: 7, cell: ({ step }) => formatSeconds(step.seconds) },
    { head: '80 % range', width: 12, cell: ({ step }) => intervalText(step.secondsInterval, formatSeconds) },
    { head: 'MFU', width: 6, cell: ({ throughput }) => formatRatio(throughput.mfu) },
    { head: 'memory', width: 8, cell: ({ memory }) => formatBytes(memory.deviceBytes) },
    { head: 'risk', width: 5, cell: ({ memory }) => percentText(memory.probabilityOfNotFitting) },
    all(({ training }) => training.days) && {
      head: 'days',
      width: 5,
      cell: ({ training }) => shortNumber(training.days ?? 0),
    },
    all(({ training }) => training.costUsd) && {
      head: 'cost',
      width: 12,
      cell: ({ training }) => formatDollars(training.costUsd ?? 0),
    },
  ];
  return columns.filter((column) => column !== false);
}

/** Figures in one line, the strategy behind them where there is room and below them where not. */
function planRows(document: PlanDocument, question: Question, style: TextStyle): readonly string[] {
  const { plans, pareto, paretoAxes } = document;
  const columns = planColumns(document, question);
  const widths = [3, ...columns.map(({ width }) => width)];
  const lead = widths.reduce((sum, width) => sum + width + 1, 1);
  const below = lead > style.columns / 2;
  const lines = plans.flatMap((plan, index) => {
    const number = `${index + 1}${pareto.includes(index) ? '*' : ''}`;
    const figures = row([number, ...columns.map(({ cell }) => cell(plan))], widths);
    const label = strategyLabel(plan.run.strategy, plan.run.accelerators).split(' ');
    return below
      ? [figures, ...wrapped('    ', label, style.columns)]
      : wrapped(figures.padEnd(lead), label, style.columns);
  });
  const head = row(['#', ...columns.map((column) => column.head)], widths).padEnd(lead) + (below ? '' : 'strategy');
  const notes = [
    ...(plans.length > 1 ? [`* no other plan listed is better in all of ${paretoAxes.join(', ')};`] : []),
    'risk: chance of not fitting; 80 % of runs like these take a step within the range',
  ];
  return [
    tint(head.trimEnd(), 'bold', style),
    ...lines,
    ...wrapped('', notes.join(' ').split(' '), style.columns).map((line) => tint(line, 'dim', style)),
  ];
}

/** A chance in whole percent; certainty is not claimed. */
function percentText(probability: number): string {
  const percent = Math.round(100 * probability);
  if (percent < 1) return '<1 %';
  return percent > 99 ? '>99 %' : `${percent} %`;
}

function shortNumber(value: number): string {
  return value >= 100 ? grouped(Math.round(value)) : value.toPrecision(3);
}

/** The largest parts of the best step. */
function limits({ step, memory }: Estimate, style: TextStyle): readonly string[] {
  const parts = stepCauses
    .map(({ key, name }) => ({ name, share: step.breakdown[key] / step.seconds }))
    .filter(({ share }) => share >= 0.01)
    .sort((a, b) => b.share - a.share);
  const free = memory.capacityBytes - memory.deviceBytes;
  const words = `${parts.map(({ name, share }) => `${name} ${formatRatio(share)}`).join(', ')}; ${formatBytes(Math.max(0, free))} of ${formatBytes(memory.capacityBytes)} stay free`;
  return [tint('What limits the best plan', 'bold', style), ...wrapped('  ', words.split(' '), style.columns)];
}

function better({ advice }: Estimate, style: TextStyle): readonly string[] {
  if (advice.length === 0) return [];
  const lines = advice.flatMap(({ message }) => wrapped('  - ', message.split(' '), style.columns));
  return [tint('What would help beyond the search', 'cyan', style), ...lines];
}

function nothing({ nearestMiss, remedies, complete }: PlanDocument, style: TextStyle): readonly string[] {
  const conditional = nearestMiss?.reason.code === 'condition';
  const found = conditional ? 'NOTHING MEETS THE CONDITIONS' : 'NOTHING FITS';
  const lines = [tint(complete ? found : 'NOTHING FOUND before the search was stopped', 'red', style)];
  if (nearestMiss !== null) {
    const { evaluation, strategy, reason } = nearestMiss;
    const label = evaluation === null ? '' : `${strategyLabel(strategy, acceleratorsOf(nearestMiss))}: `;
    const words = conditional ? reason.message : `nearest miss: ${label}${reason.message}`;
    lines.push(...wrapped('', words.split(' '), style.columns));
  }
  if (remedies.length > 0) lines.push(tint(conditional ? 'What can be had' : 'What makes it fit', 'cyan', style));
  for (const { change, plan } of remedies) {
    const { step, memory, run, training } = plan;
    const figures = [
      `${formatSeconds(step.seconds)} a step`,
      formatBytes(memory.deviceBytes),
      ...(training.days === null ? [] : [formatSeconds(training.days * 86_400)]),
      ...(training.costUsd === null ? [] : [formatDollars(training.costUsd)]),
      `${grouped(run.accelerators)} accelerators`,
      strategyLabel(run.strategy, run.accelerators),
    ];
    lines.push(...wrapped('  - ', `${change}: ${figures.join(', ')}`.split(' '), style.columns));
  }
  return lines;
}

function acceleratorsOf({ strategy: s, evaluation }: NonNullable<PlanDocument['nearestMiss']>): number {
  return (evaluation?.dataParallel ?? 1) * s.tensorParallel * s.contextParallel * s.pipelineParallel;
}

function whyNotLines(answer: WhyNotDocument, winner: Estimate | undefined, style: TextStyle): readonly string[] {
  const title = tint(`Why not ${answer.asked}`, 'bold', style);
  return [title, ...whyNotTexts(answer, winner).flatMap((text) => wrapped('  ', text.split(' '), style.columns))];
}

/** The answer to a why-not, a sentence a line: how it compares with the best plan, or what binds and what is nearest to it. */
export function whyNotTexts(
  { plan, reason, nearest, given }: Omit<WhyNotDocument, 'asked'>,
  winner: Estimate | undefined,
): readonly string[] {
  const texts: string[] = [];
  if (plan !== null) texts.push(comparison(plan, winner));
  if (reason !== null) texts.push(`it does not work: ${reason}`);
  if (nearest !== null) {
    const { run, step } = nearest;
    const label = strategyLabel(run.strategy, run.accelerators);
    texts.push(`nearest that works, without ${given.join(', ')}: ${formatSeconds(step.seconds)} a step, ${label}`);
  }
  return texts;
}

/** What makes the plan asked for slower than the best: the parts that grew most. */
function comparison(plan: Estimate, winner: Estimate | undefined): string {
  const label = strategyLabel(plan.run.strategy, plan.run.accelerators);
  const own = `it works: ${formatSeconds(plan.step.seconds)} a step, ${formatBytes(plan.memory.deviceBytes)}, ${label}`;
  if (winner === undefined) return own;
  const ratio = plan.step.seconds / winner.step.seconds - 1;
  if (ratio <= 0) return `${own}; as fast as the best plan`;
  const grown = stepCauses
    .map(({ key, name }) => ({ name, more: plan.step.breakdown[key] - winner.step.breakdown[key] }))
    .filter(({ more }) => more > 0.1 * (plan.step.seconds - winner.step.seconds))
    .sort((a, b) => b.more - a.more)
    .slice(0, 3)
    .map(({ name, more }) => `${formatSeconds(more)} more ${name}`);
  return `${own}; ${formatRatio(ratio)} slower than the best plan${grown.length > 0 ? `: ${grown.join(', ')}` : ''}`;
}

const reasons: Readonly<Record<string, string>> = {
  memory: 'do not fit',
  bound: 'are proven to be worse',
  worse: 'came out worse when simulated',
  condition: 'break a condition',
  unsearched: 'were not looked at',
};

function effort(
  { searched, evaluated, simulated, complete, rejectedByReason }: PlanDocument,
  style: TextStyle,
): readonly string[] {
  const counts = Object.entries(rejectedByReason).map(
    ([reason, count]) => `${formatCount(count)} ${reasons[reason] ?? reason}`,
  );
  const proof = complete ? 'nothing better is left' : 'stopped early, better plans may be left';
  const ruledOut = counts.length === 0 ? '' : `: ${counts.join(', ')}`;
  const words = `${formatCount(searched)} legal candidates${ruledOut}; ${grouped(evaluated)} worked out, ${grouped(simulated)} simulated; ${proof}`;
  return wrapped('', words.split(' '), style.columns).map((line) => tint(line, 'dim', style));
}
