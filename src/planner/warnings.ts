import { formatBytes, grouped } from '../quantity/format.js';
import type { Scenario } from '../scenario/scenario.js';
import type { Evaluation, StageMemory } from '../simulation/evaluation.js';
import type { Warning } from './estimateResult.js';
import { type ValidatedRange, validatedRanges } from './validatedRange.js';

/** Fewer published runs than this are named as few. */
const FEW_RUNS = 10;

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

/** What no run that slipway was checked against covers, the widest gap first. */
function outsideRange(scenario: Scenario): readonly string[] {
  const { cluster, accelerators } = scenario;
  const { id, name } = cluster.accelerator;
  const range = Object.hasOwn(validatedRanges, id) ? validatedRanges[id] : undefined;
  const messages =
    range === undefined ? [`no published runs on ${name || id} to check against`] : gaps(scenario, range);
  if (cluster.maxAccelerators > 0 && accelerators > cluster.maxAccelerators) {
    messages.push(`${cluster.name || cluster.id} is known with up to ${grouped(cluster.maxAccelerators)} accelerators`);
  }
  return messages;
}

function gaps(
  { cluster, accelerators, sequenceLength, strategy, model, framework }: Scenario,
  range: ValidatedRange,
): string[] {
  const { name } = cluster.accelerator;
  const messages: string[] = [];
  const checked = `published runs on ${name} to check against`;
  if (range.runs < FEW_RUNS) messages.push(`only ${range.runs} ${checked}`);
  const kind = model.moe === null ? 'dense' : 'mixture';
  const sorts: readonly (readonly [Readonly<Record<string, number>>, string, string])[] = [
    [range.models, kind, kind === 'mixture' ? 'mixture-of-experts' : kind],
    [range.precisions, strategy.precision, strategy.precision],
    [range.frameworks, framework.id, framework.id],
  ];
  for (const [counts, key, word] of sorts) {
    if ((counts[key] ?? 0) === 0) messages.push(`no ${word} ${checked}`);
  }
  if (accelerators > range.mostAccelerators) {
    messages.push(
      `${grouped(accelerators)} accelerators; the largest of the ${checked} has ${grouped(range.mostAccelerators)}`,
    );
  }
  if (sequenceLength > range.longestSequence) {
    messages.push(
      `sequences of ${grouped(sequenceLength)} tokens; the longest of the ${checked} has ${grouped(range.longestSequence)}`,
    );
  }
  return messages;
}
