/** One `--vary`: a key of the run file and what it takes in turn. */
export interface Axis {
  /** As the user wrote it, without the operation: the name of its column. */
  readonly name: string;
  /** Key path in the run file. */
  readonly path: readonly string[];
  readonly change: AxisChange;
}

export type AxisChange =
  /** Each value in turn. */
  | { readonly kind: 'list'; readonly values: readonly unknown[] }
  /** The run file's own number, times or plus each of these in turn. */
  | { readonly kind: 'times' | 'plus'; readonly values: readonly number[] }
  /** Calculated at each point from the point's other numbers; adds no points. */
  | { readonly kind: 'formula'; readonly text: string };

/** Points that an axis multiplies the grid by. */
export function lengthOf({ change }: Axis): number {
  return change.kind === 'formula' ? 1 : change.values.length;
}

/** Dotted key path. */
export function keyOf({ path }: Axis): string {
  return path.join('.');
}
