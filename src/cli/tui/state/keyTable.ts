import type { State, TabId } from './state.js';

/** Where a key means something: a tab that has the focus, the scenario, what lies over them, or everywhere. */
export type Place =
  | TabId
  | 'scenario'
  | 'everywhere'
  | 'edit'
  | 'choose'
  | 'command'
  | 'filter'
  | 'whyNot'
  | 'path'
  | 'export'
  | 'overwrite'
  | 'quit'
  | 'help';

export interface Binding {
  readonly place: Place;
  readonly keys: readonly string[];
  /** Name of what happens; the actions of that name do it. */
  readonly action: string;
  /** A word or two for the status line; none where the line is for more important keys. */
  readonly short?: string;
  readonly help: string;
}

const at = (place: Place, keys: string, action: string, help: string, short?: string): Binding => ({
  place,
  keys: keys.split(' '),
  action,
  help,
  ...(short === undefined ? {} : { short }),
});

/** Lists move alike wherever they are. */
const list = (place: Place): readonly Binding[] => [
  at(place, 'j down', 'down', 'next line', 'line'),
  at(place, 'k up', 'up', 'line before'),
  at(place, 'pagedown ctrl-d', 'pageDown', 'ten lines on'),
  at(place, 'pageup ctrl-b', 'pageUp', 'ten lines back'),
  at(place, 'g home', 'first', 'first line'),
  at(place, 'G end', 'last', 'last line'),
];

