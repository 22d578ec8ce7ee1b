import { formatSeconds, grouped } from '../../quantity/format.js';
import { writeError } from '../output.js';

const TERMINAL_MILLISECONDS = 200;
const LOG_MILLISECONDS = 10_000;

/** What is done, how fast, and how long it will take, on stderr: one line that changes on a terminal, a line now and then in a log. */
export class Progress {
  readonly #total: number;
  readonly #start: number;
  readonly #terminal: boolean;
  readonly #began = performance.now();
  #last = performance.now();
  #drawn = false;

  /** `start` points were done before this run began. */
  constructor(total: number, start: number) {
    this.#total = total;
    this.#start = start;
    this.#terminal = process.stderr.isTTY === true;
  }

  update(done: number): void {
    const now = performance.now();
    if (now - this.#last < (this.#terminal ? TERMINAL_MILLISECONDS : LOG_MILLISECONDS)) return;
    this.#last = now;
    this.#drawn = true;
    const line = this.#line(done, now);
    writeError(this.#terminal ? `\r\u001b[K${line}` : `slipway: ${line}\n`);
  }

  /** Takes the line away, so that what follows starts clean. */
  end(): void {
    if (this.#drawn && this.#terminal) writeError('\r\u001b[K');
  }

  #line(done: number, now: number): string {
    const rate = (done - this.#start) / ((now - this.#began) / 1000);
    const left = rate > 0 ? `, ${formatSeconds((this.#total - done) / rate)} left` : '';
    const perSecond = rate >= 10 ? grouped(Math.round(rate)) : rate.toPrecision(2);
    return `${grouped(done)} of ${grouped(this.#total)} points, ${perSecond}/s${left}`;
  }
}
