import { formatBytes } from '../quantity/format.js';
import type { Scenario } from '../scenario/scenario.js';
import type { Evaluation, StageMemory } from '../simulation/evaluation.js';
import type { Warning } from './estimateResult.js';

/** Accelerators with published runs among the shipped validation rows (ten or more rows). */
const validatedAccelerators = new Set([
  'a100-sxm-40',
  'a100-sxm-80',
  'h100-sxm-80',
  'h100-96-meta',
  'b200-sxm-180',
  'b300-288',
  'b300-sxm-288',
  'gb200-186',
  'gb300-288',
  'tpu-v5e',
  'tpu-v5p',
  'tpu-v6e',
]);
/** Largest published run among them, and the longest sequence with more than ten rows. */
const MOST_VALIDATED_ACCELERATORS = 16_384;
const LONGEST_VALIDATED_SEQUENCE = 32_768;

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

/** The stage whose accelerator is fullest. */
export function fullest(stages: readonly StageMemory[]): StageMemory | undefined {
  return stages.reduce<StageMemory | undefined>(
    (worst, stage) =>
      worst && worst.peakBytes + worst.overheadBytes >= stage.peakBytes + stage.overheadBytes ? worst : stage,
    undefined,
  );
}

function outsideRange({ cluster, accelerators, sequenceLength }: Scenario): readonly string[] {
  const messages: string[] = [];
  const { id, name } = cluster.accelerator;
  if (!validatedAccelerators.has(id)) messages.push(`no published runs on ${name || id} to check against`);
  if (accelerators > MOST_VALIDATED_ACCELERATORS) {
    messages.push(
      `${accelerators} accelerators; the largest published run checked against has ${MOST_VALIDATED_ACCELERATORS}`,
    );
  }
  if (sequenceLength > LONGEST_VALIDATED_SEQUENCE) {
    messages.push(`sequences of ${sequenceLength} tokens; few published runs go beyond ${LONGEST_VALIDATED_SEQUENCE}`);
  }
  if (cluster.maxAccelerators > 0 && accelerators > cluster.maxAccelerators) {
    messages.push(`${cluster.name || cluster.id} is known with up to ${cluster.maxAccelerators} accelerators`);
  }
  return messages;
}
