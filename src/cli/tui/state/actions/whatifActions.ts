import { SlipwayError } from '../../../../index.js';
import { type Axis, keyOf, lengthOf } from '../../../../planner/sweep/axis.js';
import { parseAxis } from '../../../../planner/sweep/parseAxis.js';
import { setPaths } from '../../../../scenario/setPath.js';
import { writeOutPreset } from '../../../../scenario/writeOutPreset.js';
import { refusalOf } from '../../scenario/answer.js';
import { candidatesOf } from '../../scenario/candidates.js';
import { type Field, fieldByKey } from '../../scenario/fields.js';
import { canonical, type RunValue, withValue } from '../../scenario/runValue.js';
import type { GridPoint } from '../../work/grid.js';
import { changeRun, shownAnswer } from '../change.js';
import { lineOf } from '../lineEdit.js';
import { only, type State, saying, type WhatIfMetric } from '../state.js';
import { type Actions, clamp, listActions } from './action.js';

export const whatIfMetrics: readonly WhatIfMetric[] = ['tokens', 'step', 'mfu', 'memory', 'days', 'cost'];

/** Fields whose values can be listed, the ones that matter most first. */
const usualFields: readonly Field[] = [
  'strategy.tensorParallel',
  'strategy.pipelineParallel',
  'strategy.virtualStages',
  'strategy.contextParallel',
  'strategy.expertParallel',
  'strategy.microBatchSize',
  'strategy.globalBatchSize',
  'accelerators',
  'sequenceLength',
  'strategy.dataSharding',
  'strategy.recompute',
  'strategy.precision',
  'strategy.pipelineSchedule',
  'strategy.optimizer',
]
  .map(fieldByKey)
  .filter((field) => field !== undefined);

/** A line of the list: a field, or what was typed. */
export interface Variable {
  readonly key: string;
  readonly label: string;
  readonly typed: Axis | undefined;
}

/** What can be varied: what was typed, then the usual fields. */
export function variablesOf({ whatif }: State): readonly Variable[] {
  const typed = whatif.typed.map((axis): Variable => ({ key: keyOf(axis), label: labelOf(axis), typed: axis }));
  const others = usualFields.filter(({ key }) => !typed.some((one) => one.key === key));
  return [...typed, ...others.map(({ key, label }): Variable => ({ key, label, typed: undefined }))];
}

export function labelOf(axis: Axis): string {
  return fieldByKey(keyOf(axis))?.label ?? axis.name;
}

/** A long axis has too many bars for any screen. */
const mostValues = 24;
/** More points than this are a question for the command line. */
const mostPoints = 400;

/** The axes of the question, as `slipway whatif --vary` would have them. A field is varied over the values that can run. */
export function axesOf(state: State): readonly Axis[] {
  const { keys } = state.whatif;
  const axes = keys.flatMap((key): Axis[] => {
    const variable = variablesOf(state).find((one) => one.key === key);
    if (variable === undefined) return [];
    return variable.typed === undefined ? fieldAxis(state, key) : [variable.typed];
  });
  return axes.length < keys.length || axes.some((axis) => lengthOf(axis) === 0) ? [] : axes;
}

function fieldAxis(state: State, key: string): Axis[] {
  const field = fieldByKey(key);
  const scenario = shownAnswer(state)?.scenario;
  if (field === undefined || scenario === undefined) return [];
  const values = candidatesOf(field, scenario).filter((value) => {
    // With two axes a value that is refused alone may be right beside another one.
    if (state.whatif.keys.length > 1) return true;
    return refusalOf(withValue(state.document.run, key, value), state.document.baseDirectory) === undefined;
  });
  const list = around(values, mostValues, scenarioValue(state, key));
  return [{ name: key, path: key.split('.'), change: { kind: 'list', values: list } }];
}

export function gridId({ document, whatif }: State): string {
  return `${document.baseDirectory}\n${canonical(document.run)}\n${whatif.keys.join()}\n${canonical(whatif.typed)}`;
}

function scenarioValue(state: State, key: string): unknown {
  const scenario = shownAnswer(state)?.scenario;
  const value: unknown = key.split('.').reduce<unknown>((part, step) => Object(part)[step], scenario);
  return value;
}

/** At most so many values in a row, the present one among them. */
function around(values: readonly unknown[], most: number, now: unknown): readonly unknown[] {
  if (values.length <= most) return values;
  const at = values.findIndex((value) => value === now || (typeof now === 'number' && Number(value) >= now));
  const from = clamp(at - Math.floor(most / 2), 0, values.length - most);
  return values.slice(from, from + most);
}

/** Varies what was typed, such as `accelerators=4096..16384*2`, beside what was varied last. Undefined where it is taken, else why not. */
export function varyTyped(state: State, text: string): State | { readonly problem: string } {
  let axis: Axis;
  try {
    axis = parseAxis(text);
  } catch (error) {
    if (error instanceof SlipwayError) return { problem: error.message };
    throw error;
  }
  if (axis.change.kind === 'formula') return { problem: 'a formula has no values of its own; give values or a range' };
  if (lengthOf(axis) > mostPoints)
    return { problem: `${lengthOf(axis)} values; slipway whatif takes more than ${mostPoints}` };
  const key = keyOf(axis);
  const { whatif } = state;
  const typed = [axis, ...whatif.typed.filter((one) => keyOf(one) !== key)];
  const keys = [...whatif.keys.filter((one) => one !== key), key].slice(-2);
  return { ...state, tab: 'whatif', focus: 'view', whatif: { ...whatif, typed, keys, selected: 0, point: 0 } };
}

const toPoint = (step: number) => (state: State) => {
  const most = Math.max(0, (state.grid.result?.length ?? 1) - 1);
  return only({ ...state, whatif: { ...state.whatif, point: clamp(state.whatif.point + step, 0, most) } });
};

/** The scenario with a point's values in it; a preset of which a part is varied is written out, as `--set` does. */
function runOf({ document }: State, { values }: GridPoint): RunValue {
  const { baseDirectory } = document;
  const keys = Object.keys(values);
  const overrides = Object.entries(values).map(([key, value]) => ({ path: key.split('.'), value }));
  return setPaths(document.run, overrides, (path, name) => writeOutPreset(path, name, { baseDirectory, keys }));
}

export const whatifActions: Actions = {
  ...listActions(
    (state) => variablesOf(state).length,
    ({ whatif }) => whatif.selected,
    (state, selected) => ({ ...state, whatif: { ...state.whatif, selected } }),
  ),
  vary: (state) => {
    const key = variablesOf(state)[state.whatif.selected]?.key;
    if (key === undefined) return only(state);
    const { keys } = state.whatif;
    const next = keys.includes(key) ? keys.filter((one) => one !== key) : [...keys, key].slice(-2);
    return only({ ...state, whatif: { ...state.whatif, keys: next, point: 0 } });
  },
  type: (state) => only({ ...state, prompt: { kind: 'command', line: lineOf('vary '), problem: undefined } }),
  metric: (state) => {
    const metric = whatIfMetrics[(whatIfMetrics.indexOf(state.whatif.metric) + 1) % whatIfMetrics.length] ?? 'tokens';
    return only({ ...state, whatif: { ...state.whatif, metric } });
  },
  nextPoint: toPoint(1),
  previousPoint: toPoint(-1),
  load: (state) => {
    const point = state.grid.result?.[state.whatif.point];
    if (point === undefined) return only(state);
    if (point.refusal !== undefined) return only(saying(state, point.refusal, 'bad'));
    return only(saying(changeRun(state, runOf(state, point)), 'point loaded into the scenario; u undoes it', 'good'));
  },
};
