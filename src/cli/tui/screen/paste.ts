const begin = '[200~';
const end = '[201~';

/**
 * Tells what is pasted from what is typed: the terminal marks it (bracketed paste), and no character of it is a key. `input` is what ink
 * hands over.
 */
export class Paste {
  private text: string | undefined;

  /** Undefined for typed input; the whole text at its end; `pending` until then. */
  read(
    input: string,
    key: { readonly return?: boolean; readonly tab?: boolean },
  ): 'pending' | { readonly text: string } | undefined {
    if (input === begin) {
      this.text = '';
      return 'pending';
    }
    if (this.text === undefined) return undefined;
    if (input === end) {
      // Terminals send line breaks as the key that makes one.
      const text = this.text.replaceAll(/\r\n?/g, '\n');
      this.text = undefined;
      return { text };
    }
    this.text += key.return === true ? '\n' : key.tab === true ? '\t' : input;
    return 'pending';
  }
}
