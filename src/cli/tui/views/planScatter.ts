import { formatBytes, formatCount } from '../../../quantity/format.js';
import { type Row, spread } from '../screen/row.js';
import type { State } from '../state/state.js';
import type { PlanRow } from '../work/search.js';
import { type Area, type Draw, theme } from './draw.js';

/** Memory to the right, speed upwards: what lies on the upper left edge is on the Pareto front. */
export function scatterRows(state: State, rows: readonly PlanRow[], room: number, area: Area, { glyphs }: Draw): Row[] {
  const width = Math.max(10, area.columns - 9);
  const height = Math.max(3, room - 2);
  const bytes = rows.map((row) => row.deviceBytes);
  const speeds = rows.map((row) => row.tokensPerSecond);
  const [leastBytes, mostBytes] = [Math.min(...bytes), Math.max(...bytes)];
  const [leastSpeed, mostSpeed] = [Math.min(...speeds), Math.max(...speeds)];
  const cells = Array.from(
    { length: height },
    () => new Map<number, { readonly glyph: string; readonly rank: number }>(),
  );
  rows.forEach((row, index) => {
    const x = Math.round(((row.deviceBytes - leastBytes) / (mostBytes - leastBytes || 1)) * (width - 1));
    const y = Math.round((1 - (row.tokensPerSecond - leastSpeed) / (mostSpeed - leastSpeed || 1)) * (height - 1));
    const rank = index === state.plan.selected ? 2 : row.onFront ? 1 : 0;
    const glyph = [glyphs.dot, glyphs.mark, glyphs.cursor][rank] ?? glyphs.dot;
    const here = cells[y]?.get(x);
    if (here === undefined || here.rank < rank) cells[y]?.set(x, { glyph, rank });
  });
  const picture = cells.map((line, y): Row => {
    const label = y === 0 ? formatCount(mostSpeed) : y === height - 1 ? formatCount(leastSpeed) : '';
    const looks = [theme.dim, theme.accent, theme.selected] as const;
    return [
      [`${label.padStart(7)}${glyphs.vertical}`, theme.dim],
      ...Array.from({ length: width }, (_, x) => {
        const cell = line.get(x);
        return cell === undefined ? ([' '] as const) : ([cell.glyph, looks[cell.rank]] as const);
      }),
    ];
  });
  return [
    ...picture,
    spread(
      [['        '], [formatBytes(leastBytes), theme.dim]],
      [[`${formatBytes(mostBytes)} `, theme.dim]],
      area.columns,
    ),
    [[`tokens/s up, memory right, ${glyphs.mark} on the Pareto front, ${glyphs.cursor} selected`, theme.dim]],
  ];
}
