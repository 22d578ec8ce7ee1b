import stringWidth from 'string-width';

/** The sixteen colours that every terminal has and its owner has chosen. */
export type Colour = 'black' | 'red' | 'green' | 'yellow' | 'blue' | 'magenta' | 'cyan' | 'white' | 'grey';

export interface Look {
  readonly colour?: Colour;
  readonly background?: Colour;
  readonly bold?: boolean;
  readonly dim?: boolean;
  readonly inverse?: boolean;
}

/** Text of one look. */
export type Span = readonly [text: string, look?: Look | undefined];
/** One line of the screen. Its spans lie beside each other, none holds a line break. */
export type Row = readonly Span[];

export const blank: Row = [];

/** Columns that a text takes on the terminal: two for wide characters, none for combining ones. */
export function widthOf(text: string): number {
  return isPlain(text) ? text.length : stringWidth(text);
}

export function rowWidth(row: Row): number {
  return row.reduce((sum, [text]) => sum + widthOf(text), 0);
}

/** Printable ASCII and the box, block and arrow characters that the views draw with are one column each. */
function isPlain(text: string): boolean {
  return /^[\x20-\x7e\u2190-\u21ff\u2500-\u25ff·×≈…✓✗]*$/.test(text);
}

/** The first `columns` columns of a text, ended by an ellipsis where something is left out. */
export function clipText(text: string, columns: number, ellipsis = '…'): string {
  const safe = printable(text);
  if (columns <= 0) return '';
  if (widthOf(safe) <= columns) return safe;
  const room = columns - widthOf(ellipsis);
  if (room <= 0) return ellipsis.slice(0, columns);
  let kept = '';
  let used = 0;
  for (const { segment } of graphemes.segment(safe)) {
    const width = widthOf(segment);
    if (used + width > room) break;
    kept += segment;
    used += width;
  }
  return kept + ellipsis;
}

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** Without control characters: a name out of a file must not move the cursor. */
function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: removing them is the purpose
  return /[\u0000-\u001f\u007f-\u009f]/.test(text) ? text.replaceAll(/[\u0000-\u001f\u007f-\u009f]+/g, ' ') : text;
}

/** The row cut or filled up to exactly `columns`. The filling has the look given, as a selected line needs it. */
export function fitted(row: Row, columns: number, filling?: Look): Row {
  const kept: Span[] = [];
  let used = 0;
  for (const [raw, look] of row) {
    const text = printable(raw);
    const width = widthOf(text);
    if (used + width <= columns) {
      kept.push([text, look]);
      used += width;
      continue;
    }
    const cut = clipText(text, columns - used);
    if (cut !== '') kept.push([cut, look]);
    used += widthOf(cut);
    break;
  }
  if (used < columns) kept.push([' '.repeat(columns - used), filling]);
  return kept;
}

/** Left and right aligned on one row; the left one gives way. */
export function spread(left: Row, right: Row, columns: number): Row {
  const rightWidth = Math.min(rowWidth(right), columns);
  return [...fitted(left, columns - rightWidth), ...fitted(right, rightWidth)];
}

/** Exactly `height` rows. */
export function tall(rows: readonly Row[], height: number): Row[] {
  return Array.from({ length: height }, (_, index) => rows[index] ?? blank);
}

export function plainText(row: Row): string {
  return row.map(([text]) => text).join('');
}

/** Words filled into rows of `columns`. */
export function wrapText(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of printable(text).split(' ')) {
    if (line === '') line = word;
    else if (widthOf(line) + 1 + widthOf(word) <= columns) line = `${line} ${word}`;
    else {
      lines.push(line);
      line = word;
    }
  }
  if (line !== '') lines.push(line);
  return lines;
}
