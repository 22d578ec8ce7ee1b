import type { Plan } from './request.js';

/** The best plans so far. */
export class Leaders {
  private readonly ordered: Plan[] = [];

  constructor(
    private readonly most: number,
    private readonly diverse: boolean,
  ) {}

  get best(): Plan | null {
    return this.ordered[0] ?? null;
  }

  /** A candidate must score below this to become one; infinite as long as there is room. */
  get worstScore(): number {
    return this.ordered.length < this.most
      ? Number.POSITIVE_INFINITY
      : (this.ordered.at(-1)?.score ?? Number.POSITIVE_INFINITY);
  }

  plans(): readonly Plan[] {
    return [...this.ordered];
  }

  /** Takes the plan in where it is good enough; false where it is not. */
  offer(plan: Plan): boolean {
    if (this.diverse) {
      const rival = this.ordered.findIndex((one) => isAlike(one, plan));
      if (rival >= 0) {
        if ((this.ordered[rival]?.score ?? 0) <= plan.score) return false;
        this.ordered.splice(rival, 1);
      }
    }
    if (!(plan.score < this.worstScore)) return false;
    const at = this.ordered.findIndex((one) => plan.score < one.score);
    this.ordered.splice(at < 0 ? this.ordered.length : at, 0, plan);
    this.ordered.length = Math.min(this.ordered.length, this.most);
    return true;
  }
}

/** Plans that differ in a detail only: the same degrees, micro-batch and precision. */
export function isAlike(a: Plan, b: Plan): boolean {
  if (a.accelerators !== b.accelerators) return false;
  const keys = [
    'tensorParallel',
    'contextParallel',
    'pipelineParallel',
    'expertParallel',
    'microBatchSize',
    'precision',
  ] as const;
  return keys.every((key) => a.strategy[key] === b.strategy[key]);
}
