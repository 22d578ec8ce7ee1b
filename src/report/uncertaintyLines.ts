import type { Estimate } from '../planner/estimateResult.js';
import { formatBytes, formatDollars, formatRatio, formatSeconds } from '../quantity/format.js';
import { type TextStyle, tint, wrapped } from './text.js';

/** How wrong the figures may be, in two or three lines. */
export function uncertaintyLines(estimate: Estimate, style: TextStyle): readonly string[] {
  const { memory, step, throughput, training, uncertainty } = estimate;
  const range = ([low, high]: readonly [number, number], format: (value: number) => string): string =>
    `${format(low)} to ${format(high)}`;
  const figures = [
    `step ${range(step.secondsInterval, formatSeconds)}`,
    `MFU ${range(throughput.mfuInterval, formatRatio)}`,
    `memory ${range(memory.peakBytesInterval, formatBytes)} allocated`,
  ];
  if (training.daysInterval !== null) {
    figures.push(range(training.daysInterval, (days) => formatSeconds(days * 86_400)));
  }
  if (training.costUsdInterval !== null) figures.push(range(training.costUsdInterval, formatDollars));
  const why = uncertainty.outsideValidatedRange
    ? 'no published run is like this one (see the warnings)'
    : 'from the errors on published runs like this one that nothing was fitted to';
  return [
    tint(`Error bars (${Math.round(100 * uncertainty.level)} %)`, 'bold', style),
    ...wrapped('  ', figures.join(', ').split(' '), style.columns),
    ...wrapped('  ', why.split(' '), style.columns),
  ];
}

/** `chance of not fitting 12 %`, in whole percent; certainty is not claimed. */
export function chanceOfNotFitting(probability: number): string {
  const percent = Math.round(100 * probability);
  const words = percent < 1 ? 'below 1 %' : percent > 99 ? 'above 99 %' : `${percent} %`;
  return `chance of not fitting ${words}`;
}
