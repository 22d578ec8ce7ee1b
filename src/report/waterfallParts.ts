import { roundedToSum, type Waterfall } from '../planner/compare/waterfall.js';
import { causeName } from './causes.js';

/** A waterfall as it is printed: what is printed adds up digit by digit. */
export interface WaterfallParts {
  readonly before: string;
  readonly after: string;
  /** The largest first; causes that round to nothing are left out. */
  readonly parts: readonly WaterfallPart[];
}

export interface WaterfallPart {
  readonly cause: string;
  /** With its sign. */
  readonly text: string;
  readonly grows: boolean;
  /** Of the largest part, 0 to 1. */
  readonly share: number;
}

interface Scale {
  readonly unit: number;
  readonly text: (multiples: number) => string;
}

/** Seconds, to a thousandth of the larger total, in the unit that people use for it. */
export function secondsParts(waterfall: Waterfall): WaterfallParts {
  const most = Math.max(waterfall.before, waterfall.after);
  const [size, name] = most >= 1 ? [1, 's'] : most >= 1e-3 ? [1e-3, 'ms'] : [1e-6, 'us'];
  const decimals = Math.max(0, 3 - Math.floor(Math.log10(Math.max(most / size, 1e-9)) + 1e-9));
  const unit = size / 10 ** decimals;
  return partsOf(waterfall, { unit, text: (multiples) => `${(multiples / 10 ** decimals).toFixed(decimals)} ${name}` });
}

/** Bytes, in hundredths of a GiB. */
export function bytesParts(waterfall: Waterfall): WaterfallParts {
  return partsOf(waterfall, { unit: 2 ** 30 / 100, text: (multiples) => `${(multiples / 100).toFixed(2)} GiB` });
}

function partsOf({ before, after, terms }: Waterfall, { unit, text }: Scale): WaterfallParts {
  const [first, last] = [Math.round(before / unit), Math.round(after / unit)];
  const steps = roundedToSum(
    terms.map(({ delta }) => delta),
    unit,
    last - first,
  );
  const moved = terms.map(({ cause }, i) => ({ cause, step: steps[i] ?? 0 })).filter(({ step }) => step !== 0);
  moved.sort((a, b) => Math.abs(b.step) - Math.abs(a.step));
  const most = Math.max(1, ...moved.map(({ step }) => Math.abs(step)));
  return {
    before: text(first),
    after: text(last),
    parts: moved.map(({ cause, step }) => ({
      cause: causeName(cause),
      text: `${step > 0 ? '+' : '-'}${text(Math.abs(step))}`,
      grows: step > 0,
      share: Math.abs(step) / most,
    })),
  };
}
