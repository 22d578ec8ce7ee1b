const blocks = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;

/**
 * A step function over time as a line of blocks: each shows the most that is reached in its share of the time, from `least`
 * (lowest block) to `most` (full block).
 */
export function sparkline(
  curve: readonly (readonly [number, number])[],
  range: { readonly fromSeconds: number; readonly toSeconds: number; readonly least: number; readonly most: number },
  columns: number,
): string {
  const { fromSeconds, toSeconds, least, most } = range;
  const highest = new Array<number>(columns).fill(least);
  const place = (seconds: number): number =>
    Math.max(0, Math.min(columns - 1, Math.floor(((seconds - fromSeconds) / (toSeconds - fromSeconds)) * columns)));
  curve.forEach(([seconds, value], i) => {
    const until = curve[i + 1]?.[0] ?? toSeconds;
    if (seconds >= toSeconds || until <= fromSeconds) return;
    // A value that ends at a border of cells is not in the cell after it.
    const last = until >= toSeconds ? columns - 1 : Math.max(place(seconds), Math.ceil(exact(until)) - 1);
    for (let c = place(seconds); c <= last; c++) highest[c] = Math.max(highest[c] ?? least, value);
  });
  function exact(seconds: number): number {
    return Math.max(0, ((seconds - fromSeconds) / (toSeconds - fromSeconds)) * columns);
  }
  return highest.map((value) => block(most > least ? (value - least) / (most - least) : 0)).join('');
}

function block(fraction: number): string {
  return blocks[Math.max(0, Math.min(blocks.length - 1, Math.floor(fraction * blocks.length)))] ?? blocks[0];
}
