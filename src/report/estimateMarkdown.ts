import type { Estimate } from '../planner/estimateResult.js';
import { formatBytes, formatCount, formatDollars, formatRatio, formatSeconds, grouped } from '../quantity/format.js';
import { causeName } from './causes.js';

/** The estimate as Markdown, for a pull request or a wiki: the run, its figures, the step, and what to know about them. */
export function estimateMarkdown(estimate: Estimate): string {
  const { model, run, memory, step } = estimate;
  const cluster = typeof run.cluster === 'string' ? run.cluster : 'the cluster given';
  const sections = [
    `# ${model.name} on ${grouped(run.accelerators)} accelerators of ${cluster}`,
    table(['', ''], figures(estimate)),
    `## Step, ${formatSeconds(step.seconds)}`,
    table(['cause', 'seconds', 'share'], causes(estimate)),
    '## Memory by stage',
    table(
      ['stage', 'layers', 'weights', 'gradients', 'optimizer', 'activations', 'buffers', 'overhead'],
      memory.stages.map((stage) => [
        `${stage.stage}`,
        `${stage.layers}`,
        ...[
          stage.weightsBytes,
          stage.gradientsBytes,
          stage.optimizerBytes,
          stage.activationsBytes,
          stage.buffersBytes,
          stage.overheadBytes,
        ].map(formatBytes),
      ]),
    ),
    ...list('Warnings', estimate.warnings),
    ...list('Better', estimate.advice),
  ];
  return `${sections.join('\n\n')}\n`;
}

function figures({ run, memory, throughput, training }: Estimate): string[][] {
  const { strategy: s } = run;
  const fits = memory.fits ? 'fits' : 'does not fit';
  const shape = `TP ${s.tensorParallel}, CP ${s.contextParallel}, PP ${s.pipelineParallel} x ${s.virtualStages}, EP ${s.expertParallel}, DP ${run.dataParallel}, ${s.dataSharding}`;
  return [
    ['strategy', `${shape}, ${s.precision}, recompute ${s.recompute}`],
    [
      'batch',
      `${s.microBatchSize} x ${run.gradientAccumulation} x ${run.dataParallel} sequences of ${grouped(run.sequenceLength)}`,
    ],
    ['memory', `${fits}: ${formatBytes(memory.deviceBytes)} of ${formatBytes(memory.capacityBytes)}`],
    ['throughput', `${grouped(Math.round(throughput.tokensPerSecond))} tokens/s`],
    ['MFU', `${formatRatio(throughput.mfu)} (${throughput.flopsConvention} convention)`],
    ...(training.days === null ? [] : [['training', formatSeconds(training.days * 86_400)]]),
    ...(training.tokens === null ? [] : [['tokens', formatCount(training.tokens)]]),
    ...(training.costUsd === null ? [] : [['cost', formatDollars(training.costUsd)]]),
  ];
}

function causes({ step }: Estimate): string[][] {
  return Object.entries(step.breakdown)
    .filter(([, seconds]) => seconds > 0)
    .map(([key, seconds]) => [causeName(key), formatSeconds(seconds), formatRatio(seconds / step.seconds)]);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function list(title: string, items: readonly { readonly message: string }[]): string[] {
  return items.length === 0 ? [] : [`## ${title}`, items.map(({ message }) => `- ${message}`).join('\n')];
}
