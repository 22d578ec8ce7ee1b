import { isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument } from 'yaml';
import { SlipwayError } from '../errors.js';

/** A run file is a page of text; anything much larger is another file given by mistake. */
export const MOST_RUN_FILE_BYTES = 1_000_000;

/** YAML or JSON (a subset of YAML) that was read but not yet checked, with the line of every key. */
export interface RunFileText {
  readonly file: string;
  readonly value: Readonly<Record<string, unknown>>;
  /** Line of the key or of its value, counted from 1; of the nearest enclosing key where it is not in the file. */
  lineOf(path: readonly PropertyKey[]): number | undefined;
}

/** Reads the syntax. `file` only serves messages. */
export function parseRunFileText(text: string, file: string): RunFileText {
  refuseGarbage(text, file);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const mistake = document.errors[0];
  if (mistake) {
    const line = lines.linePos(mistake.pos[0]).line;
    throw new SlipwayError('invalid-syntax', `not valid YAML: ${firstLine(mistake.message)}`, { file, line });
  }
  if (document.contents === null) {
    throw new SlipwayError('invalid-run-file', 'the file is empty; it needs at least model and cluster', { file });
  }
  if (!isMap(document.contents)) {
    const message = 'not a run file: expected keys and values, such as `model: llama3-8b`';
    throw new SlipwayError('invalid-run-file', message, { file, line: 1 });
  }
  return { file, value: plainValue(document, file), lineOf: (path) => lineOf(document.contents, path, lines) };
}

function refuseGarbage(text: string, file: string): void {
  if (text.length > MOST_RUN_FILE_BYTES) throw tooLarge(file, text.length);
  if (text.slice(0, 10_000).includes('\0')) {
    throw new SlipwayError('invalid-syntax', 'a binary file, not a run file in YAML or JSON', { file });
  }
}

export function tooLarge(file: string, bytes: number): SlipwayError {
  const megabytes = (bytes / 1e6).toFixed(1);
  return new SlipwayError('invalid-syntax', `${megabytes} MB is too large for a run file (at most 1 MB)`, { file });
}

function plainValue(document: ReturnType<typeof parseDocument>, file: string): Record<string, unknown> {
  try {
    return document.toJS() as Record<string, unknown>;
  } catch (error) {
    const reason = error instanceof Error ? firstLine(error.message) : 'unreadable';
    throw new SlipwayError('invalid-syntax', `not valid YAML: ${reason}`, { file });
  }
}

function firstLine(text: string): string {
  return (text.split('\n')[0] ?? text).replace(/[.:]$/, '');
}

function lineOf(contents: unknown, path: readonly PropertyKey[], lines: LineCounter): number | undefined {
  let node = contents;
  let offset: number | undefined;
  for (const step of path) {
    if (isMap(node)) {
      const pair: Pair | undefined = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
      if (!pair) break;
      offset = startOf(pair.key) ?? offset;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(step)];
      offset = startOf(node) ?? offset;
    } else break;
  }
  return offset === undefined ? undefined : lines.linePos(offset).line;
}

function startOf(node: unknown): number | undefined {
  return (node as Node | null | undefined)?.range?.[0];
}
