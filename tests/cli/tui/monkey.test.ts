import { expect, test } from 'vitest';
import { withValue } from '../../../src/cli/tui/scenario/runValue.js';
import { widthOf } from '../../../src/cli/tui/screen/row.js';
import { frame } from '../../../src/cli/tui/views/frame.js';
import type { PlanRow } from '../../../src/cli/tui/work/search.js';
import { Driver, drawings, smallRun, stateOf } from './driver.js';
import { random, randomKey } from './monkey.js';
import { planRow } from './planRow.js';

const sizes = [
  [80, 24],
  [120, 40],
  [60, 15],
  [200, 60],
  [30, 8],
] as const;

/** `SLIPWAY_MONKEY_KEYS=200000` for a long run, `SLIPWAY_SEED` for another one. */
const keys = Number(process.env.SLIPWAY_MONKEY_KEYS ?? 1500);
const seed = Number(process.env.SLIPWAY_SEED ?? 20261124) || Date.now();

test(`${keys} random keys: no crash, every frame whole, esc always leads back, undo to the start`, {
  timeout: 3_600_000,
}, () => {
  const next = random(seed);
  const driver = new Driver(stateOf(smallRun, 120, 40));
  const trail: string[] = [];
  for (let count = 1; count <= keys; count++) {
    const key = randomKey(next);
    trail.push(key);
    try {
      driver.press(key);
      answerSearch(driver);
      if (count % 97 === 0) resize(driver, next);
      checkFrame(driver);
      if (count % 500 === 0) checkWayOut(driver);
    } catch (error) {
      throw new Error(`after ${trail.slice(-40).join(' ')} (seed ${seed}, key ${count}): ${String(error)}`, {
        cause: error,
      });
    }
  }
  checkWayOut(driver);
});

function resize(driver: Driver, next: () => number): void {
  const [columns, rows] = sizes[Math.floor(next() * sizes.length)] ?? sizes[0];
  driver.send({ kind: 'resize', columns, rows });
}

/** Some plans for whatever search was started, so that there is a table to walk through. */
function answerSearch(driver: Driver): void {
  const { search, document } = driver.state;
  if (!search.running || search.asked === undefined) return;
  const plan = (tensorParallel: number): PlanRow =>
    planRow({
      run: withValue(document.run, 'strategy.tensorParallel', tensorParallel),
      tensorParallel,
      dataParallel: 8 / tensorParallel,
      deviceBytes: 6e10 / tensorParallel,
      stepSeconds: tensorParallel,
      tokensPerSecond: 1e6 / tensorParallel,
      onFront: tensorParallel < 4,
    });
  driver.send({ kind: 'searching', id: search.asked, rows: [plan(1), plan(2), plan(4)], done: true });
}

function checkFrame(driver: Driver): void {
  const { columns, rows } = driver.state.size;
  const lines = frame(driver.state, drawings.colour);
  expect(lines).toHaveLength(rows - 1);
  for (const line of lines) {
    const text = line.map(([piece]) => piece).join('');
    if (widthOf(text) !== columns) throw new Error(`a line of ${widthOf(text)} columns instead of ${columns}: ${text}`);
    if (/NaN|Infinity|undefined/.test(text)) throw new Error(`not for people: ${text}`);
  }
}

/** From anywhere a few times esc lead to the scenario, and j moves: no key is stuck. */
function checkWayOut(driver: Driver): void {
  driver.press('esc', 'esc', 'esc', 'esc');
  expect(driver.state).toMatchObject({ prompt: undefined, focus: 'scenario', fieldFilter: '', tab: 'overview' });
  driver.press('g', 'j');
  expect(driver.state.field).toBe(1);
  while (driver.state.document.past.length > 0) driver.press('u');
}
