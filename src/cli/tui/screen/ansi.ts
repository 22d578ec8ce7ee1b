import type { Colour, Look, Row } from './row.js';

const foreground: Readonly<Record<Colour, number>> = {
  black: 30,
  red: 31,
  green: 32,
  yellow: 33,
  blue: 34,
  magenta: 35,
  cyan: 36,
  white: 37,
  grey: 90,
};

/** A row as the terminal reads it. Without colour, what stands out still does: bold, dim and inverse are no colours. */
export function ansiOf(row: Row, color: boolean): string {
  let text = '';
  for (const [piece, look] of row) {
    const codes = look === undefined ? [] : codesOf(look, color);
    text += codes.length === 0 ? piece : `\u001b[${codes.join(';')}m${piece}\u001b[0m`;
  }
  return text;
}

function codesOf(look: Look, color: boolean): number[] {
  const codes: number[] = [];
  if (look.bold) codes.push(1);
  if (look.dim) codes.push(2);
  if (look.inverse) codes.push(7);
  if (color && look.colour !== undefined) codes.push(foreground[look.colour]);
  if (color && look.background !== undefined) codes.push(foreground[look.background] + 10);
  return codes;
}
