import type { Cell } from './figures.js';
import type { PointStatus, Sweep } from './sweepRows.js';

/** A sweep as its readers need it: how many points fit, and rows to show. */
export interface SweepSummary {
  readonly points: number;
  readonly counts: Readonly<Record<PointStatus, number>>;
  /** Rows in the order of the points; empty where there were more than `most` of them. */
  readonly rows: readonly (readonly Cell[])[];
  /** Rows that fit, best first by the metric, some of them. */
  readonly best: readonly (readonly Cell[])[];
}

/** Figures of which less is better. */
const lessIsBetter = /seconds$|bytes$|\.days$|hours$|costUsd$|energyKwh$|tonnesCo2$|\.steps$/i;

export function isLessBetter(figure: string): boolean {
  return lessIsBetter.test(figure) && !/capacityBytes$/.test(figure);
}

/** Takes rows as they come and keeps what a summary needs: memory is bounded whatever the sweep's size. */
export class Summary {
  readonly #most: number;
  readonly #status: number;
  readonly #metric: number;
  readonly #sign: number;
  readonly #counts: Record<PointStatus, number> = { fits: 0, 'does-not-fit': 0, 'no-plan': 0, illegal: 0 };
  #rows: (readonly Cell[])[] = [];
  #best: (readonly Cell[])[] = [];
  #points = 0;

  /** `most` rows are kept whole; beyond, only the best by `metric`. */
  constructor({ columns }: Pick<Sweep, 'columns'>, metric: string, most: number) {
    this.#most = most;
    this.#status = columns.findIndex(({ name }) => name === 'status');
    this.#metric = columns.findIndex(({ name }) => name === metric);
    this.#sign = isLessBetter(metric) ? 1 : -1;
  }

  add(rows: readonly (readonly Cell[])[]): void {
    for (const row of rows) {
      this.#points += 1;
      const status = row[this.#status] as PointStatus;
      this.#counts[status] += 1;
      if (this.#points <= this.#most) this.#rows.push(row);
      if (status === 'fits' && row[this.#metric] !== null) this.#best.push(row);
    }
    if (this.#points > this.#most) this.#rows = [];
    if (this.#best.length > 1000) this.#trim();
  }

  get summary(): SweepSummary {
    this.#trim();
    return { points: this.#points, counts: { ...this.#counts }, rows: this.#rows, best: this.#best };
  }

  #trim(): void {
    const value = (row: readonly Cell[]): number => this.#sign * Number(row[this.#metric]);
    this.#best = this.#best.sort((a, b) => value(a) - value(b)).slice(0, 20);
  }
}
