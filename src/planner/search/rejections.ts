/** Counts of candidates by the reason why they are not among the plans. */
export class Rejections {
  private readonly counts = new Map<string, number>();

  add(reason: string, candidates = 1): void {
    this.counts.set(reason, (this.counts.get(reason) ?? 0) + candidates);
  }

  /** A copy, the most frequent reason first. */
  byReason(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.counts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)));
  }
}
