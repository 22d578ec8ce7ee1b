import type { PlanProgress } from '../planner/search/request.js';
import { formatCount, formatSeconds, grouped } from '../quantity/format.js';
import { writeError } from './output.js';

/** Milliseconds between two lines: on a terminal one is written over the other, elsewhere each stays. */
const terminalPause = 100;
const logPause = 1000;

/** How far a search is, on standard error: on a terminal, or where it was asked for. */
export class PlanProgressLine {
  private last = Number.NEGATIVE_INFINITY;
  private readonly terminal: boolean;
  private shown = false;

  constructor(
    private readonly stream: NodeJS.WriteStream,
    private readonly asked: boolean,
  ) {
    this.terminal = stream.isTTY === true;
  }

  show(progress: PlanProgress): void {
    if (!this.terminal && !this.asked) return;
    const now = performance.now();
    if (now - this.last < (this.terminal ? terminalPause : logPause)) return;
    this.last = now;
    const text = progressText(progress);
    const room = (this.stream.columns || 80) - 1;
    writeError(this.terminal ? `\r${text.slice(0, room).padEnd(room)}` : `${text}\n`);
    this.shown = true;
  }

  /** Leaves nothing on a terminal. */
  clear(): void {
    if (this.terminal && this.shown) writeError(`\r${' '.repeat((this.stream.columns || 80) - 1)}\r`);
  }
}

export function progressText({
  evaluated,
  simulated,
  rejectedByReason,
  best,
  fractionDone,
  secondsLeft,
}: PlanProgress): string {
  const memory = rejectedByReason.memory ?? 0;
  return [
    `${Math.floor(100 * fractionDone)} %`,
    ...(best === null ? [] : [`best ${formatSeconds(best.evaluation.stepSeconds)}`]),
    `${grouped(evaluated)} evaluated`,
    `${grouped(simulated)} simulated`,
    `${formatCount(memory)} do not fit`,
    ...(secondsLeft === null ? [] : [`about ${formatSeconds(secondsLeft)} left`]),
  ].join(', ');
}
