import { parseFix } from '../../../planner/search/parseFix.js';
import { planEstimates } from '../../../planner/search/planEstimate.js';
import { whyNot } from '../../../planner/search/whyNot.js';
import { whyNotTexts } from '../../../report/planTable.js';
import { exactAnswerOf } from '../scenario/answer.js';
import type { RunValue } from '../scenario/runValue.js';
import { PlanRows } from './planRow.js';
import { planRequest } from './runSearch.js';
import type { WhyNotAnswer } from './search.js';

export interface WhyNotQuestion {
  /** As it was typed: `tp=4,pp=8`. */
  readonly text: string;
  /** The run without the keys that the search may choose. */
  readonly run: RunValue;
  readonly held: readonly string[];
  readonly baseDirectory: string;
  /** The best plan that the search found, to compare with. */
  readonly best: RunValue | undefined;
}

/** What `slipway plan --why-not` answers to the same question. Throws `SlipwayError` where it cannot be read. */
export async function answerWhyNot({ text, run, held, baseDirectory, best }: WhyNotQuestion): Promise<WhyNotAnswer> {
  const { fix } = parseFix([text], 'why not');
  const request = planRequest(run, baseDirectory);
  const { plan, reason, nearest, given } = await whyNot(request, fix);
  const estimateOf = (one: typeof plan) =>
    one === null ? null : (planEstimates(request.scenario, [one], { advice: false })[0] ?? null);
  const winner = best === undefined ? undefined : exactAnswerOf(best, baseDirectory);
  const texts = whyNotTexts(
    { plan: estimateOf(plan), reason, nearest: estimateOf(nearest), given },
    winner?.ok === true ? winner.estimate : undefined,
  );
  const shown = plan ?? nearest;
  const row = shown === null ? undefined : new PlanRows(run, held, request.scenario).rowOf(shown);
  return { text, works: plan !== null, texts, row };
}
