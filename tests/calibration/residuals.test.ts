import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { leftOutErrors } from '../../src/calibration/fit/leaveOut.js';
import { fitRows } from '../../src/calibration/fit/rows.js';
import { loadLeftOut } from '../../src/calibration/leftOutRuns.js';
import { heldShare, residualTable } from '../../src/calibration/residuals.js';
import { loadShippedRuns } from '../../src/calibration/shippedRuns.js';
import { memoryResiduals, stepResiduals } from '../../src/uncertainty/residualTable.js';
import { residualTableText } from '../../tools/residualTableText.js';

const { step, memory } = leftOutErrors(fitRows(loadShippedRuns()), loadLeftOut());

test('the table that ships is that of the left-out predictions beside the rows', () => {
  const text = residualTableText(residualTable(step), residualTable(memory));
  expect(readFileSync('src/uncertainty/residualTable.ts', 'utf8')).toBe(text);
});

describe('80 % intervals, each made without the family of the run', () => {
  test('hold between 75 and 87 % of the step times', () => {
    expect(step.length).toBeGreaterThan(1500);
    const share = heldShare(step, stepResiduals);
    expect(share).toBeGreaterThan(0.75);
    expect(share).toBeLessThan(0.87);
  });

  test('hold as well where every field of the run is known', () => {
    const share = heldShare(
      step.filter(({ unknownFields }) => !unknownFields),
      stepResiduals,
    );
    expect(share).toBeGreaterThan(0.75);
    expect(share).toBeLessThan(0.87);
  });

  test('hold between 75 and 87 % of the memory peaks', () => {
    expect(memory.length).toBeGreaterThan(100);
    const share = heldShare(memory, memoryResiduals);
    expect(share).toBeGreaterThan(0.75);
    expect(share).toBeLessThan(0.87);
  });

  test('would not hold at half their width', () => {
    const { cells, widening } = stepResiduals;
    const halved = { cells, widening: { inside: widening.inside / 2, outside: widening.outside / 2 } };
    expect(heldShare(step, halved)).toBeLessThan(0.7);
  });
});
