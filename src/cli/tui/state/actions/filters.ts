import { lineOf } from '../lineEdit.js';
import type { FilterTarget, State } from '../state.js';

export function filterOf(state: State, target: FilterTarget): string {
  if (target === 'scenario') return state.fieldFilter;
  return target === 'plan' ? state.plan.filter : state.presets.filter;
}

/** Filters live: every key shows what is left, from its first line. */
export function setFilter(state: State, target: FilterTarget, text: string): State {
  if (filterOf(state, target) === text) return state;
  if (target === 'scenario') return { ...state, fieldFilter: text, field: 0 };
  if (target === 'plan') return { ...state, plan: { ...state.plan, filter: text, selected: 0 } };
  return { ...state, presets: { ...state.presets, filter: text, selected: 0, first: 0 } };
}

/** A new filter starts from everything, whatever was looked for before. */
export function openFilter(state: State, target: FilterTarget): State {
  return { ...setFilter(state, target, ''), prompt: { kind: 'filter', target, line: lineOf('') } };
}
