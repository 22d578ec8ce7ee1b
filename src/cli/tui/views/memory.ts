import { formatBytes, formatSeconds } from '../../../quantity/format.js';
import type { StageMemory } from '../../../simulation/evaluation.js';
import { blank, type Look, type Row, spread } from '../screen/row.js';
import { questionId, shownAnswer } from '../state/change.js';
import type { State } from '../state/state.js';
import type { StepPicture } from '../work/picture.js';
import { type Area, columnChart, type Draw, legend, type Part, stackedBar, theme, windowOf } from './draw.js';
import { refusalRows } from './overview.js';

const components: readonly (readonly [key: keyof StageMemory, name: string, look: Look, letter: string])[] = [
  ['weightsBytes', 'weights', { colour: 'blue' }, 'W'],
  ['gradientsBytes', 'gradients', { colour: 'magenta' }, 'G'],
  ['optimizerBytes', 'optimizer', { colour: 'yellow' }, 'O'],
  ['activationsBytes', 'activations', { colour: 'green' }, 'A'],
  ['buffersBytes', 'buffers', { colour: 'cyan' }, 'B'],
  ['overheadBytes', 'overhead', { colour: 'grey' }, 'V'],
];

/** A bar for every stage against the capacity, what the selected one is made of, and its bytes over the step. */
export function memoryView(state: State, area: Area, draw: Draw): Row[] {
  const shown = shownAnswer(state);
  if (shown === undefined) return refusalRows(state, area, draw);
  const { memory } = shown.estimate;
  const selected = memory.stages[Math.min(state.memory.stage, memory.stages.length - 1)];
  const chartRows = area.rows >= 30 ? 8 : area.rows >= 24 ? 6 : 4;
  const head = [...refusalRows(state, area, draw), ...headRows(memory, area, draw)];
  const tail =
    selected === undefined
      ? []
      : [
          ...detailRows(selected, memory.capacityBytes, area, draw),
          ...curveRows(state, selected, chartRows, area, draw),
        ];
  const room = Math.max(1, area.rows - head.length - tail.length);
  return [...head, ...stageRows(state, memory, room, area, draw), ...tail];
}

type Memory = NonNullable<ReturnType<typeof shownAnswer>>['estimate']['memory'];

function partsOf(stage: StageMemory): readonly Part[] {
  return components.map(([key, name, look, letter]) => ({ name, value: stage[key], look, letter }));
}

export function stageBytes(stage: StageMemory): number {
  return stage.peakBytes + stage.overheadBytes;
}

function headRows(memory: Memory, { columns }: Area, draw: Draw): Row[] {
  const [first] = memory.stages;
  const words = `allocated ${formatBytes(memory.peakBytes)}, reserved ${formatBytes(memory.reservedBytes)}, nvidia-smi ${formatBytes(memory.deviceBytes)}`;
  const host = memory.hostBytes > 0 ? `, host ${formatBytes(memory.hostBytes)} a node` : '';
  return [
    [
      ['Memory of an accelerator', theme.title],
      [`  capacity ${formatBytes(memory.capacityBytes)}`, theme.dim],
    ],
    [[`${words}${host}`, theme.dim]],
    ...(first === undefined ? [] : legend(partsOf(first), columns, draw)),
  ];
}

/** The end of the track is the capacity, or the fullest stage where that is more. */
function stageRows(state: State, memory: Memory, room: number, { columns }: Area, draw: Draw): Row[] {
  const { stages, capacityBytes } = memory;
  const whole = Math.max(capacityBytes, ...stages.map(stageBytes));
  const { from, to } = windowOf(stages.length, state.memory.stage, room);
  const label = `${stages.length - 1}`.length;
  const width = Math.max(8, columns - label - 14);
  return stages.slice(from, to).map((stage, index): Row => {
    const chosen = from + index === Math.min(state.memory.stage, stages.length - 1);
    const pointer = chosen ? draw.glyphs.pointer : ' ';
    const over = stageBytes(stage) > capacityBytes;
    return spread(
      [
        [
          `${pointer}${`${stage.stage}`.padStart(label)} `,
          chosen && state.focus === 'view' ? theme.selected : undefined,
        ],
        ...stackedBar(partsOf(stage), whole, width, draw),
      ],
      [[` ${formatBytes(stageBytes(stage))}`, over ? theme.bad : undefined]],
      columns,
    );
  });
}

function detailRows(stage: StageMemory, capacityBytes: number, { columns }: Area, draw: Draw): Row[] {
  const parts = partsOf(stage);
  const half = Math.floor((columns - 1) / 2);
  const cells = parts.map(({ name, value, look, letter }): Row => {
    const sign = draw.color ? draw.glyphs.full : letter;
    return spread([[sign, look], [` ${name}`]], [[formatBytes(value)], ['  ']], half);
  });
  const rows = [0, 2, 4].map((i): Row => [...(cells[i] ?? blank), ...(cells[i + 1] ?? blank)]);
  const free = capacityBytes - stageBytes(stage);
  const word = free >= 0 ? `${formatBytes(free)} under` : `${formatBytes(-free)} over`;
  const flight = `${Number(stage.inFlightMicroBatches.toFixed(1))} micro-batches in flight`;
  return [
    [
      [`Stage ${stage.stage}`, theme.title],
      [`  ${stage.layers} layers, ${flight}, ${word} capacity`, theme.dim],
    ],
    ...rows,
  ];
}

/** Activations come and go over the step; from the simulation, which a thread runs. */
function curveRows(state: State, stage: StageMemory, rows: number, area: Area, draw: Draw): Row[] {
  const { simulation } = state;
  const step = simulation.result;
  if (simulation.problem !== undefined) return [[[`over the step: ${simulation.problem}`, theme.bad]]];
  if (step === undefined) return [[['over the step: simulating', theme.dim]]];
  const stale = simulation.resultFor !== questionId(state);
  return curve(step, stage, rows, area, draw).map((row, index) =>
    index === 0 && stale ? [...row, ['  updating', theme.dim]] : row,
  );
}

function curve(step: StepPicture, stage: StageMemory, rows: number, { columns }: Area, draw: Draw): Row[] {
  const memory = step.ranks[stage.stage]?.memory;
  if (memory === undefined) return [];
  const width = Math.max(8, columns - 11);
  const values = resampled(memory.mostBytes, width);
  const text = `peak ${formatBytes(memory.peakBytes)} at ${formatSeconds(memory.peakSeconds)} of ${formatSeconds(step.makespanSeconds)}`;
  const chart = columnChart(values, memory.peakBytes, rows, draw);
  const stateRow = Math.min(rows - 1, Math.floor((1 - memory.stateBytes / memory.peakBytes) * rows));
  return [
    [
      ['Over the step', theme.title],
      [`  simulated, ${text}`, theme.dim],
    ],
    ...chart.map((line, index): Row => {
      const label = index === 0 ? formatBytes(memory.peakBytes) : index === stateRow ? 'states' : '';
      return [
        [label.padStart(9), theme.dim],
        [' '],
        [line, index >= stateRow ? { colour: 'blue' } : { colour: 'green' }],
      ];
    }),
  ];
}

/** The most of every part. */
function resampled(values: Float64Array, count: number): number[] {
  return Array.from({ length: count }, (_, index) => {
    const from = Math.floor((index / count) * values.length);
    const to = Math.max(from + 1, Math.floor(((index + 1) / count) * values.length));
    return values.slice(from, to).reduce((most, value) => Math.max(most, value), 0);
  });
}
