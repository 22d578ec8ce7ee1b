import type { Axis } from '../../../planner/sweep/axis.js';
import type { RunValue } from '../scenario/runValue.js';
import type { Event } from '../state/state.js';
import type { WhyNotQuestion } from './answerWhyNot.js';

/** What the UI asks of a worker thread. */
export type Request =
  | { readonly kind: 'estimate'; readonly id: string; readonly run: RunValue; readonly baseDirectory: string }
  | { readonly kind: 'simulate'; readonly id: string; readonly run: RunValue; readonly baseDirectory: string }
  | {
      readonly kind: 'grid';
      readonly id: string;
      readonly run: RunValue;
      readonly axes: readonly Axis[];
      readonly baseDirectory: string;
    }
  | {
      readonly kind: 'search';
      readonly id: string;
      readonly run: RunValue;
      readonly held: readonly string[];
      readonly baseDirectory: string;
    }
  | ({ readonly kind: 'whyNot'; readonly id: string } & WhyNotQuestion)
  | { readonly kind: 'stop' }
  | {
      readonly kind: 'render';
      readonly id: string;
      readonly form: 'trace' | 'svg';
      readonly run: RunValue;
      readonly baseDirectory: string;
    };

/** What comes back: events for the reducer, and texts to be written to files. */
export type Reply =
  | Extract<Event, { readonly kind: 'estimated' | 'simulated' | 'searching' | 'gridded' | 'answered' }>
  | { readonly kind: 'rendered'; readonly id: string; readonly text?: string; readonly problem?: string };
