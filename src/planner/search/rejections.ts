/** Counts of candidates by the reason why they are not among the plans. */
export class Rejections {
  private readonly counts = new Map<string, number>();

  add(reason: string, candidates = 1): void {
    this.counts.set(reason, (this.counts.get(reason) ?? 0) + candidates);
  }

  /** All of `candidates` that have no other reason have this one. */
  rest(reason: string, candidates: number): void {
    let known = 0;
    for (const count of this.counts.values()) known += count;
    if (candidates > known) this.add(reason, candidates - known);
  }

  /** A copy, the most frequent reason first. */
  byReason(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.counts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)));
  }
}
