/** A line of text that is being typed. */
export interface LineEdit {
  readonly text: string;
  /** Characters before the cursor. */
  readonly cursor: number;
}

export function lineOf(text: string): LineEdit {
  return { text, cursor: text.length };
}

/** The line after a key, or undefined for a key that does not edit. */
export function editLine(line: LineEdit, key: string): LineEdit | undefined {
  const { text, cursor } = line;
  switch (key) {
    case 'left':
      return { text, cursor: Math.max(0, cursor - 1) };
    case 'right':
      return { text, cursor: Math.min(text.length, cursor + 1) };
    case 'home':
    case 'ctrl-a':
      return { text, cursor: 0 };
    case 'end':
    case 'ctrl-e':
      return { text, cursor: text.length };
    case 'ctrl-u':
      return { text: text.slice(cursor), cursor: 0 };
    case 'ctrl-w': {
      const kept = text.slice(0, cursor).replace(/\S*\s*$/, '');
      return { text: kept + text.slice(cursor), cursor: kept.length };
    }
    case 'backspace':
      if (cursor === 0) return line;
      return { text: text.slice(0, cursor - 1) + text.slice(cursor), cursor: cursor - 1 };
    default:
      return isCharacter(key) ? inserted(line, key) : undefined;
  }
}

/** More than any value, path or command needs: a pasted file must not become one. */
const longest = 500;

function inserted(line: LineEdit, character: string): LineEdit {
  if (line.text.length >= longest) return line;
  const { text, cursor } = line;
  return { text: text.slice(0, cursor) + character + text.slice(cursor), cursor: cursor + character.length };
}

function isCharacter(key: string): boolean {
  return [...key].length === 1;
}
