import { appendFileSync, writeFileSync } from 'node:fs';
import { type IntervalHistogram, monitorEventLoopDelay, performance } from 'node:perf_hooks';

/**
 * With SLIPWAY_TUI_TRACE=file: one JSON line for every key, with the milliseconds until its frame was written, and one for the
 * first frame since the process started. Without it nothing is measured.
 */
export class Trace {
  private pressed: number | undefined;
  private pressedCpu = 0;
  private readonly delay: IntervalHistogram | undefined;

  constructor(private readonly file: string | undefined) {
    if (file === undefined) return;
    writeFileSync(file, '');
    this.delay = monitorEventLoopDelay({ resolution: 5 });
    this.delay.enable();
  }

  ready(): void {
    this.note({ firstFrameMilliseconds: performance.now(), cpuMilliseconds: cpuMilliseconds() });
  }

  keyed(): void {
    if (this.file === undefined) return;
    this.pressed = performance.now();
    this.pressedCpu = cpuMilliseconds();
  }

  painted(): void {
    if (this.pressed === undefined) return;
    const milliseconds = performance.now() - this.pressed;
    this.pressed = undefined;
    // How long a key may have waited before anybody saw it.
    const delayMilliseconds = (this.delay?.max ?? 0) / 1e6;
    this.delay?.reset();
    const { rss, heapUsed } = process.memoryUsage();
    this.note({
      frameMilliseconds: milliseconds,
      cpuMilliseconds: cpuMilliseconds() - this.pressedCpu,
      delayMilliseconds,
      // With all threads; and the heap of this one.
      residentBytes: rss,
      heapBytes: heapUsed,
    });
  }

  private note(line: Readonly<Record<string, number>>): void {
    if (this.file !== undefined) appendFileSync(this.file, `${JSON.stringify(line)}\n`);
  }
}

/** Of all threads: what a frame costs whatever else the machine does. */
function cpuMilliseconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