/** Every key of the UI. Dispatch, the status line and the help all read this table; a test looks for keys given twice. */
export const bindings: readonly Binding[] = [
  at('scenario', 'j down', 'down', 'next field', 'field'),
  at('scenario', 'k up', 'up', 'field before'),
  at('scenario', 'l right', 'increase', 'next legal value; what is skipped says why', 'value'),
  at('scenario', 'h left', 'decrease', 'legal value before'),
  at('scenario', 'enter i', 'edit', 'type a value, or choose from the list of values', 'edit'),
  at('scenario', 'backspace x', 'default', 'leave the field to its default', 'default'),
  at('scenario', 'f', 'hold', 'hold the field fixed in a plan search, or free it'),
  at('scenario', '} J', 'nextGroup', 'next group of fields'),
  at('scenario', '{ K', 'previousGroup', 'group of fields before'),
  at('scenario', 'pagedown ctrl-d', 'pageDown', 'ten fields on'),
  at('scenario', 'pageup ctrl-b', 'pageUp', 'ten fields back'),
  at('scenario', 'g home', 'first', 'first field'),
  at('scenario', 'G end', 'last', 'last field'),
  at('scenario', '/', 'filter', 'show only fields that match'),

  at('overview', 'j down', 'down', 'next advice', 'advice'),
  at('overview', 'k up', 'up', 'advice before'),
  at('overview', 'enter', 'apply', 'make the change that is advised', 'apply'),

  at('memory', 'j down', 'down', 'next stage', 'stage'),
  at('memory', 'k up', 'up', 'stage before'),

  at('timeline', 'l right', 'nextTask', 'next task of the row', 'task'),
  at('timeline', 'h left', 'previousTask', 'task before'),
  at('timeline', 'j down', 'down', 'next row', 'row'),
  at('timeline', 'k up', 'up', 'row before'),
  at('timeline', '+ =', 'zoomIn', 'zoom in on the selected task', 'zoom'),
  at('timeline', '-', 'zoomOut', 'zoom out'),
  at('timeline', '0', 'zoomAll', 'show the whole step', 'all'),
  at('timeline', 'L shift-right', 'panRight', 'later part of the step', 'pan'),
  at('timeline', 'H shift-left', 'panLeft', 'earlier part of the step'),
  at('timeline', 'space o', 'fold', 'one row a stage, or one for each of its streams', 'streams'),
  at('timeline', 'n', 'nextCritical', 'next task of the row on the critical path', 'critical'),

  at('plan', 'enter', 'load', 'load the selected plan into the scenario', 'load'),
  at('plan', 'r', 'search', 'search again from the present scenario', 'search'),
  at('plan', '.', 'stop', 'stop the search and keep what it found', 'stop'),
  at('plan', 'v', 'picture', 'table, or scatter of memory against speed', 'scatter'),
  at('plan', 'w', 'whyNot', 'why not a plan that you have in mind, such as tp=4,pp=8', 'why not'),
  at('plan', 'y', 'loadAnswer', 'load the plan that the why-not names'),
  at('plan', 'o', 'sort', 'sort by the next column', 'sort'),
  at('plan', 'O', 'reverse', 'sort the other way round'),
  ...list('plan'),
  at('plan', '/', 'filter', 'show only plans that match, such as tp8 zero-1', 'filter'),

  at('compare', 'enter', 'load', 'load the selected pin into the scenario', 'load'),
  at('compare', 'x backspace', 'unpin', 'forget the selected pin', 'unpin'),
  ...list('compare'),

  at('whatif', 'enter space', 'vary', 'vary the selected field, or no longer', 'vary'),
  at('whatif', 'i', 'type', 'type what to vary, such as accelerators=4096..16384*2', 'type'),
  at('whatif', 'm', 'metric', 'next figure to show', 'figure'),
  at('whatif', 'l right', 'nextPoint', 'next point', 'point'),
  at('whatif', 'h left', 'previousPoint', 'point before'),
  at('whatif', 'y', 'load', 'load the selected point into the scenario', 'load'),
  ...list('whatif'),

  at('presets', 'enter', 'use', 'use the preset in the scenario', 'use'),
  at('presets', 'l right', 'nextKind', 'next kind of preset', 'kind'),
  at('presets', 'h left', 'previousKind', 'kind before'),
  ...list('presets'),
  at('presets', 'L', 'textDown', 'scroll its figures', 'figures'),
  at('presets', 'H', 'textUp', 'scroll back'),
  at('presets', '/', 'filter', 'show only presets that match', 'filter'),

  at('edit', 'enter', 'accept', 'take the value', 'take'),
  at('edit', 'esc', 'back', 'leave it as it was', 'cancel'),
  at('choose', 'enter', 'accept', 'take the value', 'take'),
  at('choose', 'down', 'down', 'next value', 'choose'),
  at('choose', 'up', 'up', 'value before'),
  at('choose', 'pagedown', 'pageDown', 'ten values on'),
  at('choose', 'pageup', 'pageUp', 'ten values back'),
  at('choose', 'esc', 'back', 'leave it as it was', 'cancel'),
  at('command', 'enter', 'accept', 'run the command', 'run'),
  at('command', 'tab', 'complete', 'complete the word', 'complete'),
  at('command', 'esc', 'back', 'leave the command line', 'cancel'),
  at('filter', 'enter', 'accept', 'keep the filter', 'keep'),
  at('filter', 'down', 'down', 'next line'),
  at('filter', 'up', 'up', 'line before'),
  at('filter', 'esc', 'back', 'show everything again', 'clear'),
  at('whyNot', 'enter', 'accept', 'ask', 'ask'),
  at('whyNot', 'esc', 'back', 'do not', 'cancel'),
  at('path', 'enter', 'accept', 'write the file', 'go'),
  at('path', 'esc', 'back', 'do not', 'cancel'),
  at('export', 'enter', 'accept', 'export in this form', 'export'),
  at('export', 'j down', 'down', 'next form', 'choose'),
  at('export', 'k up', 'up', 'form before'),
  at('export', 'esc q', 'back', 'do not', 'cancel'),
  at('overwrite', 'y enter', 'accept', 'overwrite the file', 'overwrite'),
  at('overwrite', 'n esc', 'back', 'do not', 'cancel'),
  at('quit', 's y', 'save', 'save and quit', 'save'),
  at('quit', 'n q ctrl-c', 'discard', 'quit without saving', 'discard'),
  at('quit', 'esc', 'back', 'stay', 'stay'),
  at('help', 'j down', 'down', 'next line', 'scroll'),
  at('help', 'k up', 'up', 'line before'),
  at('help', 'pagedown ctrl-d', 'pageDown', 'ten lines on'),
  at('help', 'pageup ctrl-b', 'pageUp', 'ten lines back'),
  at('help', 'esc ? q enter', 'back', 'close the help', 'close'),

  at('everywhere', '1 2 3 4 5 6 7 8', 'tab', 'open a tab'),
  at('everywhere', ']', 'nextTab', 'tab to the right; the keys stay where they are'),
  at('everywhere', '[', 'previousTab', 'tab to the left'),
  at('everywhere', 'tab shift-tab', 'otherPane', 'to the tab, or back to the scenario', 'pane'),
  at('everywhere', 'esc', 'back', 'back: out of a filter, to the scenario'),
  at('everywhere', 'u', 'undo', 'undo the last change of the scenario', 'undo'),
  at('everywhere', 'ctrl-r', 'redo', 'redo it'),
  at('everywhere', 'p', 'pin', 'pin the scenario for comparison', 'pin'),
  at('everywhere', 's', 'save', 'save the run file', 'save'),
  at('everywhere', 'S', 'saveAs', 'save under another name'),
  at('everywhere', 'e', 'export', 'export run, estimate, trace or picture'),
  at('everywhere', 'c', 'copy', 'copy the command line that gives the same estimate'),
  at('everywhere', ':', 'command', 'command line: set tp 4, open run.yaml, ...'),
  at('everywhere', '?', 'help', 'all keys', 'help'),
  at('everywhere', 'ctrl-z', 'suspend', 'back to the shell for a while'),
  at('everywhere', 'q ctrl-c', 'quit', 'quit', 'quit'),
];

/** Places whose keys hold now, the first going before the others. A prompt has all keys to itself. */
export function placesOf({ prompt, focus, tab }: State): readonly Place[] {
  if (prompt !== undefined) return [prompt.kind];
  return [focus === 'view' ? tab : 'scenario', 'everywhere'];
}

export function bindingFor(state: State, key: string): Binding | undefined {
  const name = key === ' ' ? 'space' : key;
  for (const place of placesOf(state)) {
    const found = bindings.find((binding) => binding.place === place && binding.keys.includes(name));
    if (found !== undefined) return found;
  }
  return undefined;
}

const keyNames: Readonly<Record<string, string>> = {
  left: '←',
  right: '→',
  up: '↑',
  down: '↓',
  'shift-left': 'shift-←',
  'shift-right': 'shift-→',
  pagedown: 'pgdn',
  pageup: 'pgup',
  backspace: '⌫',
};

/** A key as the help writes it; arrows as words where the terminal has no Unicode. */
export function keyName(key: string, ascii: boolean): string {
  return ascii ? key : (keyNames[key] ?? key);
}
