import { describe, expect, test } from 'vitest';
import { ansiOf } from '../../../src/cli/tui/screen/ansi.js';
import { ascii, glyphsFor, unicode } from '../../../src/cli/tui/screen/glyphs.js';
import { Painter } from '../../../src/cli/tui/screen/painter.js';
import { clipText, fitted, plainText, spread, widthOf, wrapText } from '../../../src/cli/tui/screen/row.js';
import { stackedBar, windowOf } from '../../../src/cli/tui/views/draw.js';
import { drawings } from './driver.js';

describe('rows', () => {
  test('are exactly as wide as asked, also with wide and combining characters', () => {
    for (const text of ['plain', '模型模型模型', 'e\u0301e\u0301e\u0301e\u0301', '🚢🚢🚢', 'a🇩🇪b', '']) {
      for (const columns of [1, 2, 3, 7, 20]) {
        expect(widthOf(plainText(fitted([[text]], columns))), `${text} in ${columns}`).toBe(columns);
      }
    }
  });

  test('end in an ellipsis where something is left out', () => {
    expect(clipText('tensorParallel', 8)).toBe('tensorP…');
    expect(clipText('模型模型', 6)).toBe('模型…');
    expect(clipText('short', 8)).toBe('short');
    expect(clipText('anything', 0)).toBe('');
  });

  test('let nothing through that moves the cursor', () => {
    expect(plainText(fitted([['a\u001b[2Jb\nc\u009bd']], 20))).toBe('a [2Jb c d          ');
  });

  test('keep the right side when the left one is too long', () => {
    expect(plainText(spread([['a long left side']], [['right']], 12))).toBe('a long…right');
  });

  test('are wrapped between words', () => {
    expect(wrapText('the nearest valid value', 12)).toEqual(['the nearest', 'valid value']);
  });
});

describe('colours', () => {
  test('are left out where they are not wanted; bold and inverse stay', () => {
    const row = [['fits', { colour: 'green', bold: true }]] as const;
    expect(ansiOf(row, true)).toBe('\u001b[1;32mfits\u001b[0m');
    expect(ansiOf(row, false)).toBe('\u001b[1mfits\u001b[0m');
  });
});

describe('glyphs', () => {
  test('follow the locale, and --ascii before it', () => {
    expect(glyphsFor({ LANG: 'de_DE.UTF-8' }, undefined)).toBe(unicode);
    expect(glyphsFor({ LANG: 'C' }, undefined)).toBe(ascii);
    expect(glyphsFor({ LC_ALL: 'C', LANG: 'de_DE.UTF-8' }, undefined)).toBe(ascii);
    expect(glyphsFor({}, undefined)).toBe(unicode);
    expect(glyphsFor({ LANG: 'C.UTF-8' }, 'ascii')).toBe(ascii);
  });

  test('are one column each, and ASCII where they have to be', () => {
    for (const set of [unicode, ascii]) {
      for (const glyph of Object.values(set).flat().filter(Boolean)) expect(widthOf(glyph), glyph).toBe(1);
    }
    // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII is what is asked for
    expect(Object.values(ascii).flat().join('')).toMatch(/^[\x00-\x7f]*$/);
  });
});

describe('the painter', () => {
  const painted = (): { readonly painter: Painter; readonly written: string[] } => {
    const written: string[] = [];
    return { painter: new Painter((text) => written.push(text)), written };
  };

  test('sends only the lines that changed, as one synchronized frame', () => {
    const { painter, written } = painted();
    painter.paint(['one', 'two', 'three']);
    painter.paint(['one', 'TWO', 'three']);
    expect(written[1]).toBe('\u001b[?2026h\u001b[2;1HTWO\u001b[K\u001b[?2026l');
    painter.paint(['one', 'TWO', 'three']);
    expect(written).toHaveLength(2);
  });

  test('clears what a shorter frame leaves, and sends all again after a resize', () => {
    const { painter, written } = painted();
    painter.paint(['one', 'two', 'three']);
    painter.paint(['one']);
    expect(written[1]).toContain('\u001b[2;1H\u001b[J');
    painter.forget();
    painter.paint(['one']);
    expect(written.at(-1)).toContain('one');
  });
});

describe('bars and lists', () => {
  test('parts of a bar are as wide as their share', () => {
    const parts = [
      { name: 'a', value: 3, look: {}, letter: 'A' },
      { name: 'b', value: 1, look: {}, letter: 'B' },
    ];
    expect(plainText(stackedBar(parts, 8, 16, drawings.ascii))).toBe('AAAAAABB........');
    expect(plainText(stackedBar(parts, 4, 8, drawings.colour))).toBe('████████');
  });

  test('a list shows its selected line', () => {
    expect(windowOf(5, 4, 10)).toEqual({ from: 0, to: 5 });
    expect(windowOf(100, 50, 10)).toEqual({ from: 45, to: 55 });
    expect(windowOf(100, 99, 10)).toEqual({ from: 90, to: 100 });
  });
});
