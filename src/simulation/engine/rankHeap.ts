/** Binary heap of ranks by time, each at most once, with change of a rank's time in place. Ties go to the lower rank. */
export class RankHeap {
  private readonly heap: Int32Array;
  private readonly place: Int32Array;
  private readonly time: Float64Array;
  private size = 0;

  constructor(ranks: number) {
    this.heap = new Int32Array(ranks);
    this.place = new Int32Array(ranks).fill(-1);
    this.time = new Float64Array(ranks);
  }

  /** The rank whose time comes first, or -1. */
  top(): number {
    return this.size > 0 ? (this.heap[0] ?? -1) : -1;
  }

  timeOf(rank: number): number {
    return this.time[rank] ?? 0;
  }

  set(rank: number, time: number): void {
    const before = this.time[rank] ?? 0;
    this.time[rank] = time;
    let place = this.place[rank] ?? -1;
    if (place < 0) {
      place = this.size++;
      this.heap[place] = rank;
      this.place[rank] = place;
      this.up(place);
    } else if (time < before) this.up(place);
    else this.down(place);
  }

  remove(rank: number): void {
    const place = this.place[rank] ?? -1;
    if (place < 0) return;
    this.place[rank] = -1;
    this.size--;
    if (place === this.size) return;
    const moved = this.heap[this.size] ?? 0;
    this.heap[place] = moved;
    this.place[moved] = place;
    this.up(place);
    this.down(this.place[moved] ?? place);
  }

  private before(a: number, b: number): boolean {
    const timeA = this.time[a] ?? 0;
    const timeB = this.time[b] ?? 0;
    return timeA < timeB || (timeA === timeB && a < b);
  }

  private up(from: number): void {
    let place = from;
    const rank = this.heap[place] ?? 0;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const other = this.heap[parent] ?? 0;
      if (!this.before(rank, other)) break;
      this.heap[place] = other;
      this.place[other] = place;
      place = parent;
    }
    this.heap[place] = rank;
    this.place[rank] = place;
  }

  private down(from: number): void {
    let place = from;
    const rank = this.heap[place] ?? 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= this.size) break;
      const left = this.heap[child] ?? 0;
      const right = this.heap[child + 1] ?? 0;
      if (child + 1 < this.size && this.before(right, left)) child++;
      const other = this.heap[child] ?? 0;
      if (!this.before(other, rank)) break;
      this.heap[place] = other;
      this.place[other] = place;
      place = child;
    }
    this.heap[place] = rank;
    this.place[rank] = place;
  }
}
