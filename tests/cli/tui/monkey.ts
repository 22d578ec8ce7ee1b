/** Keys that a monkey presses: all that mean something, movements more often; none that quit or suspend on purpose. */
const often = [...'jkhl', 'up', 'down', 'left', 'right', 'enter', 'esc', 'tab'];
const seldom = [
  ...'12345678[]upsSec:?/xf+-0LHnovrmyGg{}JKi. =tpa9,wO*',
  'ctrl-r',
  'ctrl-d',
  'ctrl-b',
  'ctrl-u',
  'ctrl-w',
  'ctrl-a',
  'pageup',
  'pagedown',
  'home',
  'end',
  'backspace',
  'shift-left',
  'shift-right',
  'é',
  '模',
];

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

export function randomKey(next: () => number): string {
  const keys = next() < 0.5 ? often : seldom;
  return keys[Math.floor(next() * keys.length)] ?? 'esc';
}
