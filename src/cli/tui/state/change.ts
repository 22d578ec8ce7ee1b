import { type Answer, answerOf, type GoodAnswer, idOf } from '../scenario/answer.js';
import { type RunValue, sameRun } from '../scenario/runValue.js';
import type { Document, State } from './state.js';

/** Versions that undo goes back to. */
const mostVersions = 200;

/** The state with another run, answered at once; the version before can be had back with undo. */
export function changeRun(state: State, run: RunValue): State {
  const { document } = state;
  if (sameRun(run, document.run)) return state;
  const past = [...document.past, document.run].slice(-mostVersions);
  return answered(state, { ...document, run, past, future: [] });
}

export function undo(state: State): State | undefined {
  const { document } = state;
  const run = document.past.at(-1);
  if (run === undefined) return undefined;
  const past = document.past.slice(0, -1);
  return answered(state, { ...document, run, past, future: [document.run, ...document.future] });
}

export function redo(state: State): State | undefined {
  const { document } = state;
  const [run, ...future] = document.future;
  if (run === undefined) return undefined;
  return answered(state, { ...document, run, past: [...document.past, document.run], future });
}

/** Another run file in place of this one; the history starts again. */
export function openRun(state: State, file: string | undefined, run: RunValue, baseDirectory: string): State {
  return answered(state, { run, file, saved: run, baseDirectory, past: [], future: [] });
}

export function isUnsaved({ document }: State): boolean {
  return !sameRun(document.run, document.saved);
}

/** The question that the estimate and the simulation of the present run answer. */
export function questionId({ document }: State): string {
  return idOf(document.run, document.baseDirectory);
}

/** The estimate of the run, or of the last run that could be planned. */
export function shownAnswer({ answer, lastGood }: State): GoodAnswer | undefined {
  return answer.ok ? answer : lastGood;
}

function answered(state: State, document: Document): State {
  const answer = withAdvice(answerOf(document.run, document.baseDirectory), state.lastGood);
  return { ...state, document, answer, lastGood: answer.ok ? answer : state.lastGood, advice: 0 };
}

/** Until there is new advice the old one stays in its place, so that nothing jumps; it cannot be applied. */
function withAdvice(answer: Answer, before: GoodAnswer | undefined): Answer {
  if (!answer.ok || !answer.rough || before === undefined) return answer;
  return { ...answer, estimate: { ...answer.estimate, advice: before.estimate.advice } };
}
