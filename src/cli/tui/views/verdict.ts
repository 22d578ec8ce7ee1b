import type { Estimate } from '../../../index.js';
import { formatBytes, formatRatio, formatSeconds } from '../../../quantity/format.js';
import type { GoodAnswer } from '../scenario/answer.js';
import type { Look, Row } from '../screen/row.js';
import { type Draw, theme } from './draw.js';

export interface Verdict {
  readonly word: string;
  readonly glyph: string;
  readonly look: Look;
}

/** Fits, fits tightly, or does not fit: each with a colour, a glyph and a word. */
export function verdictOf({ memory, warnings }: Pick<Estimate, 'memory' | 'warnings'>, { glyphs }: Draw): Verdict {
  if (!memory.fits) return { word: 'does not fit', glyph: glyphs.overflows, look: theme.bad };
  const tight = warnings.some(({ code }) => code === 'tight-fit');
  if (tight) return { word: 'tight', glyph: glyphs.tight, look: theme.tight };
  return { word: 'fits', glyph: glyphs.fits, look: theme.good };
}

/** The figures that every change moves, in one row; marked until the simulation has confirmed the times. */
export function headline({ estimate, rough }: Pick<GoodAnswer, 'estimate' | 'rough'>, draw: Draw): Row {
  const { word, glyph, look } = verdictOf(estimate, draw);
  const { memory, step, throughput, training } = estimate;
  const dot = ` ${draw.glyphs.dot} `;
  const days = training.days === null ? '' : `${dot}${formatSeconds(training.days * 86_400)}`;
  return [
    [`${glyph} ${word} `, look],
    [`${formatBytes(memory.deviceBytes).replace(' GiB', '')}/${formatBytes(memory.capacityBytes)}`],
    [rough ? ` ${draw.glyphs.about} ` : dot],
    [`${formatSeconds(step.seconds)}${dot}MFU ${formatRatio(throughput.mfu)}${days}`],
  ];
}
