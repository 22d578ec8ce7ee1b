import { refusalOf } from '../../scenario/answer.js';
import { candidatesOf } from '../../scenario/candidates.js';
import { type Field, fieldByKey, fields } from '../../scenario/fields.js';
import { canonical, type RunValue, withValue, withValues } from '../../scenario/runValue.js';
import { changeRun, shownAnswer } from '../change.js';
import { only, type State, saying, type WhatIfMetric } from '../state.js';
import { type Actions, clamp, listActions } from './action.js';

const metrics: readonly WhatIfMetric[] = ['tokens', 'step', 'mfu', 'memory', 'days'];

/** Fields whose values can be listed, the ones that matter most first. */
export const variableFields: readonly Field[] = [
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

/** One axis of a what-if: a field and the values of it that are looked at. */
export interface Axis {
  readonly field: Field;
  readonly values: readonly unknown[];
}

/** A long axis has too many bars for any screen. */
const mostValues = 24;

export function axesOf(state: State): readonly Axis[] {
  const scenario = shownAnswer(state)?.scenario;
  return state.whatif.keys.flatMap((key): Axis[] => {
    const field = fields.find((one) => one.key === key);
    if (field === undefined || scenario === undefined) return [];
    const values = candidatesOf(field, scenario).filter((value) => {
      // With two axes a value that is refused alone may be right beside another one.
      if (state.whatif.keys.length > 1) return true;
      return refusalOf(withValue(state.document.run, key, value), state.document.baseDirectory) === undefined;
    });
    return [{ field, values: around(values, mostValues, scenarioValue(state, key)) }];
  });
}

/** The run of every point, the second axis fastest. */
export function pointsOf(
  state: State,
): readonly { readonly changes: Readonly<Record<string, unknown>>; readonly run: RunValue }[] {
  const [first, second] = axesOf(state);
  if (first === undefined) return [];
  return first.values.flatMap((value) =>
    (second === undefined ? [undefined] : second.values).map((other) => {
      const changes = { [first.field.key]: value, ...(second === undefined ? {} : { [second.field.key]: other }) };
      return { changes, run: withValues(state.document.run, changes) };
    }),
  );
}

export function gridId({ document, whatif }: State): string {
  return `${document.baseDirectory}\n${canonical(document.run)}\n${whatif.keys.join()}`;
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

const toPoint = (step: number) => (state: State) => {
  const most = Math.max(0, (state.grid.result?.length ?? 1) - 1);
  return only({ ...state, whatif: { ...state.whatif, point: clamp(state.whatif.point + step, 0, most) } });
};

export const whatifActions: Actions = {
  ...listActions(
    () => variableFields.length,
    ({ whatif }) => whatif.selected,
    (state, selected) => ({ ...state, whatif: { ...state.whatif, selected } }),
  ),
  vary: (state) => {
    const key = variableFields[state.whatif.selected]?.key;
    if (key === undefined) return only(state);
    const { keys } = state.whatif;
    const next = keys.includes(key) ? keys.filter((one) => one !== key) : [...keys, key].slice(-2);
    return only({ ...state, whatif: { ...state.whatif, keys: next, point: 0 } });
  },
  metric: (state) => {
    const metric = metrics[(metrics.indexOf(state.whatif.metric) + 1) % metrics.length] ?? 'tokens';
    return only({ ...state, whatif: { ...state.whatif, metric } });
  },
  nextPoint: toPoint(1),
  previousPoint: toPoint(-1),
  load: (state) => {
    const point = pointsOf(state)[state.whatif.point];
    const refusal = state.grid.result?.[state.whatif.point]?.refusal;
    if (point === undefined) return only(state);
    if (refusal !== undefined) return only(saying(state, refusal, 'bad'));
    return only(saying(changeRun(state, point.run), 'point loaded into the scenario; u undoes it', 'good'));
  },
};
