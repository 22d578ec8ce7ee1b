import { once } from '../../../quantity/once.js';
import { type Binding, bindings, type Place } from './keyTable.js';

export interface HelpLine {
  readonly title?: string;
  readonly keys?: readonly string[];
  readonly help?: string;
}

const titles: readonly (readonly [Place, string])[] = [
  ['everywhere', 'Everywhere'],
  ['scenario', 'Scenario'],
  ['overview', 'Overview'],
  ['memory', 'Memory'],
  ['timeline', 'Timeline'],
  ['plan', 'Plan'],
  ['compare', 'Compare'],
  ['whatif', 'What-if'],
  ['presets', 'Presets'],
  ['edit', 'While typing a value'],
  ['choose', 'In a list of values'],
  ['command', 'On the command line'],
  ['whyNot', 'In a why-not'],
];

/** The key table as the help shows it. */
export const helpLines = once((): readonly HelpLine[] =>
  titles.flatMap(([place, title]): HelpLine[] => [
    { title },
    ...bindings.filter((binding) => binding.place === place).map(lineOf),
    {},
  ]),
);

function lineOf({ keys, help }: Binding): HelpLine {
  return { keys, help };
}
