import { writeSync } from 'node:fs';
import { SlipwayError } from '../errors.js';
import type { TextStyle } from '../report/text.js';

/** Writes all of a text to stdout before the process may end. A reader that left early (`| head`) is no mistake. */
export function writeOut(text: string): void {
  write(1, text);
}

export function writeError(text: string): void {
  write(2, text);
}

function write(descriptor: 1 | 2, text: string): void {
  const bytes = Buffer.from(text);
  let done = 0;
  while (done < bytes.length) {
    try {
      done += writeSync(descriptor, bytes, done);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : '';
      // A pipe that is full for the moment, when the other end reads slowly.
      if (code === 'EAGAIN') pause();
      else if (code === 'EPIPE') return;
      else throw new SlipwayError('unreadable-file', `the answer cannot be written (${String(code)})`);
    }
  }
}

function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
}

/** How to draw on this terminal: its width, 80 where there is none; colour only for people who see it. */
export function styleOf(stream: NodeJS.WriteStream, environment: NodeJS.ProcessEnv): TextStyle {
  const wide = stream.columns !== undefined && stream.columns > 0 ? stream.columns : 80;
  const noColor = environment.NO_COLOR !== undefined && environment.NO_COLOR !== '';
  // For `slipway estimate run.yaml | less -R`, and for pictures of the output.
  const forceColor = environment.FORCE_COLOR !== undefined && !['', '0', 'false'].includes(environment.FORCE_COLOR);
  return {
    columns: Math.max(40, Math.min(wide, 120)),
    color: forceColor || (stream.isTTY === true && !noColor && environment.TERM !== 'dumb'),
  };
}
