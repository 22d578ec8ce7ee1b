import type { Key } from 'ink';

/**
 * Names of the keys in what ink hands over. Keys that arrive together (`jjjq`, a pasted word) are one text there; here they are
 * as many keys. Printable characters are their own names.
 */
export function keysOf(input: string, key: Partial<Key>): string[] {
  const special = specialKey(key);
  if (special !== undefined) return [special];
  if (key.ctrl && input.length === 1) return [`ctrl-${input}`];
  if (key.meta && input.length > 0) return [...input].map((character) => `alt-${character}`);
  return [...input].flatMap(nameOf);
}

function specialKey(key: Partial<Key>): string | undefined {
  if (key.upArrow) return key.shift ? 'shift-up' : 'up';
  if (key.downArrow) return key.shift ? 'shift-down' : 'down';
  if (key.leftArrow) return key.shift ? 'shift-left' : 'left';
  if (key.rightArrow) return key.shift ? 'shift-right' : 'right';
  if (key.pageUp) return 'pageup';
  if (key.pageDown) return 'pagedown';
  if (key.home) return 'home';
  if (key.end) return 'end';
  if (key.return) return 'enter';
  if (key.escape) return 'esc';
  if (key.tab) return key.shift ? 'shift-tab' : 'tab';
  return key.backspace || key.delete ? 'backspace' : undefined;
}

function nameOf(character: string): string[] {
  const code = character.codePointAt(0) ?? 0;
  if (character === '\r' || character === '\n') return ['enter'];
  if (character === '\t') return ['tab'];
  if (code === 0x7f || code === 8) return ['backspace'];
  if (code === 0x1b) return ['esc'];
  if (code < 0x20) return [`ctrl-${String.fromCharCode(code + 96)}`];
  return code >= 0x80 && code < 0xa0 ? [] : [character];
}
