import type { Result, State } from '../state.js';

/** What a key does: a new state, and what is to be done outside. `key` is the key itself, for bindings that share an action. */
export type Action = (state: State, key: string) => Result;
export type Actions = Readonly<Record<string, Action>>;

/** Lines that a page key moves. */
export const page = 10;

export function clamp(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(most, value));
}

/** The six movements through a list of `count` lines. */
export function listActions(
  countOf: (state: State) => number,
  selectedOf: (state: State) => number,
  select: (state: State, selected: number) => State,
): Actions {
  const move =
    (to: (selected: number, count: number) => number): Action =>
    (state) => {
      const count = countOf(state);
      const selected = clamp(to(selectedOf(state), count), 0, Math.max(0, count - 1));
      return { state: select(state, selected), effects: [] };
    };
  return {
    down: move((selected) => selected + 1),
    up: move((selected) => selected - 1),
    pageDown: move((selected) => selected + page),
    pageUp: move((selected) => selected - page),
    first: move(() => 0),
    last: move((_, count) => count - 1),
  };
}
