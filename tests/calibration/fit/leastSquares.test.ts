import { describe, expect, test } from 'vitest';
import { descend, jacobianAt, type Problem, scan, start } from '../../../src/calibration/fit/leastSquares.js';

const free = { parent: -1, spread: 10, low: Math.log(0.01), high: Math.log(100) };

/** Rows whose error is a function of the point; every row may depend on every unknown. */
function problem(unknowns: Problem['unknowns'], rows: readonly ((point: Float64Array) => number)[]): Problem {
  return {
    unknowns,
    errors: (point) => Float64Array.from(rows, (row) => row(point)),
    dependsOn: rows.map(() => unknowns.map((_, index) => index)),
    weights: new Float64Array(rows.length).fill(1),
    scale: 0.03,
  };
}

function solve(p: Problem, rows: readonly ((point: Float64Array) => number)[]): number[] {
  const errorOf = (row: number, point: Float64Array): number => rows[row]?.(point) ?? 0;
  let point = scan(p, start(p), errorOf);
  for (let i = 0; i < 4; i++) point = descend(p, point, jacobianAt(p, point, errorOf), 20).point;
  return [...point].map(Math.exp);
}

describe('robust least squares', () => {
  // seconds = work / rate + overhead, rate 2 and overhead 0.5.
  const work = [1, 2, 4, 8, 16, 32];
  const measured = work.map((one) => one / 2 + 0.5);
  const rowsFor = (seconds: readonly number[]) =>
    work.map((one, i) => (point: Float64Array) => {
      const predicted = one / Math.exp(point[0] ?? 0) + Math.exp(point[1] ?? 0);
      return Math.log(predicted / (seconds[i] ?? 1));
    });

  test('finds the two constants behind exact measurements', () => {
    const rows = rowsFor(measured);
    const [rate, overhead] = solve(
      problem(
        [
          { centre: 0, ...free },
          { centre: 0, ...free },
        ],
        rows,
      ),
      rows,
    );
    expect(rate).toBeCloseTo(2, 3);
    expect(overhead).toBeCloseTo(0.5, 3);
  });

  test('is hardly moved by one measurement that is twice as long', () => {
    const rows = rowsFor(measured.map((seconds, i) => (i === 3 ? 2 * seconds : seconds)));
    const [rate = 0, overhead = 0] = solve(
      problem(
        [
          { centre: 0, ...free },
          { centre: 0, ...free },
        ],
        rows,
      ),
      rows,
    );
    expect(Math.abs(rate / 2 - 1)).toBeLessThan(0.02);
    expect(Math.abs(overhead / 0.5 - 1)).toBeLessThan(0.05);
  });

  test('stays within the bounds, and fits the rest to what is left', () => {
    const rows = rowsFor(measured);
    const bounded = { centre: 0, ...free, high: Math.log(1.5) };
    const [rate = 0] = solve(problem([bounded, { centre: 0, ...free }], rows), rows);
    expect(rate).toBeCloseTo(1.5, 9);
  });

  test('a constant that no row depends on takes the value of its parent, times what it is expected to be over it', () => {
    const rows = [(point: Float64Array) => (point[0] ?? 0) - Math.log(3)];
    const child = { ...free, centre: Math.log(1.5), parent: 0, spread: 0.1 };
    const [parent, inherited] = solve(problem([{ centre: 0, ...free }, child], rows), rows);
    expect(parent).toBeCloseTo(3, 2);
    expect(inherited).toBeCloseTo(1.5 * (parent ?? 0), 3);
  });

  test('an expectation that is sure outweighs a single row', () => {
    const rows = [(point: Float64Array) => (point[0] ?? 0) - Math.log(1.2)];
    const [value = 0] = solve(problem([{ ...free, centre: 0, spread: 0.001 }], rows), rows);
    expect(Math.abs(value - 1)).toBeLessThan(0.01);
  });

  test('crosses the flat side of a maximum, where the slope is zero', () => {
    // The device takes 1; the host is seen only where it takes longer. Measured: 3.
    const rows = [(point: Float64Array) => Math.log(Math.max(1, Math.exp(point[0] ?? 0)) / 3)];
    const [host] = solve(problem([{ ...free, centre: Math.log(0.2), spread: 1 }], rows), rows);
    expect(host).toBeCloseTo(3, 1);
  });
});
