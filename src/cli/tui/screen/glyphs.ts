/** What the views draw with: one set for terminals that know Unicode, one for those that do not. */
export interface Glyphs {
  readonly fits: string;
  readonly tight: string;
  readonly overflows: string;
  readonly pointer: string;
  readonly vertical: string;
  readonly horizontal: string;
  readonly dot: string;
  readonly up: string;
  readonly down: string;
  readonly ellipsis: string;
  readonly times: string;
  readonly about: string;
  readonly full: string;
  readonly shade: string;
  readonly track: string;
  /** A bar's last cell, from one eighth to seven. */
  readonly eighths: readonly string[];
  /** A column's top cell, from one eighth to a whole. */
  readonly levels: readonly string[];
  readonly mark: string;
  readonly cursor: string;
}

export const unicode: Glyphs = {
  fits: '✓',
  tight: '▲',
  overflows: '✗',
  pointer: '▸',
  vertical: '│',
  horizontal: '─',
  dot: '·',
  up: '▲',
  down: '▼',
  ellipsis: '…',
  times: '×',
  about: '≈',
  full: '█',
  shade: '▒',
  track: '░',
  eighths: ['▏', '▎', '▍', '▌', '▋', '▊', '▉'],
  levels: ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'],
  mark: '●',
  cursor: '◆',
};

export const ascii: Glyphs = {
  fits: '+',
  tight: '!',
  overflows: 'x',
  pointer: '>',
  vertical: '|',
  horizontal: '-',
  dot: '-',
  up: '^',
  down: 'v',
  ellipsis: '~',
  times: 'x',
  about: '~',
  full: '#',
  shade: '=',
  track: '.',
  eighths: ['', '', '', '', '', '', ''],
  levels: ['.', '.', ':', ':', '|', '|', '#', '#'],
  mark: 'o',
  cursor: '@',
};

/** ASCII where the locale says that the terminal has no UTF-8. The first variable that is set decides, as in every libc. */
export function glyphsFor(environment: NodeJS.ProcessEnv, wanted: 'ascii' | undefined): Glyphs {
  if (wanted === 'ascii') return ascii;
  const locale = environment.LC_ALL || environment.LC_CTYPE || environment.LANG;
  if (locale === undefined || locale === '') return environment.TERM === 'linux' ? ascii : unicode;
  return /utf-?8/i.test(locale) ? unicode : ascii;
}
