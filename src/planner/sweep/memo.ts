/** Remembers results by key and forgets all of them when there are too many: a sweep comes back to the same few, or never. */
export class Memo<T> {
  readonly #known = new Map<string, T>();
  readonly #most: number;

  constructor(most = 1024) {
    this.#most = most;
  }

  has(key: string): boolean {
    return this.#known.has(key);
  }

  get(key: string, make: () => T): T {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const made = make();
    if (this.#known.size >= this.#most) this.#known.clear();
    this.#known.set(key, made);
    return made;
  }
}

/** Which values some axes take at a point, as the key of what depends on these axes alone. */
export function keyAt(axes: readonly number[], digits: readonly number[]): string {
  let key = '';
  for (const axis of axes) key += `${digits[axis]},`;
  return key;
}
