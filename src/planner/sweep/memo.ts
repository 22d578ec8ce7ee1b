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
