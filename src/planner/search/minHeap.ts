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
    this.keys.push(key);
    this.orders.push(this.added);
    this.values.push(value);
    this.rise(this.keys.length - 1, key, this.added++, value);
  }

  pop(): T | undefined {
    const top = this.values[0];
    const key = this.keys.pop();
    const order = this.orders.pop();
    const value = this.values.pop();
    if (this.keys.length > 0) this.sink(key as number, order as number, value as T);
    return top;
  }

  /** Puts an entry into the place `from`, or above it. */
  private rise(from: number, key: number, order: number, value: T): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.isBefore(parent, key, order)) break;
      this.move(parent, at);
      at = parent;
    }
    this.put(at, key, order, value);
  }

  /** Puts an entry into the first place, or below it. */
  private sink(key: number, order: number, value: T): void {
    const { length } = this.keys;
    let at = 0;
    for (let child = 1; child < length; child = 2 * at + 1) {
      const right = child + 1;
      if (right < length && this.isBefore(right, this.keys[child] as number, this.orders[child] as number))
        child = right;
      if (!this.isBefore(child, key, order)) break;
      this.move(child, at);
      at = child;
    }
    this.put(at, key, order, value);
  }

  private isBefore(at: number, key: number, order: number): boolean {
    const own = this.keys[at] as number;
    return own < key || (own === key && (this.orders[at] as number) < order);
  }

  private move(from: number, to: number): void {
    this.put(to, this.keys[from] as number, this.orders[from] as number, this.values[from] as T);
  }

  private put(at: number, key: number, order: number, value: T): void {
    this.keys[at] = key;
    this.orders[at] = order;
    this.values[at] = value;
  }
}
