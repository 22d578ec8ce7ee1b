import { SlipwayError } from '../../errors.js';
import { nearest } from '../../quantity/nearest.js';
import { compileRange, type RangeTerm } from '../../quantity/rangeExpression.js';
import type { Scenario } from '../../scenario/scenario.js';
import type { Evaluation } from '../../simulation/evaluation.js';
import { type Figure, figureNames, figureOf, isBetterLarge, type Known } from './figures.js';
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
export type Term = RangeTerm<Known>;

/** Understands objective and conditions; mathjs is loaded only where one of them is an expression. */
export async function compileGoal(request: PlanRequest): Promise<Goal> {
  const { scenario, objective = 'step' } = request;
  const term = objective === 'accelerators' ? acceleratorsThenStep : await objectiveTerm(objective, scenario);
  const conditions = await conditionsOf(request);
  return {
    bound: (known) => finiteBound(term(known)[0], objective),
    score: (confirmed) => finite(term(exact(confirmed))[0], objective),
    mayMeet: (known) => conditions.every((condition) => condition(known)[1] !== 0),
    meets: (confirmed) => conditions.every((condition) => condition(exact(confirmed))[0] !== 0),
  };
}

/** What an expression over figures comes to for a plan. */
export async function valueOfExpression(expression: string, confirmed: Confirmed): Promise<number> {
  return (await expressionTerm(expression, confirmed.scenario, 'where'))(exact(confirmed))[0];
}

/** An objective that divides by zero or overflows would rank plans by nothing. */
function finite(value: number, objective: string): number {
  if (Number.isFinite(value)) return value;
  throw new SlipwayError('invalid-quantity', `'${objective}' has no finite value`, { key: '--objective' });
}

/** Of a bound only the smallest value is known, which may be anything. */
function finiteBound(value: number, objective: string): number {
  return value === Number.NEGATIVE_INFINITY ? value : finite(value, objective);
}

async function conditionsOf({
  scenario,
  where,
  deadlineSeconds,
  budgetDollars,
}: PlanRequest): Promise<readonly Term[]> {
  const conditions: Term[] = [];
  if (where !== undefined) conditions.push(await expressionTerm(where, scenario, 'where'));
  if (deadlineSeconds !== undefined) conditions.push(atMost('training.seconds', deadlineSeconds, scenario, 'deadline'));
  if (budgetDollars !== undefined) conditions.push(atMost('training.costUsd', budgetDollars, scenario, 'budget'));
  return conditions;
}

function atMost(name: string, limit: number, scenario: Scenario, key: string): Term {
  const term = figureTerm(name, scenario, key);
  return (known) => {
    const [least, most] = term(known);
    return [most <= limit ? 1 : 0, least <= limit ? 1 : 0];
  };
}

function exact({ scenario, evaluation }: Confirmed): Known {
  return { scenario, evaluation, stepSeconds: evaluation.stepSeconds, confirmed: true };
}

/** Fewest accelerators, and among plans with as many the fastest step, which adds less than one accelerator. */
const acceleratorsThenStep: Term = ({ scenario, stepSeconds, confirmed }) => {
  const least = scenario.accelerators + stepSeconds / (1 + stepSeconds);
  return [least, confirmed === true ? least : scenario.accelerators + 1];
};

/** A figure alone is made small, or large where more of it is better; an expression is made small. */
async function objectiveTerm(objective: string, scenario: Scenario): Promise<Term> {
  const bare = objective.trim();
  if (figureOf(bare) === undefined && !/^\w+$/.test(bare)) return expressionTerm(objective, scenario, 'objective');
  return smallIsBetter(bare, scenario, 'objective');
}

/** A figure, negated where more of it is better. */
export function smallIsBetter(name: string, scenario: Scenario, key: string): Term {
  const term = figureTerm(name, scenario, key);
  if (!isBetterLarge(name)) return term;
  return (known) => {
    const [least, most] = term(known);
    return [-most, -least];
  };
}

async function expressionTerm(text: string, scenario: Scenario, key: string): Promise<Term> {
  try {
    return await compileRange(text, (name) => figureTerm(name, scenario, key));
  } catch (error) {
    if (!(error instanceof SlipwayError) || error.place.key !== undefined) throw error;
    throw new SlipwayError(error.code, error.message, { ...error.place, key: `--${key}` });
  }
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
