import type { Estimate } from '../planner/estimateResult.js';
import { formatBytes, formatCount, formatRatio, formatSeconds, grouped } from '../quantity/format.js';
import { stepCauses } from './causes.js';
import { memoryTable } from './memoryTable.js';
import { runTable } from './runTable.js';
import { bar, row, type TextStyle, type Tint, tint, wrapped } from './text.js';
import { chanceOfNotFitting, uncertaintyLines } from './uncertaintyLines.js';

/** The estimate for people: fits or not, where the memory goes, where the time goes, what it adds up to, what is better. */
export function estimateTable(estimate: Estimate, style: TextStyle): string {
  const sections = [
    heading(estimate, style),
    verdict(estimate, style),
    memoryTable(estimate.memory.stages, style),
    stepTable(estimate, style),
    throughputLines(estimate, style),
    runTable(estimate.training, style),
    uncertaintyLines(estimate, style),
    defaults(estimate, style),
    list(
      'Warnings',
      estimate.warnings.map(({ message }) => message),
      'yellow',
      style,
    ),
    list(
      'Better',
      estimate.advice.map(({ message }) => message),
      'cyan',
      style,
    ),
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

function heading({ run, model }: Estimate, style: TextStyle): readonly string[] {
  const active = model.activeParameters < model.parameters ? [`(${formatCount(model.activeParameters)} active)`] : [];
  const cluster = typeof run.cluster === 'string' ? run.cluster : 'the cluster given';
  const size = [
    `${formatCount(model.parameters)} parameters`,
    ...active,
    `on ${grouped(run.accelerators)} accelerators of ${cluster}`,
  ];
  return [
    ...wrapped('', [tint(model.name, 'bold', style), ...size], style.columns),
    ...wrapped('', shape(run), style.columns).map((line) => tint(line, 'dim', style)),
  ];
}

/** `tp8 pp16 vp8 dp128 zero-1 bf16`: degrees of 1 are off and left out. */
function shape({
  strategy: s,
  dataParallel,
  gradientAccumulation,
  sequenceLength,
  framework,
}: Estimate['run']): string[] {
  const degrees: readonly (readonly [string, number])[] = [
    ['tp', s.tensorParallel],
    ['cp', s.contextParallel],
    ['pp', s.pipelineParallel],
    ['vp', s.virtualStages],
    ['ep', s.expertParallel],
    ['etp', s.expertTensorParallel],
    ['dp', dataParallel],
  ];
  return [
    ...degrees.filter(([, degree]) => degree > 1).map(([name, degree]) => `${name}${degree}`),
    s.dataSharding,
    s.precision,
    ...(s.recompute === 'none' ? [] : [`recompute-${s.recompute}`]),
    `micro-batch ${s.microBatchSize} x ${gradientAccumulation},`,
    `batch ${grouped(s.globalBatchSize)} x ${grouped(sequenceLength)} tokens,`,
    framework,
  ];
}

function verdict({ memory }: Estimate, style: TextStyle): readonly string[] {
  const { deviceBytes, capacityBytes, fits } = memory;
  const free = capacityBytes - deviceBytes;
  const share = formatRatio(Math.abs(free) / capacityBytes);
  const chance = chanceOfNotFitting(memory.probabilityOfNotFitting);
  const gap = `${free >= 0 ? `${formatBytes(free)} free` : `${formatBytes(-free)} too much`} (${share}); ${chance}`;
  const word = fits ? tint('FITS', 'green', style) : tint('DOES NOT FIT', 'red', style);
  return [
    ...wrapped(
      `${word}  `,
      `${formatBytes(deviceBytes)} of ${formatBytes(capacityBytes)} on the fullest accelerator, ${gap}`.split(' '),
      style.columns,
    ),
    ...wrapped(
      '',
      [
        `allocated ${formatBytes(memory.peakBytes)},`,
        `reserved ${formatBytes(memory.reservedBytes)} with fragmentation,`,
        `in nvidia-smi ${formatBytes(deviceBytes)}`,
        ...(memory.hostBytes > 0 ? [`; host ${formatBytes(memory.hostBytes)} per node`] : []),
      ],
      style.columns,
    ),
  ];
}

function stepTable({ step }: Estimate, style: TextStyle): readonly string[] {
  const widths = [18, 9, 8];
  const room = Math.max(10, Math.min(40, style.columns - 40));
  const parts = stepCauses
    .map(({ key, name }) => [name, step.breakdown[key]] as const)
    .filter(([, seconds]) => seconds > 0);
  return [
    tint(row(['Step', formatSeconds(step.seconds)], widths), 'bold', style),
    ...parts.map(([name, seconds]) => {
      const share = seconds / step.seconds;
      const blocks = bar(share, room);
      return `${row([`  ${name}`, formatSeconds(seconds), formatRatio(share)], widths)}${blocks === '' ? '' : `  ${tint(blocks, 'cyan', style)}`}`;
    }),
  ];
}

function throughputLines({ throughput: t }: Estimate, style: TextStyle): readonly string[] {
  const peak = `of ${Math.round(t.peakTflopsPerAccelerator)} TFLOP/s dense ${t.peakFormat}`;
  return [
    tint('Throughput', 'bold', style),
    `  MFU ${formatRatio(t.mfu)}, HFU ${formatRatio(t.hfu)} ${peak} (${t.flopsConvention} convention)`,
    `  ${Math.round(t.modelTflopsPerAccelerator)} model TFLOP/s per accelerator`,
    `  ${grouped(Math.round(t.tokensPerSecond))} tokens/s, ${grouped(Math.round(t.tokensPerSecondPerAccelerator))} per accelerator`,
  ];
}

/** Keys that mean nothing while the degree they depend on is 1. */
const dependsOn: Readonly<Record<string, 'contextParallel' | 'pipelineParallel' | 'expertParallel'>> = {
  'strategy.contextMethod': 'contextParallel',
  'strategy.pipelineSchedule': 'pipelineParallel',
  'strategy.expertDispatcher': 'expertParallel',
};

/** Who filled in what; degrees and switches that are off say nothing. */
function defaults({ run }: Estimate, style: TextStyle): readonly string[] {
  const off = new Set<unknown>([0, 1, false, 'none']);
  const shown = run.defaultsFilledIn.filter(({ key, value }) => {
    const degree = dependsOn[key];
    return !off.has(value) && (degree === undefined || run.strategy[degree] > 1);
  });
  const sources = [...new Set(shown.map(({ from }) => from))];
  if (shown.length === 0) return [];
  return [
    tint('Defaults filled in', 'bold', style),
    ...sources.flatMap((source) => {
      const words = shown
        .filter(({ from }) => from === source)
        .map(({ key, value }) => `${key.replace('strategy.', '')}=${String(value)}`);
      return wrapped(`  ${source}: `, words, style.columns);
    }),
  ];
}

function list(title: string, messages: readonly string[], colour: Tint, style: TextStyle): readonly string[] {
  if (messages.length === 0) return [];
  const lines = messages.flatMap((message) => wrapped('  - ', message.split(' '), style.columns));
  return [tint(title, colour, style), ...lines];
}
