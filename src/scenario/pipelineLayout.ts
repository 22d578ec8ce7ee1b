/** What one model chunk holds. */
export interface PipelineChunk {
  readonly embedding: boolean;
  readonly layers: number;
  readonly multiTokenPredictionLayers: number;
  readonly loss: boolean;
}

/** No model has more layers than this; a repeat beyond it is a typing mistake, not work for us. */
const MOST_SYMBOLS = 10_000;

/**
 * Reads Megatron's `--pipeline-model-parallel-layout`: `E` embedding, `t` transformer layer, `m` multi-token
 * prediction, `L` loss, `|` next chunk in order of depth, `(...)` a group, `*n` repeats what stands before it.
 * `Et*4|(t*4|)*14tmL` is 16 chunks: the embedding and 4 layers, 14 times 4 layers, then 1 layer, MTP and loss.
 */
export function parsePipelineLayout(text: string): readonly PipelineChunk[] | { readonly problem: string } {
  const flat = expanded(text.replaceAll(/[\s,]/g, ''));
  if (typeof flat !== 'string') return flat;
  const chunks = flat.split('|').map((symbols) => ({
    embedding: symbols.includes('E'),
    layers: times(symbols, 't'),
    multiTokenPredictionLayers: times(symbols, 'm'),
    loss: symbols.includes('L'),
  }));
  const problem = misplaced(chunks, flat);
  return problem === undefined ? chunks : { problem: `'${text}' ${problem}` };
}

/** The embedding opens the first chunk and the loss closes the last, once each, where they are written at all. */
function misplaced(chunks: readonly PipelineChunk[], flat: string): string | undefined {
  if (times(flat, 't') === 0) return 'holds no transformer layer (t)';
  if (times(flat, 'E') > 1 || chunks.slice(1).some(({ embedding }) => embedding)) {
    return 'has an embedding (E) beyond the one of the first chunk';
  }
  if (times(flat, 'L') > 1 || chunks.slice(0, -1).some(({ loss }) => loss)) {
    return 'has a loss (L) beyond the one of the last chunk';
  }
  return undefined;
}

function times(symbols: string, symbol: string): number {
  return symbols.split(symbol).length - 1;
}

/** Every `*n` and `(...)` written out, innermost group first. */
function expanded(layout: string): string | { readonly problem: string } {
  const bad = /[^EtmL|()*\d]/.exec(layout)?.[0];
  if (bad !== undefined) return { problem: `'${bad}' has no meaning in '${layout}'; use E, t, m, L, |, (...) and *n` };
  let text = layout;
  for (;;) {
    const next = text
      .replace(/([EtmL|])\*(\d+)/g, (_, symbol: string, count: string) => repeated(symbol, count))
      .replace(/\(([EtmL|]*)\)(?:\*(\d+))?/g, (_, group: string, count?: string) => repeated(group, count ?? '1'));
    if (next.length > MOST_SYMBOLS) return { problem: `'${layout}' spells out more than ${MOST_SYMBOLS} layers` };
    if (next === text) break;
    text = next;
  }
  return /[()*\d]/.test(text) ? { problem: `'${layout}' has a parenthesis or a repeat that does not fit` } : text;
}

function repeated(text: string, count: string): string {
  const enough = Math.ceil(MOST_SYMBOLS / Math.max(1, text.length)) + 1;
  return text.repeat(Math.min(Number(count), enough));
}
