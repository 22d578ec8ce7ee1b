import { type ComparedValue, type Comparison, compareEstimates } from '../../../planner/compare/compareEstimates.js';
import { shortKey } from '../../../report/compareTable.js';
import { formatCell } from '../../../report/sweepTable.js';
import { bytesParts, secondsParts, type WaterfallParts } from '../../../report/waterfallParts.js';
import { fieldByKey } from '../scenario/fields.js';
import { blank, clipText, type Row, type Span, wrapText } from '../screen/row.js';
import { comparedWith, type NamedScenario, scenariosOf } from '../state/actions/compareActions.js';
import type { State } from '../state/state.js';
import { type Area, type Draw, plainBar, theme } from './draw.js';

/** Figures with their labels, and how tall the view must be to show the less important ones. */
const figures: Readonly<Record<string, readonly [label: string, fromRows: number]>> = {
  'memory.fits': ['fits', 0],
  'memory.deviceBytes': ['memory', 0],
  'memory.peakBytes': ['allocated', 34],
  'memory.capacityBytes': ['capacity', 34],
  'step.seconds': ['step', 0],
  'throughput.mfu': ['MFU', 0],
  'throughput.hfu': ['HFU', 34],
  'throughput.tokensPerSecond': ['tokens/s', 0],
  'throughput.tokensPerSecondPerAccelerator': ['tokens/s each', 34],
  'throughput.modelTflopsPerAccelerator': ['TFLOP/s each', 34],
  'training.days': ['days', 0],
  'training.acceleratorHours': ['accel. hours', 34],
  'training.goodput': ['goodput', 40],
  'training.costUsd': ['cost', 0],
  'training.energyKwh': ['energy, kWh', 40],
};

/** Columns of the labels and of each scenario. */
function widthsOf({ columns }: Area): { readonly label: number; readonly cell: number } {
  return columns < 64 ? { label: 15, cell: 12 } : { label: 20, cell: 15 };
}

/** Pinned scenarios and the present one side by side, and where time and memory between two of them go. */
export function compareView(state: State, area: Area, draw: Draw): Row[] {
  if (state.pins.length === 0) {
    return [
      [['Nothing is pinned yet', theme.title]],
      blank,
      [['p', theme.key], [' pins the scenario as it is. Change something,']],
      [['pin again, and both stand here beside each other.']],
    ];
  }
  const all = scenariosOf(state);
  const comparison = compareEstimates(all);
  const other = comparedWith(all, state.compare.selected);
  return [
    ...tableRows(all, comparison, state, area, draw),
    ...(other === undefined ? [] : gapRows(compareEstimates([other.from, other.to]), area, draw)),
    ...sameRows(comparison, area),
  ];
}

function tableRows(
  all: readonly NamedScenario[],
  { names, settings, figures: compared }: Comparison,
  state: State,
  area: Area,
  draw: Draw,
): Row[] {
  const { label: labelColumns, cell } = widthsOf(area);
  const most = Math.max(1, Math.floor((area.columns - labelColumns) / cell));
  const { selected } = state.compare;
  const first = Math.max(0, Math.min(selected - most + 2, all.length - most));
  const rows = [
    ...Object.entries(figures).flatMap(([key, [label, fromRows]]) => {
      const found = compared.find((one) => one.key === key);
      const known = found?.values.some((value) => value !== null) === true && area.rows >= fromRows;
      return found !== undefined && known ? [{ label, row: found }] : [];
    }),
    ...settings.filter(({ differs }) => differs).map((row) => ({ label: labelOf(row.key), row })),
  ];
  return [
    [
      [' '.repeat(labelColumns)],
      ...names.slice(first, first + most).flatMap((name, index): Span[] => {
        const text = clipText(name, cell - 2, draw.glyphs.ellipsis);
        const look = first + index === selected ? theme.selected : theme.title;
        return [[' '.repeat(cell - text.length)], [text, look]];
      }),
    ],
    ...rows.map(
      ({ label, row }): Row => [
        [clipText(label, labelColumns - 1, draw.glyphs.ellipsis).padEnd(labelColumns), theme.dim],
        ...row.values.slice(first, first + most).map((value) => cellOf(row, value, cell, draw)),
      ],
    ),
  ];
}

/** What is the same everywhere is dim: what differs is what one looks for. */
function cellOf(
  { key, differs }: ComparedValue,
  value: ComparedValue['values'][number],
  columns: number,
  { glyphs }: Draw,
): Span {
  if (key === 'memory.fits') {
    const text = `${value === true ? glyphs.fits : glyphs.overflows} ${value === true ? 'yes' : 'no'}`;
    return [text.padStart(columns), value === true ? theme.good : theme.bad];
  }
  const text = clipText(formatCell(key, value) || '-', columns - 1, glyphs.ellipsis);
  return [text.padStart(columns), differs ? undefined : theme.dim];
}

function labelOf(key: string): string {
  return fieldByKey(key)?.label ?? shortKey(key).replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

/** From the selected scenario to the present one: what the step and the memory gain and lose, largest first. They add up. */
function gapRows({ waterfalls: [gap] }: Comparison, area: Area, draw: Draw): Row[] {
  if (gap === undefined) return [];
  return [
    blank,
    ...waterfallRows(`Step, from ${gap.from} to ${gap.to}`, secondsParts(gap.step), gap.step.delta <= 0, area, draw),
    ...waterfallRows(
      `Allocated, from ${gap.from} to ${gap.to}`,
      bytesParts(gap.memory),
      gap.memory.delta <= 0,
      area,
      draw,
    ),
  ];
}

function waterfallRows(
  title: string,
  { before, after, parts }: WaterfallParts,
  better: boolean,
  { columns, rows }: Area,
  draw: Draw,
): Row[] {
  const room = Math.max(4, columns - 33);
  const shown = rows < 24 ? parts.slice(0, 3) : parts;
  const rest = parts.length - shown.length;
  return [
    [
      [title, theme.title],
      [`  ${before} to ${after}`, better ? theme.good : theme.bad],
    ],
    ...shown.map(({ cause, text, grows, share }): Row => {
      const look = grows ? theme.bad : theme.good;
      return [[`  ${cause.padEnd(17)}`], [text.padStart(12), look], [' '], ...plainBar(share, 1, room, look, draw)];
    }),
    ...(parts.length === 0 ? [[['  no difference', theme.dim]] as Row] : []),
    ...(rest > 0 ? [[[`  and ${rest} smaller`, theme.dim]] as Row] : []),
  ];
}

/** Settings that are off or left to nobody's interest say nothing. */
function sameRows({ settings }: Comparison, { columns, rows }: Area): Row[] {
  if (rows < 30) return [];
  const off = new Set<unknown>([null, false, 0, 1, 'none', 'ddp']);
  const words = settings
    .filter(({ differs, values }) => !differs && !off.has(values[0] ?? null))
    .map(({ key, values }) => `${labelOf(key)} ${formatCell(key, values[0] ?? null)}`);
  const lines = wrapText(words.join(', '), columns - 1);
  return [blank, [['The same in all', theme.title]], ...lines.map((line): Row => [[line, theme.dim]])];
}
