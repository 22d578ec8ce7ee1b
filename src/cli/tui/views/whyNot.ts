import { grouped } from '../../../quantity/format.js';
import { type Row, wrapText } from '../screen/row.js';
import type { State } from '../state/state.js';
import { type Area, theme } from './draw.js';

/** The answer to the why-not that was asked, and where the candidates went that are not among the plans, the most frequent reason first. */
export function whyNotRows(state: State, area: Area): Row[] {
  return [...answerRows(state, area), ...countRows(state, area)];
}

function answerRows({ whyNot }: State, { columns, rows }: Area): Row[] {
  if (whyNot.running)
    return [
      [
        ['Why not  ', theme.title],
        ['working it out; . stops', theme.dim],
      ],
    ];
  if (whyNot.problem !== undefined)
    return wrapText(whyNot.problem, columns - 1).map((line): Row => [[line, theme.bad]]);
  const { result } = whyNot;
  if (result === undefined) return [];
  const lines = result.texts.flatMap((text) => wrapText(text, columns - 3)).slice(0, rows < 24 ? 5 : 9);
  const hint = result.row === undefined ? '' : `  y loads ${result.works ? 'it' : 'the nearest'}`;
  return [
    [
      [`Why not ${result.text}`, theme.title],
      [hint, theme.dim],
    ],
    ...lines.map((line): Row => [[`  ${line}`, result.works ? undefined : theme.note]]),
  ];
}

function countRows(state: State, { columns, rows }: Area): Row[] {
  const rejected = state.search.progress?.rejected ?? [];
  if (rejected.length === 0) return [];
  const words = rejected.map(([reason, count]) => `${reasonWords[reason] ?? reason} ${grouped(count)}`);
  const lines = wrapText(words.join(', '), columns - 13).slice(0, rows < 24 ? 2 : 4);
  const asked = state.whyNot.asked !== undefined;
  const hint: Row[] =
    asked || rows < 24
      ? []
      : [
          [
            ['w', theme.key],
            [' asks why not a plan that you have in mind', theme.dim],
          ],
        ];
  return [
    ...lines.map(
      (line, index): Row => [
        [index === 0 ? 'Not listed  ' : '            ', theme.title],
        [line, theme.dim],
      ],
    ),
    ...hint,
  ];
}

const reasonWords: Readonly<Record<string, string>> = {
  memory: 'does not fit',
  bound: 'cannot be faster',
  condition: 'breaks a condition',
  worse: 'slower when simulated',
};
