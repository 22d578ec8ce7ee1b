import { answerOf } from '../scenario/answer.js';
import type { RunValue } from '../scenario/runValue.js';
import type { Pin, State, Work } from './state.js';

export interface Start {
  readonly run: RunValue;
  /** Undefined for an example, or a scenario of the last session that was never saved. */
  readonly file: string | undefined;
  /** What is in the file; the run itself where it was read just now. */
  readonly saved: RunValue;
  readonly baseDirectory: string;
  readonly pins: readonly Pin[];
  readonly size: State['size'];
}

export function initialState({ run, file, saved, baseDirectory, pins, size }: Start): State {
  const answer = answerOf(run, baseDirectory);
  return {
    size,
    document: { run, file, saved, baseDirectory, past: [], future: [] },
    answer,
    lastGood: answer.ok ? answer : undefined,
    focus: 'scenario',
    tab: 'overview',
    field: 0,
    fieldFilter: '',
    held: [],
    advice: 0,
    memory: { stage: 0 },
    timeline: { from: 0, to: 1, rank: 0, stream: 0, span: 0, open: false },
    plan: { selected: 0, sort: 'tokens', reversed: false, picture: 'table', filter: '' },
    compare: { selected: 0 },
    whatif: { selected: 0, keys: ['strategy.tensorParallel'], typed: [], metric: 'tokens', point: 0 },
    presets: { kind: 'models', selected: 0, filter: '', first: 0 },
    pins,
    prompt: undefined,
    message: undefined,
    refining: [],
    simulation: idle,
    search: { ...idle, progress: undefined },
    whyNot: idle,
    grid: { ...idle, axes: [] },
  };
}

const idle: Work<never> = {
  asked: undefined,
  running: false,
  result: undefined,
  resultFor: undefined,
  problem: undefined,
};
