import type { Cell } from '../planner/sweep/figures.js';
import type { Column } from '../planner/sweep/sweepRows.js';

/** Rows of a sweep as lines of text; each line ends with a newline. */
export type RowLines = (rows: readonly (readonly Cell[])[]) => string;

/** One JSON object a row, keys in the order of the columns. */
export function jsonLines(columns: readonly Column[]): RowLines {
  const keys = columns.map(({ name }, index) => `${index === 0 ? '{' : ','}${JSON.stringify(name)}:`);
  return (rows) => {
    let text = '';
    for (const row of rows) {
      for (let i = 0; i < keys.length; i++) text += keys[i] + jsonCell(row[i] ?? null);
      text += '}\n';
    }
    return text;
  };
}

/** RFC 4180, with the names of the columns in the first line. */
export function csvHeader(columns: readonly Column[]): string {
  return `${columns.map(({ name }) => csvCell(name)).join(',')}\n`;
}

export const csvLines: RowLines = (rows) => rows.map((row) => `${row.map(csvCell).join(',')}\n`).join('');

/** One JSON array a row: half the size, for files that only slipway reads. */
export const arrayLines: RowLines = (rows) => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

function jsonCell(cell: Cell): string {
  return typeof cell === 'string' ? JSON.stringify(cell) : String(cell);
}

/** A text that a spreadsheet would take for a formula is quoted like any other; we write none that begins with an equals sign. */
function csvCell(cell: Cell): string {
  if (cell === null) return '';
  const text = String(cell);
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
