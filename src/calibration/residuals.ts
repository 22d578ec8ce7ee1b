import type { Scenario } from '../scenario/scenario.js';
import { errorsLike, middleOf, type RunKind } from '../uncertainty/errorDistribution.js';
import { kindOf } from '../uncertainty/intervals.js';
import type { ResidualCell, ResidualTable, Widening } from '../uncertainty/residualCell.js';
import { groupBy, quantile } from './statistics.js';

/** A published run predicted with constants fitted without its family. */
export interface LeftOutError {
  readonly family: string;
  readonly scenario: Scenario;
  /** Logarithm of measured over predicted. */
  readonly error: number;
  /** The source does not give the layout in full. */
  readonly unknownFields: boolean;
}

/** One family's runs beyond this many add no weight, as in the fit. */
const mostRowsOfAFamily = 20;
const unknownFieldsWeight = 0.5;
/** Errors of one cell are kept as they are up to this many, beyond as quantiles. */
const mostErrors = 9;
/** The share of left-out runs that an interval is to hold. */
const held = 0.81;
/** Fewer families than this do not tell runs inside the validated range from those outside: one factor, and this much more outside. */
const fewFamilies = 12;
const widerOutside = 1.25;

/** The errors by kind of run, and how far their spread has to be widened to hold for families that were not seen. */
export function residualTable(errors: readonly LeftOutError[]): ResidualTable {
  const cells = cellsOf(errors);
  return { cells, widening: wideningOf(errors, cells) };
}

function cellsOf(errors: readonly LeftOutError[]): ResidualCell[] {
  const families = groupBy(errors, ({ family }) => family);
  const groups = groupBy(errors, ({ family, scenario }) => {
    const { accelerator, framework, mixtureOfExperts, accelerators } = kindOf(scenario);
    return JSON.stringify([family, accelerator, framework, mixtureOfExperts, scaleOf(accelerators)]);
  });
  return [...groups.values()].flatMap((members) => {
    const [first] = members;
    if (first === undefined) return [];
    const { accelerators, ...kind } = kindOf(first.scenario);
    const share = Math.min(1, mostRowsOfAFamily / (families.get(first.family)?.length ?? 1));
    const known = members.reduce((sum, { unknownFields }) => sum + (unknownFields ? unknownFieldsWeight : 1), 0);
    return [
      {
        family: first.family,
        ...kind,
        log2Accelerators: scaleOf(accelerators),
        weight: rounded(share * known),
        errors: shortened(members.map(({ error }) => error)),
      },
    ];
  });
}

/** Steps of a factor of four. */
function scaleOf(accelerators: number): number {
  return 2 * Math.round(Math.log2(Math.max(1, accelerators)) / 2);
}

function shortened(errors: readonly number[]): number[] {
  if (errors.length <= mostErrors) return errors.map(rounded).toSorted((a, b) => a - b);
  return Array.from({ length: mostErrors }, (_, i) => rounded(quantile(errors, (i + 0.5) / mostErrors) ?? 0));
}

/** Enough digits for an error bar. */
function rounded(value: number): number {
  return Number(value.toFixed(3));
}

function wideningOf(errors: readonly LeftOutError[], cells: readonly ResidualCell[]): Widening {
  const needed = errors.map((one) => ({ outside: isOutside(one, errors), factor: neededWidening(one, cells) }));
  const families = new Set(errors.map(({ family }) => family)).size;
  if (families < fewFamilies) {
    const factors = needed.map(({ outside, factor }) => (outside ? factor / widerOutside : factor));
    const inside = rounded(Math.max(1, quantile(factors, held) ?? 1));
    return { inside, outside: rounded(inside * widerOutside) };
  }
  const of = (outside: boolean): number =>
    quantile(
      needed.filter((one) => one.outside === outside).map(({ factor }) => factor),
      held,
    ) ?? 1;
  const inside = Math.max(1, of(false));
  // Farther from what was checked is never surer.
  return { inside: rounded(inside), outside: rounded(Math.max(inside, of(true))) };
}

/** The share of left-out runs whose measured figure lies within its interval, the runs of its own family left out of that as well. */
export function heldShare(errors: readonly LeftOutError[], { cells, widening }: ResidualTable): number {
  const inside = errors.filter((one) => {
    return neededWidening(one, cells) <= (isOutside(one, errors) ? widening.outside : widening.inside);
  });
  return inside.length / errors.length;
}

/** The factor on the spread of other families' like runs with which this run lies just inside. */
function neededWidening({ family, scenario, error }: LeftOutError, cells: readonly ResidualCell[]): number {
  const { low, high } = middleOf(errorsLike(kindOf(scenario), cells, family));
  return error >= 0 ? error / high : error / low;
}

/** Whether the runs of the other families, fully known ones, leave this one without any like it. */
function isOutside({ family, scenario }: LeftOutError, errors: readonly LeftOutError[]): boolean {
  const kind = kindOf(scenario);
  const same = errors.filter((other) => {
    const sameHardware = other.scenario.cluster.accelerator.id === kind.accelerator;
    return other.family !== family && !other.unknownFields && sameHardware;
  });
  const has = (test: (other: Scenario, otherKind: RunKind) => boolean): boolean =>
    same.some((other) => test(other.scenario, kindOf(other.scenario)));
  return !(
    has((_, other) => other.mixtureOfExperts === kind.mixtureOfExperts) &&
    has((_, other) => other.framework === kind.framework) &&
    has((other) => other.strategy.precision === scenario.strategy.precision) &&
    has((other) => other.accelerators >= scenario.accelerators) &&
    has((other) => other.sequenceLength >= scenario.sequenceLength)
  );
}
