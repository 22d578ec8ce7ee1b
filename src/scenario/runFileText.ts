import { isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument, visit } from 'yaml';
import { SlipwayError } from '../errors.js';
import { type FileLimits, tooLarge } from './readText.js';

/** A run file is a page of text; anything much larger is another file given by mistake. */
export const runFileLimits: FileLimits = { mostBytes: 1_000_000, what: 'a run file' };

/** YAML or JSON (a subset of YAML) that was read but not yet checked, with the line of every key. */
export interface RunFileText {
  readonly file: string;
  readonly value: Readonly<Record<string, unknown>>;
  /** Line of the key or of its value, counted from 1; of the nearest enclosing key where it is not in the file. */
  lineOf(path: readonly PropertyKey[]): number | undefined;
}

type Document = ReturnType<typeof parseDocument>;

/** Reads the syntax. `file` only serves messages. */
export function parseRunFileText(text: string, file: string): RunFileText {
  refuseGarbage(text, file);
  const lines = new LineCounter();
  const document = parsed(text, file, lines);
  const mistake = document.errors[0];
  if (mistake) throw notValid(file, reasonOf(mistake), lines.linePos(mistake.pos[0]).line);
  if (document.contents === null) {
    throw new SlipwayError('invalid-run-file', 'the file is empty; it needs at least model and cluster', { file });
  }
  if (!isMap(document.contents)) {
    const message = 'not a run file: expected keys and values, such as `model: llama3-8b`';
    throw new SlipwayError('invalid-run-file', message, { file, line: 1 });
  }
  refuseUnknownAliases(document, file, lines);
  return { file, value: plainValue(document, file), lineOf: (path) => lineOf(document.contents, path, lines) };
}

function refuseGarbage(text: string, file: string): void {
  if (text.length > runFileLimits.mostBytes) throw tooLarge(file, runFileLimits.mostBytes, runFileLimits.what);
  if (text.slice(0, 10_000).includes('\0')) {
    throw new SlipwayError('invalid-syntax', 'a binary file, not a run file in YAML or JSON', { file });
  }
}

/** Without warnings, which the parser writes past us to the terminal. */
function parsed(text: string, file: string, lines: LineCounter): Document {
  try {
    return parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' });
  } catch (error) {
    throw notValid(file, error instanceof Error ? error.message : 'unreadable');
  }
}

/** `*name` without an `&name` before it; the parser only notices when it writes the value out. */
function refuseUnknownAliases(document: Document, file: string, lines: LineCounter): void {
  const anchors = new Set<string>();
  visit(document, {
    Node: (_, node) => {
      if ('anchor' in node && typeof node.anchor === 'string') anchors.add(node.anchor);
    },
    Alias: (_, { source, range }) => {
      if (anchors.has(source)) return;
      const reason = `there is no anchor &${source} before *${source}`;
      throw notValid(file, reason, range ? lines.linePos(range[0]).line : undefined);
    },
  });
}

function plainValue(document: Document, file: string): Record<string, unknown> {
  try {
    return document.toJS() as Record<string, unknown>;
  } catch (error) {
    throw notValid(file, error instanceof Error ? firstLine(error.message) : 'unreadable');
  }
}

function notValid(file: string, reason: string, line?: number): SlipwayError {
  const language = file.toLowerCase().endsWith('.json') ? 'JSON' : 'YAML';
  const message = `not valid ${language}: ${/call stack/.test(reason) ? 'nested too deeply' : reason}`;
  return new SlipwayError('invalid-syntax', message, { file, ...(line === undefined ? {} : { line }) });
}

function reasonOf({ code, message }: { readonly code: string; readonly message: string }): string {
  if (code === 'MULTIPLE_DOCS') return 'more than one document in the file; give one run';
  return firstLine(message);
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
