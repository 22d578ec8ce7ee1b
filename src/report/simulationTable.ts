import { formatBytes, formatRatio, formatSeconds, grouped } from '../quantity/format.js';
import type { StepAtScale } from '../simulation/perturbation.js';
import type { SimulatedStep } from '../simulation/simulate.js';
import { stepCauses } from './causes.js';
import { type PictureOptions, pipelinePicture } from './pipelinePicture.js';
import type { SimulatedStage, SimulationResult } from './simulationResult.js';
import { sparkline } from './sparkline.js';
import { bar, row, type TextStyle, tint, wrapped } from './text.js';

export interface SimulationTableOptions extends PictureOptions {
  /** Width of the picture and of the memory curves; the style's where not given. */
  readonly pictureColumns?: number | undefined;
}

/** A simulated step for people: does it fit, the picture, who waits for what, what makes it as long as it is, memory. */
export function simulationTable(
  step: SimulatedStep,
  result: SimulationResult,
  style: TextStyle,
  options: SimulationTableOptions = {},
): string {
  const wide: TextStyle = { ...style, columns: options.pictureColumns ?? style.columns };
  const sections = [
    heading(result, style),
    verdict(result, style),
    pipelinePicture(step, wide, options),
    stageTable(result, style),
    pathTable(result, style),
    memoryCurves(step, wide, options),
  ];
  return `${sections.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function heading({ run, step, events }: SimulationResult, style: TextStyle): readonly string[] {
  const chunks = run.chunksPerStage > 1 ? [`of ${run.chunksPerStage} chunks`] : [];
  const shape = [
    `${run.stages} ${run.stages === 1 ? 'stage' : 'stages'}`,
    ...chunks,
    `x dp${run.dataParallel},`,
    ...(run.stages > 1 ? [`${run.schedule},`] : []),
    `${grouped(run.microBatches)} micro-batches,`,
    `${grouped(run.accelerators)} accelerators of ${run.cluster}`,
  ];
  const time =
    `step ${formatSeconds(step.seconds)}, of which the timeline ${formatSeconds(step.timelineSeconds)}; ` +
    `bubble ${formatRatio(step.bubbleFraction)}; ${grouped(events)} events`;
  return [
    ...wrapped('', [tint(run.model, 'bold', style), ...shape], style.columns),
    ...wrapped('', time.split(' '), style.columns),
    ...(step.atScale === null ? [] : wrapped('', noise(step.atScale, run.dataParallel).split(' '), style.columns)),
  ];
}

function noise({ meanSeconds, deviationSeconds, slowestSeconds }: StepAtScale, replicas: number): string {
  const spread = `${formatSeconds(meanSeconds)} with a deviation of ${formatSeconds(deviationSeconds)}`;
  return `with noise the timeline takes ${spread}; the slowest of ${grouped(replicas)} replicas ${formatSeconds(slowestSeconds)}`;
}

function verdict({ memory }: SimulationResult, style: TextStyle): readonly string[] {
  const { deviceBytes, capacityBytes, fits, overflow } = memory;
  const sizes = `${formatBytes(deviceBytes)} of ${formatBytes(capacityBytes)} on the fullest accelerator`;
  const at = overflow === null ? '' : `; stage ${overflow.stage} is over at ${formatSeconds(overflow.atSeconds)}`;
  const pass = overflow === null || overflow.pass === '' ? '' : `, in ${overflow.pass}`;
  const word = fits ? tint('FITS', 'green', style) : tint('DOES NOT FIT', 'red', style);
  return wrapped(`${word}  `, `${sizes}${at}${pass}`.split(' '), style.columns);
}

/** Busy and idle seconds, then shares of the step in percent, causes left out that no stage has; neighbours that look alike share a row. */
function stageTable({ stages, step }: SimulationResult, style: TextStyle): readonly string[] {
  const shown = stepCauses.filter(({ key }) =>
    stages.some(({ exposed }) => exposed[key] >= 0.0005 * step.timelineSeconds),
  );
  const names = `${stages.length - 1}`.length * 2 + 1;
  const widths = [Math.max(5, names), 8, 8, ...shown.map(({ short }) => Math.max(5, short.length))];
  const cells = ({ busySeconds, idleSeconds, exposed }: SimulatedStage): string[] => [
    formatSeconds(busySeconds),
    formatSeconds(idleSeconds),
    ...shown.map(({ key }) => ((100 * exposed[key]) / step.timelineSeconds).toFixed(1)),
  ];
  const groups: { first: number; last: number; cells: string[] }[] = [];
  for (const stage of stages) {
    const own = cells(stage);
    const group = groups[groups.length - 1];
    if (group !== undefined && group.cells.join() === own.join()) group.last = stage.stage;
    else groups.push({ first: stage.stage, last: stage.stage, cells: own });
  }
  return [
    tint(row(['Stage', 'busy', 'idle', ...shown.map(({ short }) => short)], widths), 'bold', style),
    ...groups.map(({ first, last, cells: own }) =>
      row([first === last ? `${first}` : `${first}-${last}`, ...own], widths),
    ),
    tint('(shares of the step in percent)', 'dim', style),
  ];
}

function pathTable({ criticalPath, criticalPathSeconds, step }: SimulationResult, style: TextStyle): readonly string[] {
  const widths = [18, 9, 8];
  const room = Math.max(10, Math.min(40, style.columns - 40));
  const names = [
    ...stepCauses.filter(({ key }) => key !== 'pipelineBubbleSeconds'),
    { key: 'waitSeconds', name: 'wait' },
  ];
  const parts = names
    .map(({ key, name }) => [name, key in criticalPathSeconds ? secondsAt(criticalPathSeconds, key) : 0] as const)
    .filter(([, seconds]) => seconds > 0);
  const ranks = criticalPath.filter((part, i) => i > 0 && part.stage !== criticalPath[i - 1]?.stage).length;
  const title = row(['Critical path', formatSeconds(parts.reduce((sum, [, seconds]) => sum + seconds, 0))], widths);
  return [
    `${tint(title, 'bold', style)}  ${grouped(criticalPath.length)} tasks, changes stage ${grouped(ranks)} times`,
    ...parts.map(([name, seconds]) => {
      const share = seconds / step.timelineSeconds;
      const cells = row([`  ${name}`, formatSeconds(seconds), formatRatio(share)], widths);
      return `${cells}  ${tint(bar(share, room), 'cyan', style)}`.trimEnd();
    }),
  ];
}

function secondsAt(seconds: SimulationResult['criticalPathSeconds'], key: string): number {
  return Object.entries(seconds).find(([name]) => name === key)?.[1] ?? 0;
}

/** One curve per stage, all on the same scale, with the peak and when it is reached. */
function memoryCurves(step: SimulatedStep, style: TextStyle, options: PictureOptions): readonly string[] {
  const fromSeconds = options.fromSeconds ?? 0;
  const toSeconds = options.toSeconds ?? step.makespanSeconds;
  const least = Math.min(...step.memory.map(({ stateBytes }) => stateBytes));
  const most = Math.max(...step.memory.map(({ peakBytes }) => peakBytes));
  const label = `${step.memory.length - 1}`.length;
  const peaks = step.memory.map((rank) => `${formatBytes(rank.peakBytes)} at ${formatSeconds(rank.peakSeconds)}`);
  const longest = Math.max(...peaks.map((peak) => peak.length));
  const columns = Math.max(8, style.columns - label - 2 - longest);
  const range = { fromSeconds, toSeconds, least, most };
  const scale = `${formatBytes(least)} (lowest) to ${formatBytes(most)} (full)`;
  return [
    `${tint('Memory', 'bold', style)}  allocated per stage, ${scale}; peak`,
    ...step.memory.map(({ rank, curve }, i) => {
      const line = tint(sparkline(curve, range, columns), 'cyan', style);
      return `${`${rank}`.padStart(label)} ${line} ${(peaks[i] ?? '').padStart(longest)}`;
    }),
  ];
}
