/** Draws what a terminal shows as SVG: every character in its cell, so that no font can shift it; blocks as rectangles. */

/** Cell of a character, and the colours of a dark terminal that also reads well on a white page. */
const cell = { width: 8.4, height: 18, size: 14 };
const margin = { left: 14, top: 42, bottom: 14 };
const palette = {
  30: '#16181d',
  31: '#ff7b72',
  32: '#7ee787',
  33: '#e3b341',
  34: '#79a8ff',
  35: '#d2a8ff',
  36: '#66d9e8',
  37: '#d7dae0',
  90: '#6e7681',
} as const;
const background = '#16181d';
const text = '#d7dae0';

interface Style {
  readonly colour: string;
  readonly background: string | undefined;
  readonly bold: boolean;
  readonly dim: boolean;
  readonly inverse: boolean;
}

const plain: Style = { colour: text, background: undefined, bold: false, dim: false, inverse: false };

/** `lines` as tmux captures them with their escape sequences. */
export function terminalSvg(lines: readonly string[], title: string, columns: number): string {
  const width = Math.round(columns * cell.width + 2 * margin.left);
  const height = margin.top + lines.length * cell.height + margin.bottom;
  let style = plain;
  const rows = lines.map((line, index) => {
    const [row, last] = rowOf(line, style, margin.top + index * cell.height);
    style = last;
    return row;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">
<title>${escaped(title)}</title>
<style>text { font: ${cell.size}px 'DejaVu Sans Mono', Menlo, Consolas, monospace; fill: ${text}; white-space: pre; }</style>
<rect width="100%" height="100%" rx="8" fill="${background}"/>
<path d="M0 30V8a8 8 0 0 1 8-8H${width - 8}a8 8 0 0 1 8 8V30z" fill="#23262e"/>
${['#ff5f57', '#febc2e', '#28c840'].map((fill, dot) => `<circle cx="${20 + dot * 18}" cy="15" r="5.5" fill="${fill}"/>`).join('')}
${rows.filter(Boolean).join('\n')}
</svg>
`;
}

function rowOf(line: string, start: Style, top: number): readonly [string, Style] {
  let style = start;
  let column = 0;
  const shapes: string[] = [];
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape sequences of a terminal
  for (const piece of line.split(/(\u001b\[[\d;]*m)/)) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape sequences of a terminal
    const codes = /^\u001b\[([\d;]*)m$/.exec(piece)?.[1];
    if (codes !== undefined) style = codes.split(';').map(Number).reduce(styled, style);
    else {
      shapes.push(pieceOf(piece, column, style, top));
      column += [...piece].length;
    }
  }
  return [shapes.join(''), style];
}

function styled(style: Style, code: number): Style {
  if (code === 0) return plain;
  if (code === 1) return { ...style, bold: true };
  if (code === 2) return { ...style, dim: true };
  if (code === 22) return { ...style, bold: false, dim: false };
  if (code === 7) return { ...style, inverse: true };
  if (code === 27) return { ...style, inverse: false };
  if (code === 39) return { ...style, colour: text };
  if (code === 49) return { ...style, background: undefined };
  const own = palette[code as keyof typeof palette];
  if (own !== undefined) return { ...style, colour: own };
  const behind = palette[(code - 10) as keyof typeof palette];
  return behind === undefined ? style : { ...style, background: behind };
}

function pieceOf(piece: string, column: number, style: Style, top: number): string {
  const length = [...piece].length;
  if (length === 0) return '';
  const colour = style.inverse ? (style.background ?? background) : style.colour;
  const behind = style.inverse ? style.colour : style.background;
  const opacity = style.dim ? ' opacity="0.6"' : '';
  const x = margin.left + column * cell.width;
  const box = behind === undefined ? '' : rectangle(x, top, length, 1, behind, opacity);
  return box + blocks(piece, x, top, colour, opacity) + words(piece, x, top, colour, style.bold, opacity);
}

function rectangle(x: number, top: number, columns: number, share: number, fill: string, opacity: string): string {
  const height = cell.height * share;
  const y = top + cell.height - height;
  return `<rect x="${x.toFixed(1)}" y="${y.toFixed(1)}" width="${(columns * cell.width).toFixed(1)}" height="${height.toFixed(1)}" fill="${fill}"${opacity}/>`;
}

/** Runs of blocks; a font would leave gaps between them. */
function blocks(piece: string, x: number, top: number, colour: string, opacity: string): string {
  const characters = [...piece];
  let shapes = '';
  for (let i = 0; i < characters.length; ) {
    const character = characters[i] ?? '';
    let end = i + 1;
    while (characters[end] === character) end++;
    const left = x + i * cell.width;
    const level = ' ▁▂▃▄▅▆▇█'.indexOf(character);
    const part = '▏▎▍▌▋▊▉'.indexOf(character);
    if (level > 0) shapes += rectangle(left, top, end - i, level / 8, colour, opacity);
    else if (part >= 0) shapes += rectangle(left, top, (part + 1) / 8, 1, colour, opacity);
    else if (character === '░') shapes += rectangle(left, top, end - i, 1, colour, ' opacity="0.15"');
    i = end;
  }
  return shapes;
}

function words(piece: string, x: number, top: number, colour: string, bold: boolean, opacity: string): string {
  const letters = piece.replaceAll(/[█▏▎▍▌▋▊▉▁▂▃▄▅▆▇░]/g, ' ');
  const weight = bold ? ' font-weight="bold"' : '';
  const fill = colour === text ? '' : ` style="fill: ${colour}"`;
  return [...letters.matchAll(/\S+(?: \S+)*/g)]
    .map(({ 0: word, index }) => {
      const at = (x + [...letters.slice(0, index)].length * cell.width).toFixed(1);
      const length = ([...word].length * cell.width).toFixed(1);
      const y = (top + 0.75 * cell.height).toFixed(1);
      return `<text x="${at}" y="${y}" textLength="${length}" lengthAdjust="spacingAndGlyphs"${weight}${fill}${opacity}>${escaped(word)}</text>`;
    })
    .join('');
}

function escaped(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
