/**
 * One rank's streams in seconds, without tasks: its compute stream moves the clock, messages and data-parallel traffic drain beside it.
 * While compute and another stream are busy at once, all of them run slower by `contention`, as in `runGraph`.
 */
export class RankClock {
  now = 0;
  private readonly sends = new Backlog();
  private readonly data = new Backlog();

  constructor(
    private readonly contention: number,
    /** Called when a message is there. */
    private readonly arrived: (message: number, at: number) => void,
  ) {}

  queueSend(seconds: number, message: number): void {
    this.sends.push(seconds, message);
  }

  /** Returns a number by which `waitForData` knows it. */
  queueData(seconds: number): number {
    return this.data.push(seconds, -1);
  }

  /** When the first message that is still on its way arrives if the compute stream stays idle; infinite without one. */
  nextArrival(): number {
    return this.sends.empty ? Number.POSITIVE_INFINITY : this.now + this.sends.left;
  }

  /** The compute stream idles until `until`. */
  idle(until: number): void {
    if (until <= this.now) return;
    this.drain(this.sends, until);
    this.drain(this.data, until);
    this.now = until;
  }

  /** The compute stream idles until that piece of traffic is through. */
  waitForData(piece: number): void {
    while (this.data.done <= piece && !this.data.empty) this.idle(this.now + this.data.left);
  }

  /** Data-parallel traffic that is left finishes beside an idle compute stream. */
  finishData(): number {
    return this.now + this.data.total();
  }

  finishSends(): number {
    return this.now + this.sends.total();
  }

  compute(seconds: number): void {
    let left = seconds;
    while (left > 0) {
      const { sends, data } = this;
      const sending = !sends.empty;
      const moving = !data.empty;
      if (!sending && !moving) {
        this.now += left;
        return;
      }
      let done = left;
      if (sending && sends.left < done) done = sends.left;
      if (moving && data.left < done) done = data.left;
      left -= done;
      this.now += done * this.contention;
      if (sending) this.work(sends, done);
      if (moving) this.work(data, done);
    }
  }

  private work(backlog: Backlog, seconds: number): void {
    backlog.left -= seconds;
    if (backlog.left <= crumbSeconds * Math.max(1, this.now)) this.end(backlog, this.now);
  }

  private end(backlog: Backlog, at: number): void {
    const message = backlog.shift();
    if (message >= 0) this.arrived(message, at);
  }

  private drain(backlog: Backlog, until: number): void {
    let at = this.now;
    while (!backlog.empty && at + backlog.left <= until) {
      at += backlog.left;
      this.end(backlog, at);
    }
    if (!backlog.empty) backlog.left -= until - at;
  }
}

/** Relative slack for work to count as done, as in the engine. */
const crumbSeconds = 1e-13;

/** Work of one stream, first come, first served. */
class Backlog {
  private readonly seconds: number[] = [];
  private readonly messages: number[] = [];
  /** Pieces that are through. */
  done = 0;
  /** Of the piece at work. */
  left = 0;

  get empty(): boolean {
    return this.done === this.seconds.length;
  }

  push(seconds: number, message: number): number {
    if (this.empty) this.left = seconds;
    this.messages.push(message);
    return this.seconds.push(seconds) - 1;
  }

  shift(): number {
    const message = this.messages[this.done++] ?? -1;
    this.left = this.seconds[this.done] ?? 0;
    return message;
  }

  total(): number {
    if (this.empty) return 0;
    let sum = this.left;
    for (let i = this.done + 1; i < this.seconds.length; i++) sum += this.seconds[i] ?? 0;
    return sum;
  }
}
