import {
  formatBytes,
  formatCount,
  formatDollars,
  formatEnergy,
  formatRatio,
  formatSeconds,
  formatTonnes,
  grouped,
} from '../../../quantity/format.js';
import { chanceOfNotFitting, uncertaintyLines } from '../../../report/uncertaintyLines.js';
import { blank, clipText, type Row, type Span, spread, wrapText } from '../screen/row.js';
import { shownAnswer } from '../state/change.js';
import type { State } from '../state/state.js';
import { stepParts } from './causes.js';
import { type Area, type Draw, plainBar, stackedBar, theme } from './draw.js';
import { verdictOf } from './verdict.js';

/** Does it fitted, how fast, where the time goes, when done, what it costs, what would be better. */
export function overview(state: State, area: Area, draw: Draw): Row[] {
  const shown = shownAnswer(state);
  if (shown === undefined) return refusalRows(state, area, draw);
  const { estimate } = shown;
  const { fits } = estimate.memory;
  const compact = area.rows < 24;
  const gap = compact ? [] : [blank];
  return [
    ...refusalRows(state, area, draw),
    ...headingRows(estimate, draw),
    ...gap,
    ...memoryRows(estimate, area, draw),
    ...gap,
    // What does not fit has one question only.
    ...(fits ? [] : [...adviceRows(state, area, draw), ...gap]),
    ...stepRows(estimate, area, draw),
    ...gap,
    ...trainingRows(estimate, area),
    ...gap,
    ...errorRows(estimate, area),
    ...gap,
    ...(fits ? adviceRows(state, area, draw) : []),
    ...warningRows(estimate, area),
  ];
}

type Estimate = NonNullable<ReturnType<typeof shownAnswer>>['estimate'];

/** A run that cannot be planned: why, and that what stands below is the last one that could. */
export function refusalRows({ answer, lastGood }: State, { columns }: Area, { glyphs }: Draw): Row[] {
  if (answer.ok) return [];
  const lines = wrapText(`${glyphs.overflows} ${answer.message}`, columns - 1);
  const below = [
    'u undoes it; 4, then r, finds one that runs',
    ...(lastGood === undefined ? [] : ['below: the last scenario that could run']),
  ];
  return [...lines.map((line): Row => [[line, theme.bad]]), ...below.map((line): Row => [[line, theme.dim]]), blank];
}

function headingRows({ model, run }: Estimate, { glyphs }: Draw): Row[] {
  const active = model.activeParameters < model.parameters ? `, ${formatCount(model.activeParameters)} active` : '';
  const { strategy: s } = run;
  const degrees = [
    ['tp', s.tensorParallel],
    ['cp', s.contextParallel],
    ['pp', s.pipelineParallel],
    ['vp', s.virtualStages],
    ['ep', s.expertParallel],
    ['dp', run.dataParallel],
  ] as const;
  const shape = degrees.filter(([, degree]) => degree > 1).map(([name, degree]) => `${name}${degree}`);
  return [
    [
      [model.name, theme.title],
      [`  ${formatCount(model.parameters)} parameters${active}`, theme.dim],
    ],
    [
      [
        [...shape, `micro-batches ${s.microBatchSize} ${glyphs.times} ${run.gradientAccumulation}`].join(' '),
        theme.dim,
      ],
    ],
  ];
}

function memoryRows(estimate: Estimate, { columns }: Area, draw: Draw): Row[] {
  const { memory } = estimate;
  const { word, glyph, look } = verdictOf(estimate, draw);
  const free = memory.capacityBytes - memory.deviceBytes;
  const gap = free >= 0 ? `${formatBytes(free)} free` : `${formatBytes(-free)} too much`;
  const width = Math.max(10, columns - 9);
  const most = Math.max(memory.capacityBytes, memory.deviceBytes);
  const chance = columns < 72 ? '' : `, ${chanceOfNotFitting(memory.probabilityOfNotFitting)}`;
  const text = `${formatBytes(memory.deviceBytes)} of ${formatBytes(memory.capacityBytes)}, ${gap}${chance}`;
  return [
    [[`${glyph} ${word.toUpperCase()}`, look], [`  ${text}`]],
    spread(
      [...plainBar(memory.deviceBytes, most, width, look, draw)],
      [[formatRatio(memory.deviceBytes / memory.capacityBytes), theme.dim]],
      columns - 1,
    ),
  ];
}

