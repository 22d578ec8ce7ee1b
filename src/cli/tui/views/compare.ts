import type { Estimate } from '../../../index.js';
import {
  formatBytes,
  formatCount,
  formatDollars,
  formatRatio,
  formatSeconds,
  grouped,
} from '../../../quantity/format.js';
import { blank, fitted, type Row, type Span } from '../screen/row.js';
import type { State } from '../state/state.js';
import { causePairs } from './causes.js';
import { type Area, type Draw, plainBar, theme } from './draw.js';
import { verdictOf } from './verdict.js';

interface Column {
  readonly name: string;
  readonly estimate: Estimate;
}

/** Pinned scenarios side by side, and where the time between two of them goes. */
export function compareView(state: State, area: Area, draw: Draw): Row[] {
  const now: readonly Column[] = state.answer.ok ? [{ name: 'now', estimate: state.answer.estimate }] : [];
  const all: readonly Column[] = [...state.pins, ...now];
  if (state.pins.length === 0) {
    return [
      [['Nothing is pinned yet', theme.title]],
      blank,
      [['p', theme.key], [' pins the scenario as it is. Change something,']],
      [['pin again, and both stand here beside each other.']],
    ];
  }
  const label = 14;
  const width = 12;
  const most = Math.max(1, Math.floor((area.columns - label) / width));
  const first = Math.max(0, Math.min(state.compare.selected - most + 2, all.length - most));
  const shown = all.slice(first, first + most);
  return [
    headRow(shown, state, first, label, width),
    ...tableRows(shown, label, width, draw),
    blank,
    ...waterfallRows(all, state.compare.selected, area, draw),
  ];
}

function headRow(shown: readonly Column[], state: State, first: number, label: number, width: number): Row {
  return [
    [' '.repeat(label)],
    ...shown.flatMap(({ name }, index): Span[] => {
      const selected = first + index === state.compare.selected;
      const text = name.slice(0, width - 2);
      return [[' '.repeat(width - text.length)], [text, selected ? theme.selected : theme.title]];
    }),
  ];
}

type Cell = (estimate: Estimate, draw: Draw) => string;

const lines: readonly (readonly [label: string, cell: Cell])[] = [
  ['model', ({ run, model }) => (typeof run.model === 'string' ? run.model : model.name)],
  ['cluster', ({ run }) => (typeof run.cluster === 'string' ? run.cluster : 'written out')],
  ['accelerators', ({ run }) => grouped(run.accelerators)],
  [
    'TP CP PP VP',
    ({ run: { strategy: s } }) => `${s.tensorParallel} ${s.contextParallel} ${s.pipelineParallel} ${s.virtualStages}`,
  ],
  ['EP DP', ({ run }) => `${run.strategy.expertParallel} ${run.dataParallel}`],
  ['schedule', ({ run }) => run.strategy.pipelineSchedule],
  ['batch', ({ run }) => `${run.strategy.microBatchSize} of ${grouped(run.strategy.globalBatchSize)}`],
  ['sharding', ({ run }) => run.strategy.dataSharding],
  ['recompute', ({ run }) => run.strategy.recompute],
  ['precision', ({ run }) => run.strategy.precision],
  ['memory', ({ memory }) => formatBytes(memory.deviceBytes)],
  ['', (estimate, draw) => `${verdictOf(estimate, draw).glyph} ${verdictOf(estimate, draw).word}`],
  ['step', ({ step }) => formatSeconds(step.seconds)],
  ['MFU', ({ throughput }) => formatRatio(throughput.mfu)],
  ['tokens/s', ({ throughput }) => formatCount(throughput.tokensPerSecond)],
  ['time', ({ training }) => (training.days === null ? '-' : formatSeconds(training.days * 86_400))],
  ['cost', ({ training }) => (training.costUsd === null ? '-' : formatDollars(training.costUsd))],
];

/** Lines that are the same everywhere are dim: what differs is what one looks for. */
function tableRows(shown: readonly Column[], label: number, width: number, draw: Draw): Row[] {
  return lines.map(([name, cell]): Row => {
    const texts = shown.map(({ estimate }) => cell(estimate, draw));
    const same = texts.every((text) => text === texts[0]);
    return [
      [name.padEnd(label), theme.dim],
      ...texts.map((text): Span => {
        const cut = fitted([[text]], Math.min(width - 1, text.length))[0]?.[0] ?? '';
        return [cut.padStart(width), same ? theme.dim : undefined];
      }),
    ];
  });
}

/** From the selected pin to the scenario as it is now: the step's causes, largest difference first; they add up. */
function waterfallRows(all: readonly Column[], selected: number, { columns }: Area, draw: Draw): Row[] {
  const from = all[selected];
  const to = all.at(-1) === from ? all[0] : all.at(-1);
  if (from === undefined || to === undefined || from === to) return [];
  const pairs = causePairs(from.estimate.step.breakdown, to.estimate.step.breakdown)
    .map(([name, before, after]) => [name, after - before] as const)
    .filter(([, change]) => Math.abs(change) > 1e-6 * from.estimate.step.seconds)
    .sort(([, a], [, b]) => Math.abs(b) - Math.abs(a));
  const change = to.estimate.step.seconds - from.estimate.step.seconds;
  const most = Math.max(...pairs.map(([, seconds]) => Math.abs(seconds)), 1e-12);
  const room = Math.max(4, columns - 30);
  return [
    [
      [`Why ${to.name} is ${change <= 0 ? 'faster' : 'slower'} than ${from.name}`, theme.title],
      [
        `  ${signed(change)} a step (${signedRatio(change / from.estimate.step.seconds)})`,
        change <= 0 ? theme.good : theme.bad,
      ],
    ],
    ...pairs.map(([name, seconds]): Row => {
      const look = seconds < 0 ? theme.good : theme.bad;
      return [
        [`  ${name.padEnd(17)}`],
        [signed(seconds).padStart(9), look],
        [' '],
        ...plainBar(Math.abs(seconds), most, room, look, draw),
      ];
    }),
  ];
}

function signed(seconds: number): string {
  return `${seconds < 0 ? '-' : '+'}${formatSeconds(Math.abs(seconds))}`;
}

function signedRatio(ratio: number): string {
  return `${ratio < 0 ? '-' : '+'}${formatRatio(Math.abs(ratio))}`;
}
