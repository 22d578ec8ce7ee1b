import type { Estimate } from '../planner/estimateResult.js';
import type { PlanDocument, WhyNotDocument } from '../planner/search/planDocument.js';
import { formatBytes, formatCount, formatDollars, formatRatio, formatSeconds, grouped } from '../quantity/format.js';
import { strategyLabel } from './strategyLabel.js';
import { row, type TextStyle, tint, wrapped } from './text.js';

/** The search's answer for people: the plans, what limits the best one, what was ruled out and why. */
export function planTable(plan: PlanDocument, question: Question, style: TextStyle): string {
  const [winner] = plan.plans;
  const sections = [
    heading(question, style),
    ...(winner === undefined
      ? [nothing(plan, style)]
      : [planRows(plan, style), limits(winner, style), better(winner, style)]),
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

function planRows({ plans, pareto, paretoAxes }: PlanDocument, style: TextStyle): readonly string[] {
  const sizes = new Set(plans.map(({ run }) => run.accelerators)).size > 1;
  const costs = plans.every(({ training }) => training.costUsd !== null);
  const days = plans.every(({ training }) => training.days !== null);
  const head = [
    '#',
    'step',
    'MFU',
    'memory',
    ...(sizes ? ['accel.'] : []),
    ...(days ? ['days'] : []),
    ...(costs ? ['cost'] : []),
  ];
  const widths = [3, 8, 7, 9, ...(sizes ? [7] : []), ...(days ? [7] : []), ...(costs ? [13] : [])];
  const lead = widths.reduce((sum, width) => sum + width + 1, 1);
  const lines = plans.flatMap((one, index) => {
    const cells = [
      `${index + 1}${pareto.includes(index) ? '*' : ''}`,
      formatSeconds(one.step.seconds),
      formatRatio(one.throughput.mfu),
      formatBytes(one.memory.deviceBytes),
      ...(sizes ? [grouped(one.run.accelerators)] : []),
      ...(days ? [(one.training.days ?? 0).toPrecision(3)] : []),
      ...(costs ? [formatDollars(one.training.costUsd ?? 0)] : []),
    ];
    const label = strategyLabel(one.run.strategy, one.run.accelerators).split(' ');
    return lead > style.columns / 2
      ? [row(cells, widths), ...wrapped('    ', label, style.columns)]
      : wrapped(row(cells, widths).padEnd(lead), label, style.columns);
  });
  const best = tint(row(head, widths).padEnd(lead) + (lead > style.columns / 2 ? '' : 'strategy'), 'bold', style);
  const note = `* no other plan listed is better in all of ${paretoAxes.join(', ')}`;
  return [best.trimEnd(), ...lines, ...(plans.length > 1 ? wrapped('', note.split(' '), style.columns) : [])];
}

const causes: readonly (readonly [keyof Estimate['step']['breakdown'], string])[] = [
  ['computeSeconds', 'compute'],
  ['recomputeSeconds', 'recomputation'],
  ['tensorParallelSeconds', 'exposed tensor parallelism'],
  ['contextParallelSeconds', 'exposed context parallelism'],
  ['expertParallelSeconds', 'exposed expert parallelism'],
  ['pipelineSendSeconds', 'pipeline messages'],
  ['pipelineBubbleSeconds', 'pipeline bubble and waiting'],
  ['dataParallelSeconds', 'exposed data parallelism'],
  ['optimizerSeconds', 'optimizer'],
  ['offloadSeconds', 'offload'],
  ['otherSeconds', 'host, stragglers and the rest'],
];

/** The largest parts of the best step. */
function limits({ step, memory }: Estimate, style: TextStyle): readonly string[] {
  const parts = causes
    .map(([key, name]) => ({ name, share: step.breakdown[key] / step.seconds }))
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

function nothing(
  { nearestMiss, remedies, rejectedByReason, complete }: PlanDocument,
  style: TextStyle,
): readonly string[] {
  const title = complete ? 'NOTHING FITS' : 'NOTHING FOUND before the search was stopped';
  const lines = [tint(title, 'red', style)];
  if (nearestMiss !== null) {
    const label =
      nearestMiss.evaluation === null ? '' : `${strategyLabel(nearestMiss.strategy, acceleratorsOf(nearestMiss))}: `;
    lines.push(...wrapped('nearest miss: ', `${label}${nearestMiss.reason.message}`.split(' '), style.columns));
  } else if ((rejectedByReason.condition ?? 0) > 0)
    lines.push('candidates fit in memory, but none meets the conditions');
  if (remedies.length > 0) lines.push(tint('What makes it fit', 'cyan', style));
  for (const { change, plan } of remedies) {
    const words = `${change}: ${formatSeconds(plan.step.seconds)} a step, ${formatBytes(plan.memory.deviceBytes)}, ${strategyLabel(plan.run.strategy, plan.run.accelerators)}`;
    lines.push(...wrapped('  - ', words.split(' '), style.columns));
  }
  return lines;
}

function acceleratorsOf({ strategy: s, evaluation }: NonNullable<PlanDocument['nearestMiss']>): number {
  return (evaluation?.dataParallel ?? 1) * s.tensorParallel * s.contextParallel * s.pipelineParallel;
}

function whyNotLines(answer: WhyNotDocument, winner: Estimate | undefined, style: TextStyle): readonly string[] {
  const lines = [tint(`Why not ${answer.asked}`, 'bold', style)];
  if (answer.plan !== null) lines.push(...wrapped('  ', comparison(answer.plan, winner).split(' '), style.columns));
  if (answer.reason !== null)
    lines.push(...wrapped('  ', `it does not work: ${answer.reason}`.split(' '), style.columns));
  if (answer.nearest !== null) {
    const { run, step } = answer.nearest;
    const words = `nearest that works, without ${answer.given.join(', ')}: ${formatSeconds(step.seconds)} a step, ${strategyLabel(run.strategy, run.accelerators)}`;
    lines.push(...wrapped('  ', words.split(' '), style.columns));
  }
  return lines;
}

/** What makes the plan asked for slower than the best: the parts that grew most. */
function comparison(plan: Estimate, winner: Estimate | undefined): string {
  const label = strategyLabel(plan.run.strategy, plan.run.accelerators);
  const own = `it works: ${formatSeconds(plan.step.seconds)} a step, ${formatBytes(plan.memory.deviceBytes)}, ${label}`;
  if (winner === undefined) return own;
  const ratio = plan.step.seconds / winner.step.seconds - 1;
  if (ratio <= 0) return `${own}; as fast as the best plan`;
  const grown = causes
    .map(([key, name]) => ({ name, more: plan.step.breakdown[key] - winner.step.breakdown[key] }))
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
  const words = `${formatCount(searched)} legal candidates: ${counts.join(', ')}; ${grouped(evaluated)} worked out, ${grouped(simulated)} simulated; ${proof}`;
  return wrapped('', words.split(' '), style.columns).map((line) => tint(line, 'dim', style));
}
