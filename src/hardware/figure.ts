import { z } from 'zod';
import { quantity } from '../quantity/quantitySchema.js';
import type { Dimension } from '../quantity/units.js';

/** How a figure came about: the maker's word, a measurement, a fit to measurements, or our own guess. */
export const figureKinds = ['datasheet', 'measured', 'fitted', 'estimate'] as const;

/** What a preset says beside every number and curve; `source` is a key of the file's `sources`. */
export const provenance = {
  kind: z.enum(figureKinds).optional(),
  source: z.string().min(1).optional().describe("A key of the file's `sources`."),
};

export type SourcedFigure = z.output<typeof sourcedFigureSchema>;
/** A number of a preset file or of a run file. */
export type Figure = number | SourcedFigure;

const sourcedFigureSchema = z.strictObject({
  value: z.number().nonnegative(),
  kind: z.enum(figureKinds),
  source: z.string().min(1),
});

/** A number of a preset: plain SI, with where it comes from. */
export function sourcedFigure(_dimension: Dimension): typeof sourcedFigureSchema {
  return sourcedFigureSchema;
}

/** A number of a run file: `80 GiB` or plain SI. */
export function givenFigure(dimension: Dimension): ReturnType<typeof quantity> {
  return quantity(dimension);
}

export function plainNumber(figure: Figure): number;
export function plainNumber(figure: Figure | undefined, fallback: number): number;
export function plainNumber(figure: Figure | undefined, fallback = Number.NaN): number {
  if (figure === undefined) return fallback;
  return typeof figure === 'number' ? figure : figure.value;
}
