import {
  formatCount,
  formatDollars,
  formatEnergy,
  formatRatio,
  formatSeconds,
  formatTonnes,
  grouped,
} from '../quantity/format.js';
import type { TrainingEstimate } from '../training/run.js';
import { type TextStyle, tint, wrapped } from './text.js';

/** The whole run in two or three lines; nothing where the run file gives no tokens. */
export function runTable(run: TrainingEstimate, style: TextStyle): readonly string[] {
  if (run.tokens === null || run.steps === null || run.seconds === null || run.acceleratorHours === null) return [];
  const footprint = [
    ...(run.costUsd === null ? [] : [formatDollars(run.costUsd)]),
    ...(run.energyKwh === null ? [] : [formatEnergy(run.energyKwh)]),
    ...(run.tonnesCo2 === null ? [] : [`${formatTonnes(run.tonnesCo2)} CO2`]),
  ];
  const duration =
    `${formatCount(run.tokens)} tokens, ${grouped(run.steps)} steps: ${formatSeconds(run.seconds)}, ` +
    `with goodput ${formatRatio(run.goodput)} (failures, checkpoints)`;
  const amounts = [`${formatCount(run.acceleratorHours)} accelerator-hours`, ...footprint];
  return [
    tint('Training', 'bold', style),
    ...wrapped('  ', duration.split(' '), style.columns),
    ...wrapped('  ', amounts.join(', ').split(' '), style.columns),
  ];
}
