/** How a report for people is drawn. */
export interface TextStyle {
  readonly columns: number;
  readonly color: boolean;
}

export type Tint = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

const codes: Readonly<Record<Tint, readonly [number, number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
};

export function tint(text: string, colour: Tint, style: TextStyle): string {
  const [on, off] = codes[colour];
  return style.color ? `\u001b[${on}m${text}\u001b[${off}m` : text;
}

/** Words filled into lines of at most `columns`; the first starts after `lead`, the others are indented as far. */
export function wrapped(lead: string, words: readonly string[], columns: number): readonly string[] {
  const room = columns - visible(lead);
  const lines: string[] = [];
  let line = '';
  for (const word of withUnits(words)) {
    if (line === '') line = word;
    else if (visible(line) + 1 + visible(word) <= room) line = `${line} ${word}`;
    else {
      lines.push(line);
      line = word;
    }
  }
  lines.push(line);
  return lines.map((text, index) => (index === 0 ? lead : ' '.repeat(visible(lead))) + text);
}

const unit = /^(%|s|ms|us|min|h|days|[KMGT]?i?B|kWh|MWh|GWh|kg|t|million|billion)[,;:.)]*$/;

/** A number and its unit stay on one line. */
function withUnits(words: readonly string[]): readonly string[] {
  const joined: string[] = [];
  for (const word of words) {
    const before = joined.at(-1);
    if (before !== undefined && /\d$/.test(before) && unit.test(word)) joined[joined.length - 1] = `${before} ${word}`;
    else joined.push(word);
  }
  return joined;
}

/** Length on the terminal, where a word may be tinted. */
function visible(text: string): number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape sequences of tint()
  return text.replaceAll(/\u001b\[\d+m/g, '').length;
}

/** A horizontal bar in eighths of a character. */
export function bar(fraction: number, width: number): string {
  const eighths = Math.round(Math.max(0, Math.min(1, fraction)) * width * 8);
  return '█'.repeat(Math.floor(eighths / 8)) + (['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'][eighths % 8] ?? '');
}

/** Cells right-aligned into columns of the given widths, the first one left-aligned. */
export function row(cells: readonly string[], widths: readonly number[]): string {
  return cells
    .map((cell, index) => (index === 0 ? cell.padEnd(widths[index] ?? 0) : cell.padStart(widths[index] ?? 0)))
    .join(' ')
    .trimEnd();
}

/** `4.71..9.31 s`, the unit once where both have the same. */
export function intervalText([low, high]: readonly [number, number], format: (value: number) => string): string {
  const [from = '', unit] = format(low).split(' ');
  const to = format(high);
  return to.endsWith(` ${unit}`) ? `${from}..${to}` : `${format(low)}..${to}`;
}
