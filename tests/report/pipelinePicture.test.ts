import { describe, expect, test } from 'vitest';
import type { PipelineSchedule } from '../../src/parallelism/strategy.js';
import { pipelinePicture } from '../../src/report/pipelinePicture.js';
import { sparkline } from '../../src/report/sparkline.js';
import type { TextStyle } from '../../src/report/text.js';
import { unitSchedule } from '../simulation/unitStep.js';

/** Rows of four stages and eight micro-batches, two columns to the second. */
function picture(name: PipelineSchedule, chunks = 1, perSecond = 2): string[] {
  const step = unitSchedule(name, 4, 8, chunks);
  return pipelinePicture(step, plain(2 + perSecond * step.makespanSeconds));
}

function plain(columns: number): TextStyle {
  return { columns, color: false };
}

describe('four stages, eight micro-batches, every pass one second', () => {
  test('gpipe', () => {
    expect(picture('gpipe')).toMatchInlineSnapshot(`
      [
        "0 F0F1F2F3F4F5F6F7..................B0--B1--B2--B3--B4--B5--B6--B7--",
        "1 ..F0F1F2F3F4F5F6F7............B0--B1--B2--B3--B4--B5--B6--B7--....",
        "2 ....F0F1F2F3F4F5F6F7......B0--B1--B2--B3--B4--B5--B6--B7--........",
        "3 ......F0F1F2F3F4F5F6F7B0--B1--B2--B3--B4--B5--B6--B7--............",
        "  0 s                                                           33 s",
        "F forward, B backward, . idle, number: micro-batch",
      ]
    `);
  });

  test('1f1b', () => {
    expect(picture('1f1b')).toMatchInlineSnapshot(`
      [
        "0 F0F1F2F3............B0--F4B1--F5B2--F6B3--F7B4--..B5--..B6--..B7--",
        "1 ..F0F1F2........B0--F3B1--F4B2--F5B3--F6B4--F7B5--..B6--..B7--....",
        "2 ....F0F1....B0--F2B1--F3B2--F4B3--F5B4--F6B5--F7B6--..B7--........",
        "3 ......F0B0--F1B1--F2B2--F3B3--F4B4--F5B5--F6B6--F7B7--............",
        "  0 s                                                           33 s",
        "F forward, B backward, . idle, number: micro-batch",
      ]
    `);
  });

  test('interleaved-1f1b', () => {
    expect(picture('interleaved-1f1b', 2)).toMatchInlineSnapshot(`
      [
        "0 F0F1F2F3F0F1F2F3F4F5F6......B0--F7B1--..F4B2--F5B3--F6B0--F7B1--B2--..B3--..B4--..B5--..B6--..B7--B4--B5--B6--B7--",
        "1 ..F0F1F2F3F0F1F2F3F4....B0--F5B1--F6B2--F7B3--F4B0--F5B1--F6B2--F7B3--..B4--..B5--..B6--..B7--B4--B5--B6--B7--....",
        "2 ....F0F1F2F3F0F1F2..B0--F3B1--F4B2--F5B3--F6B0--F7B1--F4B2--F5B3--F6B4--F7B5--..B6--..B7--B4--B5--B6--B7--........",
        "3 ......F0F1F2F3F0B0--F1B1--F2B2--F3B3--F4B0--F5B1--F6B2--F7B3--F4B4--F5B5--F6B6--F7B7--B4--B5--B6--B7--............",
        "  0 s                                                                                                           57 s",
        "F forward, B backward, . idle, number: micro-batch",
      ]
    `);
  });

  test('breadth-first', () => {
    expect(picture('breadth-first', 2)).toMatchInlineSnapshot(`
      [
        "0 F0F1F2F3F4F5F6F7F0F1F2F3F4F5F6F7..................B0--B1--B2--B3--B4--B5--B6--B7--B0--B1--B2--B3--B4--B5--B6--B7--",
        "1 ..F0F1F2F3F4F5F6F7F0F1F2F3F4F5F6F7............B0--B1--B2--B3--B4--B5--B6--B7--B0--B1--B2--B3--B4--B5--B6--B7--....",
        "2 ....F0F1F2F3F4F5F6F7F0F1F2F3F4F5F6F7......B0--B1--B2--B3--B4--B5--B6--B7--B0--B1--B2--B3--B4--B5--B6--B7--........",
        "3 ......F0F1F2F3F4F5F6F7F0F1F2F3F4F5F6F7B0--B1--B2--B3--B4--B5--B6--B7--B0--B1--B2--B3--B4--B5--B6--B7--............",
        "  0 s                                                                                                           57 s",
        "F forward, B backward, . idle, number: micro-batch",
      ]
    `);
  });

  test('zb-h1', () => {
    expect(picture('zb-h1')).toMatchInlineSnapshot(`
      [
        "0 F0F1F2F3......b0W0F4b1W1F5b2W2F6b3W3F7b4W4b5W5b6W6b7W7",
        "1 ..F0F1F2....b0F3b1W0F4b2W1F5b3W2F6b4W3F7b5W4b6W5b7W6W7",
        "2 ....F0F1..b0F2b1F3b2W0F4b3W1F5b4W2F6b5W3F7b6W4b7W5W6W7",
        "3 ......F0b0F1b1F2b2F3b3W0F4b4W1F5b5W2F6b6W3F7b7W4W5W6W7",
        "  0 s                                               27 s",
        "F forward, b input gradient, W weight gradient, . idle,",
        "number: micro-batch",
      ]
    `);
  });

  test('zb-h2', () => {
    expect(picture('zb-h2')).toMatchInlineSnapshot(`
      [
        "0 F0F1F2F3F4F5F6b0W0b1F7b2W1b3W2b4W3b5W4b6W5W6b7W7......",
        "1 ..F0F1F2F3F4b0F5b1F6b2W0b3F7b4W1b5W2b6W3W4b7W5W6W7....",
        "2 ....F0F1F2b0F3b1F4b2F5b3F6b4W0b5F7b6W1W2b7W3W4W5W6W7..",
        "3 ......F0b0F1b1F2b2F3b3F4b4F5b5F6b6W0F7b7W1W2W3W4W5W6W7",
        "  0 s                                               27 s",
        "F forward, b input gradient, W weight gradient, . idle,",
        "number: micro-batch",
      ]
    `);
  });

  test('dualpipe', () => {
    expect(picture('dualpipe')).toMatchInlineSnapshot(`
      [
        "0 F0F1F2F4b4W4F5&3----..&6----B6--..&7----B7--b2W2b3W3",
        "1 ..F0F4F1F5&2----&6----&3----&7----B6--B2--..b7b3W7W3",
        "2 ..F4F0F5F1&6----&2----&7----&3----B2--B6--..b3b7W3W7",
        "3 F4F5F6F0b0W0F1&7----..&2----B2--..&3----B3--b6W6b7W7",
        "  0 s                                             26 s",
        "F forward, B backward, b input gradient,",
        "W weight gradient, & forward beside backward, . idle,",
        "number: micro-batch",
      ]
    `);
  });
});

