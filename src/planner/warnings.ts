import { formatBytes } from '../quantity/format.js';
import type { Scenario } from '../scenario/scenario.js';
import type { Evaluation, StageMemory } from '../simulation/evaluation.js';
import { outsideRange } from '../uncertainty/outsideRange.js';
import type { Warning } from './estimateResult.js';

/** Less free memory than this share of the capacity is within the error of the memory model on published runs. */
const TIGHT_FIT_SHARE = 0.05;

/** What the reader should know before trusting the figures. `estimatedFigures` names preset figures that are guesses. */
export function warningsFor(
  scenario: Scenario,
  evaluation: Evaluation,
  estimatedFigures: readonly string[],
): readonly Warning[] {
  const warnings: Warning[] = evaluation.reasons
    .filter(() => !evaluation.feasible)
    .map(({ message }) => ({ code: 'infeasible', message }));
  if (!evaluation.fits) warnings.push({ code: 'does-not-fit', message: doesNotFit(evaluation) });
  else if (isTight(evaluation)) warnings.push({ code: 'tight-fit', message: tightFit(evaluation) });
  for (const message of outsideRange(scenario)) warnings.push({ code: 'outside-validated-range', message });
  const estimates = estimatedFigures.filter((name) => matters(name, scenario));
  if (estimates.length > 0) {
    warnings.push({ code: 'figure-is-estimate', message: `only estimates in the presets: ${estimates.join(', ')}` });
  }
  const { training, cluster } = scenario;
  if (training.tokens > 0 && training.dollarsPerAcceleratorHour === 0 && cluster.dollarsPerAcceleratorHour === 0) {
    warnings.push({
      code: 'no-price',
      message: 'no price is known for this cluster; give training.dollarsPerAcceleratorHour',
    });
  }
  return warnings;
}

/** Whether the answer depends on a figure of the presets: drives and hosts only count where something is offloaded. */
function matters(figure: string, { strategy, training }: Scenario): boolean {
  if (/^nvme/.test(figure)) return /nvme$/.test(strategy.offload);
  if (/^host/.test(figure)) return strategy.offload !== 'none' || strategy.activationOffloadLayers > 0;
  if (/^(watts|power|grams|dollars)/.test(figure)) return training.tokens > 0;
  return figure !== 'maxAccelerators';
}

function doesNotFit({ stages, deviceBytes, capacityBytes }: Evaluation): string {
  const worst = fullest(stages);
  const where = worst && stages.length > 1 ? `stage ${worst.stage}` : 'it';
  const excess = deviceBytes - capacityBytes;
  return excess > 0
    ? `${where} needs ${formatBytes(deviceBytes)}, ${formatBytes(excess)} more than the ${formatBytes(capacityBytes)} there are`
    : 'the host memory or the drives of a node are too small for what is offloaded to them';
}

function isTight({ deviceBytes, capacityBytes }: Evaluation): boolean {
  return capacityBytes - deviceBytes < TIGHT_FIT_SHARE * capacityBytes;
}

function tightFit({ deviceBytes, capacityBytes }: Evaluation): string {
  const free = formatBytes(capacityBytes - deviceBytes);
  return `only ${free} of ${formatBytes(capacityBytes)} stay free, which is within the error of the memory estimate: try it on a few steps first`;
}

/** The stage whose accelerator is fullest. */
export function fullest(stages: readonly StageMemory[]): StageMemory | undefined {
  return stages.reduce<StageMemory | undefined>(
    (worst, stage) =>
      worst && worst.peakBytes + worst.overheadBytes >= stage.peakBytes + stage.overheadBytes ? worst : stage,
    undefined,
  );
}
