/**
 * `tsx tools/screenshot.ts`: docs/estimate.svg, the picture of the README. It is the coloured output of the built command
 * on the example, drawn character by character, so it cannot show what the command does not print.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const command = ['estimate', 'examples/llama3-405b.yaml'];

/** Cell of a character, and the colours of a dark terminal that also reads well on a white page. */
const cell = { width: 8.4, height: 18, size: 14 };
const margin = { left: 18, top: 46, bottom: 18 };
const columns = 82;
const colours = {
  background: '#16181d',
  bar: '#23262e',
  text: '#d7dae0',
  dim: '#8b919c',
  red: '#ff7b72',
  green: '#7ee787',
  yellow: '#e3b341',
  cyan: '#66d9e8',
} as const;

interface Style {
  readonly colour: string;
  readonly bold: boolean;
}
const plain: Style = { colour: colours.text, bold: false };

const output = run();
mkdirSync(`${root}docs`, { recursive: true });
writeFileSync(`${root}docs/estimate.svg`, picture([`$ slipway ${command.join(' ')}`, ...output.trimEnd().split('\n')]));

function run(): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['dist/bin/slipway.js', ...command], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, FORCE_COLOR: '1' },
  });
  // 1 is an answer as well: it does not fit.
  if (status !== 0 && status !== 1) throw new Error(`slipway exits ${status}: ${stderr}`);
  return stdout;
}

function picture(lines: readonly string[]): string {
  const width = Math.round(columns * cell.width + 2 * margin.left);
  const height = margin.top + lines.length * cell.height + margin.bottom;
  let style = plain;
  const rows = lines.map((line, index) => {
    const [spans, last] = spansOf(line, style);
    style = last;
    return `<text x="${margin.left}" y="${margin.top + (index + 0.75) * cell.height}">${spans}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">
<title>slipway ${command.join(' ')}</title>
<style>text { font: ${cell.size}px 'DejaVu Sans Mono', Menlo, Consolas, monospace; fill: ${colours.text}; white-space: pre; }</style>
<rect width="100%" height="100%" rx="8" fill="${colours.background}"/>
<path d="M0 30V8a8 8 0 0 1 8-8H${width - 8}a8 8 0 0 1 8 8V30z" fill="${colours.bar}"/>
${['#ff5f57', '#febc2e', '#28c840'].map((fill, dot) => `<circle cx="${20 + dot * 18}" cy="15" r="5.5" fill="${fill}"/>`).join('')}
${rows.join('\n')}
</svg>
`;
}

/** A line as pieces of one style each, placed by column so that no font can shift them; and the style it ends in. */
function spansOf(line: string, start: Style): readonly [string, Style] {
  let style = start;
  let column = 0;
  const spans: string[] = [];
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape sequences of a terminal
  for (const piece of line.split(/(\u001b\[\d+m)/)) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape sequences of a terminal
    const code = /^\u001b\[(\d+)m$/.exec(piece)?.[1];
    if (code !== undefined) style = styled(style, Number(code));
    else spans.push(...words(piece, column, style));
    if (code === undefined) column += [...piece].length;
  }
  return [spans.join(''), style];
}

/** What stands between gaps of two spaces or more, each placed by itself: a renderer may collapse such gaps. */
function words(piece: string, column: number, style: Style): string[] {
  return [...piece.matchAll(/\S+(?: \S+)*/g)].map(({ 0: text, index }) => span(text, column + index, style));
}

function span(text: string, column: number, { colour, bold }: Style): string {
  const x = (margin.left + column * cell.width).toFixed(1);
  const length = ([...text].length * cell.width).toFixed(1);
  const css = [...(colour === colours.text ? [] : [`fill: ${colour}`]), ...(bold ? ['font-weight: bold'] : [])];
  const look = css.length === 0 ? '' : ` style="${css.join('; ')}"`;
  return `<tspan x="${x}" textLength="${length}" lengthAdjust="spacingAndGlyphs"${look}>${escaped(text)}</tspan>`;
}

function styled(style: Style, code: number): Style {
  const names: Readonly<Record<number, keyof typeof colours>> = {
    2: 'dim',
    31: 'red',
    32: 'green',
    33: 'yellow',
    36: 'cyan',
  };
  const name = names[code];
  if (name !== undefined) return { ...style, colour: colours[name] };
  if (code === 1) return { ...style, bold: true };
  return code === 22 ? plain : { ...style, colour: colours.text };
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
