import { countParameters } from '../../../index.js';
import {
  formatCount,
  formatDollars,
  formatEnergy,
  formatRatio,
  formatSeconds,
  formatTonnes,
  grouped,
} from '../../../quantity/format.js';
import { reliability } from '../../../training/reliability.js';
import { blank, type Row, wrapText } from '../screen/row.js';
import { shownAnswer } from '../state/change.js';
import type { State } from '../state/state.js';
import { type Area, type Draw, legend, type Part, stackedBar, theme } from './draw.js';
import { refusalRows } from './overview.js';

/** The whole run: time and money, how often it fails, how often it should be saved. */
export function runView(state: State, area: Area, draw: Draw): Row[] {
  const shown = shownAnswer(state);
  if (shown === undefined) return refusalRows(state, area, draw);
  const { scenario, estimate } = shown;
  const parameters = countParameters(scenario.model).total;
  const failures = reliability(scenario.accelerators, parameters, scenario.cluster.accelerator.hostBytesPerSecond);
  return [
    ...refusalRows(state, area, draw),
    ...wholeRows(estimate, area),
    blank,
    ...failureRows(failures, estimate, area, draw),
  ];
}

type Estimate = NonNullable<ReturnType<typeof shownAnswer>>['estimate'];

function wholeRows({ training, run }: Estimate, { columns }: Area): Row[] {
  const { tokens, steps, days, acceleratorHours, costUsd, energyKwh, tonnesCo2 } = training;
  if (tokens === null || days === null || steps === null || acceleratorHours === null) {
    const text = 'How long, how much: set tokens under Training in the scenario, such as 15T.';
    return [[['Whole run', theme.title]], ...wrapText(text, columns - 1).map((line): Row => [[line, theme.dim]])];
  }
  const price = run.training.dollarsPerAcceleratorHour;
  return [
    [['Whole run', theme.title]],
    line('time', `${formatSeconds(days * 86_400)}, failures and checkpoints included`),
    line('tokens', `${formatCount(tokens)} in ${grouped(steps)} steps`),
    line('accelerators', `${formatCount(acceleratorHours)} hours on ${grouped(run.accelerators)}`),
    line(
      'cost',
      costUsd === null ? 'no price known: set $ per hour under Training' : `${formatDollars(costUsd)} at ${price} $/h`,
    ),
    ...(energyKwh === null ? [] : [line('energy', `${formatEnergy(energyKwh)} at the meter`)]),
    ...(tonnesCo2 === null ? [] : [line('CO2', formatTonnes(tonnesCo2))]),
  ];
}

function failureRows(
  failures: ReturnType<typeof reliability>,
  { training }: Estimate,
  { columns }: Area,
  draw: Draw,
): Row[] {
  const { secondsBetweenFailures, checkpointSeconds, checkpointIntervalSeconds, goodput } = failures;
  const saving = checkpointSeconds / (checkpointIntervalSeconds + checkpointSeconds);
  const parts: readonly Part[] = [
    { name: 'training', value: goodput, look: { colour: 'green' }, letter: 'T' },
    { name: 'saving', value: Math.min(saving, 1 - goodput), look: { colour: 'yellow' }, letter: 'S' },
    { name: 'lost to failures', value: Math.max(0, 1 - goodput - saving), look: { colour: 'red' }, letter: 'X' },
  ];
  const expected =
    training.seconds === null
      ? []
      : [line('failures', `about ${grouped(Math.round(training.seconds / secondsBetweenFailures))} in the whole run`)];
  return [
    [['Failures and checkpoints', theme.title]],
    line('goodput', formatRatio(goodput)),
    stackedBar(parts, 1, columns - 1, draw),
    ...legend(parts, columns, draw),
    line('a failure', `every ${formatSeconds(secondsBetweenFailures)}`),
    ...expected,
    line(
      'checkpoint',
      `every ${formatSeconds(checkpointIntervalSeconds)} loses least; one costs ${formatSeconds(checkpointSeconds)}`,
    ),
  ];
}

function line(name: string, text: string): Row {
  return [[`  ${name.padEnd(13)}`, theme.dim], [text]];
}
