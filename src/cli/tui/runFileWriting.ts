import { Document, isMap, type Node, parseDocument, visit } from 'yaml';
import { canonical, isFields, type RunValue } from './scenario/runValue.js';

/**
 * A run as the text of its file. Where the file had a text before, comments, order and spelling of what did not change stay:
 * only changed keys are written anew. A file whose name ends in .json is JSON.
 */
export function runFileText(run: RunValue, path: string, previous: string | undefined): string {
  if (/\.json$/i.test(path)) return `${JSON.stringify(run, null, 2)}\n`;
  if (previous !== undefined) {
    const document = parseDocument(previous, { logLevel: 'silent' });
    if (document.errors.length === 0 && isMap(document.contents)) {
      const before: unknown = document.toJS();
      if (isFields(before)) {
        update(document, [], before, run);
        return document.toString({ lineWidth: 0 });
      }
    }
  }
  const document = new Document();
  document.contents = flowing(document.createNode(run));
  return document.toString({ lineWidth: 0 });
}

/** A layer count for each stage is one line, not fifty. */
function flowing<N extends Node>(node: N): N {
  visit(node, {
    Seq: (_, list) => {
      list.flow = true;
    },
  });
  return node;
}

type Parsed = ReturnType<typeof parseDocument>;

function update(document: Parsed, path: readonly string[], before: RunValue, after: RunValue): void {
  for (const key of Object.keys(before)) if (!(key in after)) document.deleteIn([...path, key]);
  for (const [key, value] of Object.entries(after)) {
    const old = before[key];
    if (canonical(old) === canonical(value)) continue;
    if (isFields(old) && isFields(value)) update(document, [...path, key], old, value);
    // A plain value keeps the comment behind the one before it.
    else document.setIn([...path, key], typeof value === 'object' ? flowing(document.createNode(value)) : value);
  }
}
