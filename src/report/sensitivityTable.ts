import type { Sensitivity, SensitivityBar, SensitivityEnd } from '../planner/sensitivity/sensitivity.js';
import { escaped } from './svgText.js';
import { formatCell, shortName } from './sweepTable.js';
import { type TextStyle, tint, wrapped } from './text.js';

const MOST_BARS = 15;

/** A tornado chart in text: what each input moves the metric by, the longest bar first. */
export function sensitivityTable(result: Sensitivity, style: TextStyle): string {
  const percent = `${Number((result.fraction * 100).toPrecision(4))} %`;
  const now = `${shortName(result.metric)} is ${formatCell(result.metric, result.value)}`;
  const sections = [
    [tint(now, 'bold', style), ''],
    block(`Figures ${percent} lower and higher`, result.figures, style),
    result.counts.length > 0 ? ['', ...block('Counts halved and doubled', result.counts, style)] : [],
    result.without.length > 0
      ? ['', ...wrapped('Hardly any effect: ', [result.without.join(', ')].join('').split(' '), style.columns)]
      : [],
  ];
  return `${sections.flat().join('\n')}\n`;
}

function block(title: string, bars: readonly SensitivityBar[], style: TextStyle): readonly string[] {
  if (bars.length === 0) return [tint(title, 'bold', style), '  nothing moves it'];
  const shown = bars.slice(0, MOST_BARS);
  const names = Math.max(...shown.map(({ name }) => name.length));
  const [longest] = shown;
  const most = Math.max(longest?.swing ?? 1, 1e-9);
  // Name, two numbers of nine characters, and the same room for a bar on both sides of the middle.
  const half = Math.max(5, Math.min(24, Math.floor((style.columns - names - 2 - 20 - 3) / 2)));
  return [
    tint(title, 'bold', style),
    ...shown.map((bar) => {
      const [low, high] = [bar.low.change, bar.high.change];
      const left = drawn(Math.min(0, low ?? 0, high ?? 0) / most, half).padStart(half);
      const right = drawn(Math.max(0, low ?? 0, high ?? 0) / most, half).padEnd(half);
      return `  ${bar.name.padEnd(names)} ${signed(bar.low)} ${tint(left, 'cyan', style)}│${tint(right, 'yellow', style)} ${signed(bar.high)}`.trimEnd();
    }),
    ...(bars.length > shown.length ? [`  and ${bars.length - shown.length} more that move it less`] : []),
  ];
}

function drawn(fraction: number, room: number): string {
  return '█'.repeat(Math.round(Math.abs(fraction) * room));
}

function signed(end: SensitivityEnd): string {
  if (end.change === null) return (end.reason === null ? '-' : 'illegal').padStart(9);
  const text = `${end.change >= 0 ? '+' : '-'}${Math.abs(end.change * 100).toFixed(1)} %${end.fits ? '' : '!'}`;
  return text.padStart(9);
}

const size = { width: 860, bar: 22, left: 210, right: 90, top: 70 };

/** The same as a picture. */
export function sensitivitySvg(result: Sensitivity, title: string): string {
  const bars = result.figures.slice(0, MOST_BARS);
  const most = Math.max(...bars.map(({ swing }) => swing), 1e-9);
  const middle = size.left + (size.width - size.left - size.right) / 2;
  const scale = (size.width - size.left - size.right) / 2 / most;
  const height = size.top + bars.length * size.bar + 24;
  const percent = Number((result.fraction * 100).toPrecision(4));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${size.width}" height="${height}" viewBox="0 0 ${size.width} ${height}" font-family="Helvetica, Arial, sans-serif">`,
    `<rect width="${size.width}" height="${height}" fill="#ffffff"/>`,
    `<text x="16" y="24" font-size="15" font-weight="bold">${escaped(title)}</text>`,
    `<text x="16" y="44" font-size="12" fill="#555555">${escaped(`${shortName(result.metric)} ${formatCell(result.metric, result.value)}; each figure ${percent} % lower (blue) and higher (orange)`)}</text>`,
    ...bars.map((bar, i) => {
      const y = size.top + i * size.bar;
      const ends = [
        { end: bar.low, fill: '#0072b2' },
        { end: bar.high, fill: '#e69f00' },
      ];
      const rectangles = ends.map(({ end, fill }) => {
        const width = Math.abs(end.change ?? 0) * scale;
        const x = (end.change ?? 0) < 0 ? middle - width : middle;
        return `<rect x="${x.toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="${size.bar - 6}" fill="${fill}" fill-opacity="0.85"/>`;
      });
      return `<text x="${size.left - 8}" y="${y + 13}" font-size="12" text-anchor="end">${escaped(bar.name)}</text>${rectangles.join('')}<text x="${size.width - 8}" y="${y + 13}" font-size="11" text-anchor="end" fill="#555555">${(bar.swing * 100).toFixed(1)} %</text>`;
    }),
    `<path d="M${middle} ${size.top - 8}V${height - 16}" stroke="#555555"/>`,
    '</svg>',
    '',
  ].join('\n');
}