function stepRows({ step, throughput: t }: Estimate, { columns }: Area, draw: Draw): Row[] {
  const parts = stepParts(step.breakdown);
  const width = columns - 1;
  const half = Math.floor(width / 2);
  const cells = parts.map((part): Row => {
    const sign = draw.color ? draw.glyphs.full : part.letter;
    const share = `${(100 * (part.value / step.seconds)).toFixed(half < 28 ? 0 : 1)} %`;
    return [[sign, part.look], [` ${part.name.padEnd(15)}`], [share.padStart(half < 28 ? 5 : 7), theme.dim]];
  });
  const perRow = half >= 23 ? 2 : 1;
  const rows: Row[] = [];
  for (let i = 0; i < cells.length; i += perRow) {
    const [first = blank, second = blank] = cells.slice(i, i + perRow);
    rows.push(perRow === 1 ? first : [...padded(first, half), ...second]);
  }
  const speed = `${formatCount(t.tokensPerSecond)} tok/s`;
  return [
    [
      [`Step ${formatSeconds(step.seconds)}`, theme.title],
      [`  MFU ${formatRatio(t.mfu)}${columns < 56 ? '' : `  HFU ${formatRatio(t.hfu)}`}`],
      [`  ${speed}`, theme.accent],
    ],
    stackedBar(parts, step.seconds, width, draw),
    ...rows,
  ];
}

function padded(row: Row, columns: number): Row {
  return spread(row, [], columns);
}

function trainingRows({ training, throughput, run }: Estimate, { columns }: Area): Row[] {
  if (training.days === null || training.tokens === null) {
    const hint = 'give training tokens for days and cost';
    return [
      [
        ['Training', theme.title],
        [`  ${hint}`, theme.dim],
      ],
    ];
  }
  const money = training.costUsd === null ? 'no price known' : formatDollars(training.costUsd);
  const energy = training.energyKwh === null ? [] : [formatEnergy(training.energyKwh)];
  const co2 = training.tonnesCo2 === null ? [] : [`${formatTonnes(training.tonnesCo2)} CO2`];
  const facts = [
    `${formatCount(training.tokens)} tokens`,
    money,
    ...energy,
    ...co2,
    `goodput ${formatRatio(training.goodput)}`,
    `${grouped(Math.round(throughput.tokensPerSecondPerAccelerator))} tokens/s per accelerator`,
    `${grouped(run.accelerators)} accelerators`,
  ];
  const lines = wrapText(facts.join(', '), columns - 1).slice(0, 2);
  return [
    [
      ['Training ', theme.title],
      [formatSeconds(training.days * 86_400), theme.accent],
    ],
    ...lines.map((line): Row => [[line]]),
  ];
}

/** How wrong the figures may be, in the words of the report; in two lines where there is little room. */
function errorRows(estimate: Estimate, { columns, rows }: Area): Row[] {
  const { step, throughput, memory, uncertainty } = estimate;
  const outside = uncertainty.outsideValidatedRange;
  if (rows >= 24) {
    const [title = '', ...lines] = uncertaintyLines(estimate, { columns: columns - 1, color: false });
    return [[[title, theme.title]], ...lines.map((line): Row => [[line.trim(), outside ? theme.note : theme.dim]])];
  }
  const range = ([low, high]: readonly [number, number], text: (value: number) => string): string =>
    `${text(low)} to ${text(high)}`;
  const words = [
    `80 %: step ${range(step.secondsInterval, formatSeconds)}`,
    `MFU ${range(throughput.mfuInterval, formatRatio)}`,
    chanceOfNotFitting(memory.probabilityOfNotFitting),
    ...(outside ? ['unlike the published runs'] : []),
  ];
  return wrapText(words.join(', '), columns - 1).map((line): Row => [[line, outside ? theme.note : theme.dim]]);
}

function adviceRows(state: State, { columns }: Area, { glyphs }: Draw): Row[] {
  const advice = state.answer.ok ? state.answer.estimate.advice : [];
  if (advice.length === 0) return [];
  const focused = state.focus === 'view';
  const rough = state.answer.ok && state.answer.rough;
  const fits = state.answer.ok && state.answer.estimate.memory.fits;
  const hint: Span = focused ? ['  enter applies', theme.dim] : ['  tab goes there', theme.dim];
  return [
    [[fits ? 'Better' : 'What makes it fit', theme.title], hint],
    ...advice.map(({ message }, index): Row => {
      const chosen = focused && index === state.advice;
      return [
        [
          clipText(`${chosen ? glyphs.pointer : ' '} ${message}`, columns, glyphs.ellipsis),
          chosen ? theme.selected : rough ? theme.dim : undefined,
        ],
      ];
    }),
  ];
}

function warningRows({ warnings }: Estimate, { columns }: Area): Row[] {
  const lines = warnings.flatMap(({ message }) => wrapText(`- ${message}`, columns - 1));
  return lines.length === 0 ? [] : [[['Warnings', theme.title]], ...lines.map((line): Row => [[line, theme.note]])];
}
