import { describe, expect, test } from 'vitest';
import { keysOf } from '../../../src/cli/tui/screen/keys.js';
import { bindings, placesOf } from '../../../src/cli/tui/state/keyTable.js';
import { editLine, type LineEdit, lineOf } from '../../../src/cli/tui/state/lineEdit.js';
import { actionsOf } from '../../../src/cli/tui/state/reducer.js';
import { statusLine } from '../../../src/cli/tui/views/status.js';
import { drawings, stateOf } from './driver.js';

describe('keys', () => {
  test('that arrive together are as many keys', () => {
    expect(keysOf('jjjq', {})).toEqual(['j', 'j', 'j', 'q']);
    expect(keysOf('tp 4\r', {})).toEqual(['t', 'p', ' ', '4', 'enter']);
  });

  test('with a name of their own have it', () => {
    expect(keysOf('', { upArrow: true })).toEqual(['up']);
    expect(keysOf('', { rightArrow: true, shift: true })).toEqual(['shift-right']);
    expect(keysOf('r', { ctrl: true })).toEqual(['ctrl-r']);
    expect(keysOf('', { delete: true })).toEqual(['backspace']);
    expect(keysOf('\u001b', { escape: true })).toEqual(['esc']);
    expect(keysOf('\u0012', {})).toEqual(['ctrl-r']);
  });

  test('outside of ASCII are single characters', () => {
    expect(keysOf('é模🚢', {})).toEqual(['é', '模', '🚢']);
  });
});

describe('the key table', () => {
  test('gives no key twice in one place', () => {
    const given = bindings.flatMap(({ place, keys }) => keys.map((key) => `${place} ${key}`));
    expect(given.filter((one, index) => given.indexOf(one) !== index)).toEqual([]);
  });

  test('names actions that exist, and every action has a key', () => {
    const missing = bindings.filter(({ place, action }) => actionsOf[place][action] === undefined);
    expect(missing).toEqual([]);
    const unreachable = Object.entries(actionsOf).flatMap(([place, actions]) =>
      Object.keys(actions).filter((action) => !bindings.some((one) => one.place === place && one.action === action)),
    );
    // Overview and memory move by single lines only.
    expect(new Set(unreachable)).toEqual(new Set(['pageDown', 'pageUp', 'first', 'last']));
  });

  test('shows help and quit in the status line of every place and width', () => {
    for (const columns of [60, 80, 200]) {
      const state = stateOf(undefined, columns, 24);
      for (const focus of ['scenario', 'view'] as const) {
        const text = statusLine({ ...state, focus }, columns, drawings.plain)
          .map(([piece]) => piece)
          .join('');
        expect(text).toMatch(/\? help {2}q quit/);
        expect(text.length).toBeLessThanOrEqual(columns);
      }
    }
    expect(placesOf(stateOf())).toEqual(['scenario', 'everywhere']);
  });
});

describe('a typed line', () => {
  const edited = (text: string, ...keys: readonly string[]): LineEdit =>
    keys.reduce((line, key) => editLine(line, key) ?? line, lineOf(text));

  test('is edited where the cursor is', () => {
    expect(edited('tp 8', 'backspace', '4')).toEqual({ text: 'tp 4', cursor: 4 });
    expect(edited('p 8', 'home', 't')).toEqual({ text: 'tp 8', cursor: 1 });
    expect(edited('set tp 8', 'ctrl-w')).toEqual({ text: 'set tp ', cursor: 7 });
    expect(edited('abc', 'left', 'ctrl-u')).toEqual({ text: 'c', cursor: 0 });
  });

  test('leaves other keys alone', () => {
    expect(editLine(lineOf('a'), 'pagedown')).toBeUndefined();
    expect(editLine(lineOf('a'), 'up')).toBeUndefined();
  });
});
