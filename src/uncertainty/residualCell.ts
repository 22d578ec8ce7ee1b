/** The errors of published runs of one kind, each predicted with constants fitted without the runs of its family. */
export interface ResidualCell {
  readonly family: string;
  readonly accelerator: string;
  readonly generation: string;
  readonly framework: string;
  readonly mixtureOfExperts: boolean;
  readonly log2Accelerators: number;
  /** How many runs it stands for, capped so that one source does not outvote the others. */
  readonly weight: number;
  /** Quantiles of the logarithm of measured over predicted, or the errors themselves where they are few. */
  readonly errors: readonly number[];
}

/**
 * The factors by which the spread of like runs is widened so that 80 % of the left-out runs lie inside: `inside` the validated range,
 * `outside` it.
 */
export interface Widening {
  readonly inside: number;
  readonly outside: number;
}

export interface ResidualTable {
  readonly cells: readonly ResidualCell[];
  readonly widening: Widening;
}
