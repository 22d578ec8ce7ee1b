/**
 * Property tests draw the same cases on every run, so that a commit is green or not whoever tests it. To look for new
 * counterexamples: `SLIPWAY_SEED=random npx vitest run tests/properties`, or a number to repeat what one seed found.
 */
import fc from 'fast-check';

const given = process.env.SLIPWAY_SEED;
const fixed = 20_261_101;
if (given !== 'random') fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(given ?? fixed) });
