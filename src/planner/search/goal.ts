import { SlipwayError } from '../../errors.js';
import { nearest } from '../../quantity/nearest.js';
import type { Scenario } from '../../scenario/scenario.js';
import type { Evaluation } from '../../simulation/evaluation.js';
import { type Figure, figureNames, figureOf, type Known, type Range } from './figures.js';
import type { PlanRequest } from './request.js';

/** A candidate that `evaluateStep` has seen. */
export interface Confirmed {
  readonly scenario: Scenario;
  readonly evaluation: Evaluation;
}

/** What is sought: a score to make small, and a condition. */
export interface Goal {
  /** No candidate of the group scores below this. */
  bound(known: Known): number;
  score(confirmed: Confirmed): number;
  /** False where no candidate of the group can meet the condition. */
  mayMeet(known: Known): boolean;
  meets(confirmed: Confirmed): boolean;
}

/** A value that may not be known exactly. */
export type Term = (known: Known) => Range;

/** Named objectives: the figure, and whether it is made small or large. */
const named: Readonly<Record<string, readonly [path: string, sign: 1 | -1]>> = {
  step: ['step.seconds', 1],
  'tokens-per-dollar': ['throughput.tokensPerDollar', -1],
  days: ['training.days', 1],
  cost: ['training.costUsd', 1],
  energy: ['training.energyKwh', 1],
  headroom: ['memory.headroomBytes', -1],
  accelerators: ['run.accelerators', 1],
};

/** Understands objective and condition; mathjs is loaded only where one of them is an expression. */
export async function compileGoal({ scenario, objective = 'step', where }: PlanRequest): Promise<Goal> {
  const builtIn = Object.hasOwn(named, objective) ? named[objective] : undefined;
  const term = builtIn === undefined ? await compiled(objective, scenario, 'objective') : signed(builtIn, scenario);
  const condition = where === undefined ? undefined : await compiled(where, scenario, 'where');
  return {
    bound: (known) => term(known)[0],
    score: (confirmed) => term(exact(confirmed))[0],
    mayMeet: (known) => condition === undefined || condition(known)[1] !== 0,
    meets: (confirmed) => condition === undefined || condition(exact(confirmed))[0] !== 0,
  };
}

function exact({ scenario, evaluation }: Confirmed): Known {
  return { scenario, evaluation, stepSeconds: evaluation.stepSeconds, confirmed: true };
}

function signed([path, sign]: readonly [string, 1 | -1], scenario: Scenario): Term {
  const term = figureTerm(path, scenario, 'objective');
  if (sign === 1) return term;
  return (known) => {
    const [least, most] = term(known);
    return [-most, -least];
  };
}

/** A figure as a term. Throws where it has no such name, or where the run file does not give what it depends on. */
export function figureTerm(name: string, scenario: Scenario, key: string): Term {
  const figure = figureOf(name);
  if (figure === undefined) throw unknownFigure(name, key);
  if (figure.range({ scenario, stepSeconds: 1, evaluation: null }) === undefined) throw notGiven(figure, key);
  return (known) => figure.range(known) ?? [Number.NaN, Number.NaN];
}

function unknownFigure(name: string, key: string): SlipwayError {
  const guess = nearest(name, figureNames());
  const wayOut = guess === undefined ? 'see `slipway plan --help`' : `did you mean ${guess}?`;
  return new SlipwayError('invalid-run-file', `'${name}' is no figure of an estimate; ${wayOut}`, { key: `--${key}` });
}

function notGiven({ path }: Figure, key: string): SlipwayError {
  const needed =
    path === 'training.costUsd' || path.endsWith('Dollar') ? 'training.dollarsPerAcceleratorHour' : 'training.tokens';
  return new SlipwayError('invalid-run-file', `${path} is not known without ${needed}`, { key: `--${key}` });
}

async function compiled(text: string, scenario: Scenario, key: string): Promise<Term> {
  return figureTerm(text, scenario, key);
}
