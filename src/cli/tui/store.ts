import { reduce } from './state/reducer.js';
import type { Effect, Event, State } from './state/state.js';

/** Holds the one state; effects go to whoever runs them. */
export class Store {
  private readonly listeners = new Set<() => void>();

  constructor(
    private state: State,
    private readonly perform: (effect: Effect) => void,
  ) {}

  readonly get = (): State => this.state;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly dispatch = (event: Event): void => {
    const { state, effects } = reduce(this.state, event);
    const changed = state !== this.state;
    this.state = state;
    for (const effect of effects) this.perform(effect);
    if (changed) for (const listener of this.listeners) listener();
  };
}
