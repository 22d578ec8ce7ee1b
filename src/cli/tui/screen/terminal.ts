import { writeSync } from 'node:fs';

/** The second screen, no cursor, and marks around what is pasted. */
const enterScreen = '\u001b[?1049h\u001b[?25l\u001b[?2004h\u001b[2J\u001b[H';
const leaveScreen = '\u001b[0m\u001b[?2004l\u001b[?25h\u001b[?1049l';

/** Signals that end a program, and the exit status that shells know them by. */
const endings = { SIGHUP: 129, SIGTERM: 143, SIGINT: 130 } as const;

/**
 * The terminal while the UI has it: its second screen without a cursor, given back on every way out, also when the program
 * crashes or is told to end. Writes block, so that nothing is left in a queue when the process is gone.
 */
export class Terminal {
  private taken = false;
  private readonly input = process.stdin;
  private readonly output = process.stdout;

  /** `onReturn` draws again after the program was suspended. */
  enter(onReturn: () => void): void {
    this.taken = true;
    // At once, not when ink is there: keys that are typed meanwhile would show on the screen.
    this.rawMode(true);
    this.write(enterScreen);
    process.once('exit', () => this.leave());
    for (const [signal, status] of Object.entries(endings)) {
      process.once(signal, () => {
        this.leave();
        if (signal !== 'SIGHUP') process.exit(status);
        // The terminal is gone, and node aborts when it then tries to give it back.
        process.emit('exit', status);
        process.kill(process.pid, 'SIGKILL');
      });
    }
    for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
      process.once(event, (error: unknown) => this.crash(error));
    }
    process.on('SIGCONT', () => {
      this.taken = true;
      this.rawMode(true);
      this.write(enterScreen);
      onReturn();
    });
  }

  /** May be called any number of times. */
  leave(): void {
    if (!this.taken) return;
    this.taken = false;
    this.rawMode(false);
    this.write(leaveScreen);
  }

  /** Ctrl-Z: back to the shell until `fg`. */
  suspend(): void {
    this.leave();
    process.kill(process.pid, 'SIGTSTP');
  }

  /** 80 x 24 where the terminal does not say. */
  size(): { readonly columns: number; readonly rows: number } {
    return { columns: this.output.columns || 80, rows: this.output.rows || 24 };
  }

  write(text: string): void {
    const bytes = Buffer.from(text);
    for (let done = 0; done < bytes.length; ) {
      try {
        done += writeSync(this.output.fd, bytes, done);
      } catch (error) {
        const code = error instanceof Error && 'code' in error ? error.code : '';
        if (code !== 'EAGAIN') return;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
      }
    }
  }

  private rawMode(on: boolean): void {
    try {
      this.input.setRawMode?.(on);
    } catch {
      // The terminal is gone: nothing is left to restore.
    }
  }

  /** Ends the program with the terminal restored; the stack only for those who ask. */
  crash(error: unknown): void {
    this.leave();
    const text = error instanceof Error && process.env.SLIPWAY_DEBUG ? error.stack : String(error);
    process.stderr.write(`slipway: ${text} (a bug in slipway; SLIPWAY_DEBUG=1 shows where)\n`);
    process.exit(2);
  }
}
