/** A binary heap: the smallest key first, and of equal keys the one that was put in first, so that searches are repeatable. */
export class MinHeap<T> {
  private readonly keys: number[] = [];
  private readonly orders: number[] = [];
  private readonly values: T[] = [];
  private added = 0;

  get size(): number {
    return this.keys.length;
  }

  /** The smallest key; infinite where the heap is empty. */
  get least(): number {
    return this.keys[0] ?? Number.POSITIVE_INFINITY;
  }

  countBelow(key: number): number {
    let count = 0;
    for (const one of this.keys) if (one < key) count++;
    return count;
  }

  push(key: number, value: T): void {
    let at = this.keys.length;
    this.keys.push(key);
    this.orders.push(this.added++);
    this.values.push(value);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.before(at, parent)) break;
      this.swap(at, parent);
      at = parent;
    }
  }

  pop(): T | undefined {
    const top = this.values[0];
    const last = this.keys.length - 1;
    if (last < 0) return undefined;
    this.swap(0, last);
    this.keys.pop();
    this.orders.pop();
    this.values.pop();
    this.sink();
    return top;
  }

  private sink(): void {
    for (let at = 0; ; ) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2])
        if (child < this.keys.length && this.before(child, least)) least = child;
      if (least === at) return;
      this.swap(at, least);
      at = least;
    }
  }

  private before(a: number, b: number): boolean {
    const [x, y] = [this.keys[a] ?? 0, this.keys[b] ?? 0];
    return x < y || (x === y && (this.orders[a] ?? 0) < (this.orders[b] ?? 0));
  }

  private swap(a: number, b: number): void {
    exchange(this.keys, a, b);
    exchange(this.orders, a, b);
    exchange(this.values, a, b);
  }
}

function exchange<T>(list: T[], a: number, b: number): void {
  [list[a], list[b]] = [list[b] as T, list[a] as T];
}
