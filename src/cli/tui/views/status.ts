import { ascii } from '../screen/glyphs.js';
import { type Row, type Span, widthOf } from '../screen/row.js';
import { type Binding, bindings, placesOf } from '../state/keyTable.js';
import type { State } from '../state/state.js';
import { type Draw, theme } from './draw.js';

/** The most important keys of the place where one is, as many as fit; the last ones, help and quit, always do. */
export function statusLine(state: State, columns: number, draw: Draw): Row {
  const places = placesOf(state);
  const shown = places.flatMap((place) =>
    bindings.filter((binding) => binding.place === place && binding.short !== undefined),
  );
  const hints = shown.map((binding) => hintOf(binding, draw));
  const always = hints.filter((_, index) => isAlways(shown[index]));
  const rest = hints.filter((_, index) => !isAlways(shown[index]));
  let room = columns - 1 - always.reduce((sum, hint) => sum + hintWidth(hint), 0);
  const kept = rest.filter((hint) => {
    room -= hintWidth(hint);
    return room >= 0;
  });
  return [[' '], ...[...kept, ...always].flat()];
}

function isAlways(binding: Binding | undefined): boolean {
  return binding?.place === 'everywhere' && (binding.action === 'help' || binding.action === 'quit');
}

function hintOf(binding: Binding, draw: Draw): Span[] {
  return [
    [keysText(binding, draw), theme.key],
    [` ${binding.short}  `, theme.dim],
  ];
}

function hintWidth(hint: readonly Span[]): number {
  return hint.reduce((sum, [text]) => sum + widthOf(text), 0);
}

/** A movement shows both of its keys, whose other one stands in a binding of its own. */
function keysText({ keys, place }: Binding, { glyphs }: Draw): string {
  const arrows = glyphs !== ascii;
  if (keys.includes('down')) return arrows ? '↑↓' : place === 'choose' ? 'up/down' : 'jk';
  if (keys.includes('right')) return arrows ? '←→' : 'hl';
  if (keys.includes('L')) return 'HL';
  if (keys.includes('+')) return '+-';
  return keys[0] ?? '';
}
