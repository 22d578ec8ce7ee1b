import { grouped } from '../quantity/format.js';
import type { Scenario } from '../scenario/scenario.js';
import { type ValidatedRange, validatedRanges } from './validatedRange.js';

/** Fewer published runs than this are named as few. */
const FEW_RUNS = 10;

/** What no run that slipway was checked against covers, the widest gap first. */
export function outsideRange(scenario: Scenario): readonly string[] {
  const { cluster, accelerators } = scenario;
  const { id, name } = cluster.accelerator;
  const range = rangeOf(scenario);
  const few =
    range !== undefined && range.runs < FEW_RUNS
      ? [`only ${range.runs} published runs on ${name} to check against`]
      : [];
  const messages = [
    ...(range === undefined ? [`no published runs on ${name || id} to check against`] : []),
    ...few,
    ...(range === undefined ? [] : gaps(scenario, range)),
  ];
  if (cluster.maxAccelerators > 0 && accelerators > cluster.maxAccelerators) {
    messages.push(`${cluster.name || cluster.id} is known with up to ${grouped(cluster.maxAccelerators)} accelerators`);
  }
  return messages;
}

/** Whether no published run is like this one in kind, precision, framework, size and length, all on its accelerator. */
export function isOutsideValidatedRange(scenario: Scenario): boolean {
  const range = rangeOf(scenario);
  return range === undefined || gaps(scenario, range).length > 0;
}

function rangeOf({ cluster }: Scenario): ValidatedRange | undefined {
  const { id } = cluster.accelerator;
  return Object.hasOwn(validatedRanges, id) ? validatedRanges[id] : undefined;
}

function gaps(
  { cluster, accelerators, sequenceLength, strategy, model, framework }: Scenario,
  range: ValidatedRange,
): string[] {
  const { name } = cluster.accelerator;
  const messages: string[] = [];
  const checked = `published runs on ${name} to check against`;
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