describe('any width', () => {
  const step = unitSchedule('1f1b', 4, 8);

  test.each([20, 40, 61, 80, 121, 300])('%i columns: no line is longer, every row as long', (columns) => {
    const lines = pipelinePicture(step, plain(columns));
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(columns);
    for (const row of lines.slice(0, 4)) expect(row).toHaveLength(columns);
  });

  test('with fewer columns than tasks, kinds keep their proportion', () => {
    const [first = ''] = pipelinePicture(unitSchedule('1f1b', 4, 400), plain(2 + 100));
    const count = (letter: string): number => first.slice(2).split(letter).length - 1;
    expect(count('B') / count('F')).toBeCloseTo(2, 0);
    expect(count('F') + count('B')).toBeGreaterThan(96);
  });

  test('a part of the step', () => {
    const rows = pipelinePicture(step, plain(2 + 12), { fromSeconds: 12, toSeconds: 15 });
    expect(rows.slice(0, 5)).toMatchInlineSnapshot(`
      [
        "0 F4--B1------",
        "1 B1--F4--B2--",
        "2 B2------F4--",
        "3 F3--B3------",
        "  12 s    15 s",
      ]
    `);
  });

  test('colour only adds escapes', () => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape sequences of colour
    const strip = (line: string): string => line.replaceAll(/\u001b\[\d+m/g, '');
    const colored = pipelinePicture(step, { columns: 80, color: true });
    expect(colored.join()).toContain('\u001b[');
    expect(colored.map(strip)).toEqual(pipelinePicture(step, plain(80)));
  });

  test('64 stages of 512 micro-batches are drawn in well under a second', () => {
    const large = unitSchedule('1f1b', 64, 512);
    const before = performance.now();
    expect(pipelinePicture(large, plain(120))).toHaveLength(66);
    expect(performance.now() - before).toBeLessThan(1000);
  });
});

describe('sparkline', () => {
  const range = { fromSeconds: 0, toSeconds: 8, least: 0, most: 8 };

  test('shows the most of each cell', () => {
    const stairs = Array.from({ length: 8 }, (_, i) => [i, i] as const);
    expect(sparkline(stairs, range, 8)).toBe('▁▂▃▄▅▆▇█');
    expect(sparkline(stairs, range, 4)).toBe('▂▄▆█');
  });

  test('a value lasts until the next, and a flat line stays low', () => {
    expect(
      sparkline(
        [
          [0, 0],
          [2, 8],
          [4, 0],
        ],
        range,
        8,
      ),
    ).toBe('▁▁██▁▁▁▁');
    expect(sparkline([[0, 3]], { ...range, least: 3, most: 3 }, 4)).toBe('▁▁▁▁');
  });

  test('a part of the time begins with what was there before', () => {
    expect(
      sparkline(
        [
          [0, 8],
          [6, 0],
        ],
        { ...range, fromSeconds: 4 },
        4,
      ),
    ).toBe('██▁▁');
  });
});
