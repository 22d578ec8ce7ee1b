import { type ChartData, ticks } from './sweepSeries.js';
import { formatCell, shortName } from './sweepTable.js';
import type { TextStyle, Tint } from './text.js';
import { tint, wrapped } from './text.js';

const letters = 'ABCDEF';
const colours: readonly Tint[] = ['cyan', 'yellow', 'green', 'red', 'bold', 'dim'];
const HEIGHT = 12;

/** Lines as letters on a grid: capital where the point fits, small where it does not. For terminals, also without colour. */
export function sweepChart(data: ChartData, style: TextStyle): string {
  const values = data.series.flatMap((series) => series.values.filter((value) => value !== undefined));
  const marks = ticks(Math.min(...values), Math.max(...values), 4);
  const [bottom = 0] = marks;
  const top = marks.at(-1) ?? 1;
  const labels = marks.map((mark) => formatCell(data.yName, mark));
  const left = Math.max(...labels.map(({ length }) => length)) + 1;
  const width = Math.max(20, Math.min(style.columns, 100) - left - 2);
  const rowOf = (value: number): number => Math.round(((top - value) / (top - bottom || 1)) * (HEIGHT - 1));
  const columnOf = (index: number): number => Math.round((data.xPlaces[index] ?? 0) * (width - 1));
  const cells = drawn(data, width, rowOf, columnOf);
  const labelAt = new Map(marks.map((mark, i) => [rowOf(mark), labels[i] ?? '']));
  const body = cells.map((row, i) => {
    const line = row
      .map((letter) => coloured(letter, style))
      .join('')
      .trimEnd();
    return `${(labelAt.get(i) ?? '').padStart(left - 1)} ${labelAt.has(i) ? '┤' : '│'}${line}`;
  });
  return [
    tint(`${shortName(data.yName)} over ${data.xName}`, 'bold', style),
    ...body,
    `${' '.repeat(left)}└${'─'.repeat(width)}`,
    `${' '.repeat(left + 1)}${xAxis(data, width, columnOf)}`,
    ...legend(data, style),
    '',
  ].join('\n');
}

function drawn(
  data: ChartData,
  width: number,
  rowOf: (value: number) => number,
  columnOf: (index: number) => number,
): string[][] {
  const cells = Array.from({ length: HEIGHT }, () => new Array<string>(width).fill(' '));
  const put = (row: number, column: number, letter: string): void => {
    const line = cells[row];
    if (line !== undefined && (letter !== '·' || line[column] === ' ')) line[column] = letter;
  };
  data.series.forEach(({ values }) => {
    values.forEach((value, i) => {
      const next = values[i + 1];
      if (value === undefined || next === undefined) return;
      for (let column = columnOf(i) + 1; column < columnOf(i + 1); column += 2) {
        const share = (column - columnOf(i)) / (columnOf(i + 1) - columnOf(i));
        put(rowOf(value + share * (next - value)), column, '·');
      }
    });
  });
  data.series.forEach(({ values, fits }, nth) => {
    const letter = letters[nth] ?? '*';
    values.forEach((value, i) => {
      if (value !== undefined) put(rowOf(value), columnOf(i), fits[i] ? letter : letter.toLowerCase());
    });
  });
  return cells;
}

function coloured(letter: string, style: TextStyle): string {
  const series = letters.indexOf(letter.toUpperCase());
  return letter === ' ' || series < 0 ? letter : tint(letter, colours[series] ?? 'bold', style);
}

/** As many labels as there is room for, each under its point. */
function xAxis({ xLabels }: ChartData, width: number, columnOf: (index: number) => number): string {
  let text = '';
  xLabels.forEach((label, i) => {
    const wanted = Math.min(columnOf(i) - Math.floor(label.length / 2), width - label.length);
    const start = Math.max(0, wanted);
    if (text === '' || start > text.length) text = text.padEnd(start) + label;
  });
  return text;
}

function legend({ series, more }: ChartData, style: TextStyle): readonly string[] {
  const small = series.some(({ values, fits }) => values.some((value, i) => value !== undefined && !fits[i]));
  const names = series.flatMap(({ name }, i) => (name === '' ? [] : [`${letters[i]} ${name};`]));
  const rest = more > 0 ? [`${more} more ${more === 1 ? 'line' : 'lines'} left out;`] : [];
  const note = small ? ['small letters do not fit'] : [];
  const words = [...names, ...rest, ...note].map((word, i, all) =>
    i === all.length - 1 ? word.replace(/;$/, '') : word,
  );
  return words.length === 0 ? [] : wrapped('  ', words, style.columns);
}
