import { z } from 'zod';
import { SlipwayError } from '../errors.js';
import { parseQuantityOrExpression } from './parseQuantity.js';
import { type Dimension, dimensions } from './units.js';

/**
 * A run-file value with a unit; the parsed value is in the SI unit of the dimension. An expression makes the parse
 * asynchronous (`safeParseAsync`), because mathjs is loaded only then.
 */
export function quantity(dimension: Dimension) {
  return z
    .union([z.number(), z.string()], { error: `expected ${dimensions[dimension].expected}` })
    .transform((input, context): number | Promise<number> => {
      const refuse = (error: unknown): never => {
        if (!(error instanceof SlipwayError)) throw error;
        context.issues.push({ code: 'custom', message: error.message, input });
        return z.NEVER;
      };
      try {
        const value = parseQuantityOrExpression(input, dimension);
        return typeof value === 'number' ? value : value.catch(refuse);
      } catch (error) {
        return refuse(error);
      }
    });
}
