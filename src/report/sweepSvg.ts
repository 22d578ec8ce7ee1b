import { escaped } from './svgText.js';
import { type ChartData, type Series, ticks } from './sweepSeries.js';
import { formatCell, shortName } from './sweepTable.js';

/** Colours that stay apart for people who confuse red and green (Okabe and Ito 2008). */
const strokes = ['#0072b2', '#e69f00', '#009e73', '#d55e00', '#cc79a7', '#56b4e9'];
const size = { width: 860, height: 420 };
const margin = { left: 84, right: 20, top: 54, bottom: 58 };
const plot = { width: size.width - margin.left - margin.right, height: size.height - margin.top - margin.bottom };

/** The sweep as a picture: one line for each setting of the other axes; hollow points do not fit into memory. */
export function sweepSvg(data: ChartData, title: string): string {
  const values = data.series.flatMap((series) => series.values.filter((value) => value !== undefined));
  const marks = ticks(Math.min(...values), Math.max(...values), 5);
  const [bottom = 0] = marks;
  const top = marks.at(-1) ?? 1;
  const y = (value: number): number => round(margin.top + ((top - value) / (top - bottom || 1)) * plot.height);
  const x = (index: number): number => round(margin.left + (data.xPlaces[index] ?? 0) * plot.width);
  const rows = Math.ceil(data.series.length / 2);
  const named = data.series.some(({ name }) => name !== '');
  const height = size.height + (named ? rows * 18 : 0);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${size.width}" height="${height}" viewBox="0 0 ${size.width} ${height}" font-family="Helvetica, Arial, sans-serif">`,
    `<rect width="${size.width}" height="${height}" fill="#ffffff"/>`,
    `<text x="${margin.left}" y="22" font-size="15" font-weight="bold">${escaped(title)}</text>`,
    `<text x="${margin.left}" y="40" font-size="12" fill="#555555">${escaped(subtitle(data))}</text>`,
    ...marks.map((mark) => gridLine(y(mark), formatCell(data.yName, mark))),
    ...xLabels(data, x),
    ...data.series.map((series, nth) => line(series, strokes[nth] ?? '#000000', x, y)),
    ...(named ? data.series.map(({ name }, nth) => key(name, nth)) : []),
    '</svg>',
    '',
  ].join('\n');
}

function subtitle({ xName, yName, series, more }: ChartData): string {
  const hollow = series.some(({ values, fits }) => values.some((value, i) => value !== undefined && !fits[i]));
  const notes = [
    ...(hollow ? ['hollow points do not fit into memory'] : []),
    ...(more > 0 ? [`${more} lines left out`] : []),
  ];
  return [`${shortName(yName)} over ${xName}`, ...notes].join('; ');
}

function gridLine(y: number, label: string): string {
  return `<path d="M${margin.left} ${y}h${plot.width}" stroke="#dddddd"/><text x="${margin.left - 8}" y="${y + 4}" font-size="12" text-anchor="end">${escaped(label)}</text>`;
}

/** Labels that do not run into one another. */
function xLabels({ xLabels: labels, xName }: ChartData, x: (index: number) => number): readonly string[] {
  const base = margin.top + plot.height;
  let free = 0;
  const texts = labels.flatMap((label, i) => {
    const half = label.length * 3.6;
    if (x(i) - half < free && i > 0) return [];
    free = x(i) + half + 8;
    return [
      `<path d="M${x(i)} ${base}v5" stroke="#555555"/><text x="${x(i)}" y="${base + 19}" font-size="12" text-anchor="middle">${escaped(label)}</text>`,
    ];
  });
  const name = `<text x="${margin.left + plot.width / 2}" y="${base + 40}" font-size="12" text-anchor="middle" fill="#555555">${escaped(xName)}</text>`;
  return [`<path d="M${margin.left} ${base}h${plot.width}" stroke="#555555"/>`, ...texts, name];
}

function line(
  { values, fits }: Series,
  colour: string,
  x: (index: number) => number,
  y: (value: number) => number,
): string {
  let path = '';
  let pen = false;
  const points = values.flatMap((value, i) => {
    if (value === undefined) {
      pen = false;
      return [];
    }
    path += `${pen ? 'L' : 'M'}${x(i)} ${y(value)}`;
    pen = true;
    const fill = fits[i] ? colour : '#ffffff';
    return [`<circle cx="${x(i)}" cy="${y(value)}" r="4" fill="${fill}" stroke="${colour}" stroke-width="1.5"/>`];
  });
  return [
    `<path d="${path}" fill="none" stroke="${colour}" stroke-width="1.8"/>`,
    ...(points.length <= 60 ? points : []),
  ].join('');
}

function key(name: string, nth: number): string {
  const x = margin.left + (nth % 2) * (plot.width / 2);
  const y = size.height + 2 + Math.floor(nth / 2) * 18;
  return `<path d="M${x} ${y - 4}h22" stroke="${strokes[nth]}" stroke-width="3"/><text x="${x + 30}" y="${y}" font-size="12">${escaped(name)}</text>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
