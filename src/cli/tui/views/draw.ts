import type { Glyphs } from '../screen/glyphs.js';
import type { Look, Row, Span } from '../screen/row.js';

/** How the views may draw. */
export interface Draw {
  readonly glyphs: Glyphs;
  /** Where there is none, letters stand for colours. */
  readonly color: boolean;
}

/** The part of the screen that a view fills: it hands over at most so many rows of at most so many columns. */
export interface Area {
  readonly columns: number;
  readonly rows: number;
}

/** Looks by what they mean. */
export const theme = {
  title: { bold: true },
  dim: { dim: true },
  key: { colour: 'cyan', bold: true },
  good: { colour: 'green', bold: true },
  tight: { colour: 'yellow', bold: true },
  bad: { colour: 'red', bold: true },
  accent: { colour: 'cyan' },
  selected: { inverse: true },
  note: { colour: 'yellow' },
} as const satisfies Readonly<Record<string, Look>>;

/** One part of a bar: how much, what it looks like, and the letter that stands for it without colour. */
export interface Part {
  readonly name: string;
  readonly value: number;
  readonly look: Look;
  readonly letter: string;
}

/** Parts beside each other on `columns` that stand for `whole`; what is left is the track. */
export function stackedBar(parts: readonly Part[], whole: number, columns: number, draw: Draw): Row {
  const spans: Span[] = [];
  let sum = 0;
  let drawn = 0;
  for (const { value, look, letter } of parts) {
    sum += value;
    const end = Math.min(columns, Math.round((sum / whole) * columns));
    if (end > drawn) spans.push([(draw.color ? draw.glyphs.full : letter).repeat(end - drawn), look]);
    drawn = Math.max(drawn, end);
  }
  if (drawn < columns) spans.push([draw.glyphs.track.repeat(columns - drawn), theme.dim]);
  return spans;
}

/** One quantity on `columns` that stand for `whole`, in eighths of a column. */
export function plainBar(value: number, whole: number, columns: number, look: Look, draw: Draw): Row {
  const eighths = Math.round(Math.max(0, Math.min(1, whole > 0 ? value / whole : 0)) * columns * 8);
  const text = draw.glyphs.full.repeat(Math.floor(eighths / 8)) + (draw.glyphs.eighths[(eighths % 8) - 1] ?? '');
  return [[text, look]];
}

/** What the parts of a bar are, as many as fit on each row. */
export function legend(parts: readonly Part[], columns: number, draw: Draw): Row[] {
  const rows: Span[][] = [[]];
  let used = 0;
  for (const { name, look, letter } of parts) {
    const sign = draw.color ? draw.glyphs.full : letter;
    const width = name.length + 3;
    if (used > 0 && used + width > columns) {
      rows.push([]);
      used = 0;
    }
    rows.at(-1)?.push([sign, look], [` ${name} `]);
    used += width;
  }
  return rows;
}

/** Which rows of a list to show so that the selected one is in sight. */
export function windowOf(
  count: number,
  selected: number,
  rows: number,
): { readonly from: number; readonly to: number } {
  if (count <= rows) return { from: 0, to: count };
  const from = Math.max(0, Math.min(count - rows, selected - Math.floor(rows / 2)));
  return { from, to: from + rows };
}

/** Values as columns of `rows` rows, the highest as high as `most`. */
export function columnChart(values: readonly number[], most: number, rows: number, draw: Draw): string[] {
  const { levels } = draw.glyphs;
  const heights = values.map((value) => Math.round(Math.max(0, Math.min(1, value / most)) * rows * levels.length));
  return Array.from({ length: rows }, (_, index) => {
    const below = (rows - 1 - index) * levels.length;
    return heights
      .map((height) => {
        const level = Math.min(levels.length, height - below);
        return level <= 0 ? ' ' : (levels[level - 1] ?? ' ');
      })
      .join('');
  });
}
