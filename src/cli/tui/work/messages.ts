import type { RunValue } from '../scenario/runValue.js';
import type { Event } from '../state/state.js';

/** What the UI asks of a worker thread. */
export type Request =
  | { readonly kind: 'estimate'; readonly id: string; readonly run: RunValue; readonly baseDirectory: string }
  | { readonly kind: 'simulate'; readonly id: string; readonly run: RunValue; readonly baseDirectory: string }
  | { readonly kind: 'grid'; readonly id: string; readonly points: readonly RunValue[]; readonly baseDirectory: string }
  | {
      readonly kind: 'search';
      readonly id: string;
      readonly run: RunValue;
      readonly held: readonly string[];
      readonly baseDirectory: string;
    }
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
  | Extract<Event, { readonly kind: 'estimated' | 'simulated' | 'searching' | 'gridded' }>
  | { readonly kind: 'rendered'; readonly id: string; readonly text?: string; readonly problem?: string };
