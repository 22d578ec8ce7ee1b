import { Box, Text, useInput } from 'ink';
import { memo, type ReactNode, useLayoutEffect, useMemo, useSyncExternalStore } from 'react';
import { keysOf } from './screen/keys.js';
import { Paste } from './screen/paste.js';
import type { State } from './state/state.js';
import type { Store } from './store.js';

export interface AppProps {
  readonly store: Store;
  /** The lines of the screen, as the terminal reads them. Given, so that ink and the views are loaded apart from each other. */
  readonly linesOf: (state: State) => readonly string[];
  /** Draws a frame's lines on the terminal; where there is none, ink does, a `<Text>` for every line. */
  readonly paint?: (lines: readonly string[]) => void;
  /** Told when keys arrive, before anything is done about them. */
  readonly onKeys?: (keys: readonly string[]) => void;
}

/** The whole UI: keys go to the store, its state comes back as lines. */
export function App({ store, linesOf, paint, onKeys }: AppProps): ReactNode {
  const state = useSyncExternalStore(store.subscribe, store.get);
  const paste = useMemo(() => new Paste(), []);
  useInput((input, key) => {
    const pasted = paste.read(input, key);
    if (pasted === 'pending') return;
    if (pasted !== undefined) {
      store.dispatch({ kind: 'pasted', text: pasted.text });
      return;
    }
    const keys = keysOf(input, key);
    onKeys?.(keys);
    if (keys.length > 0) store.dispatch({ kind: 'keys', keys });
  });
  const lines = useMemo(() => linesOf(state), [state, linesOf]);
  useLayoutEffect(() => paint?.(lines), [lines, paint]);
  if (paint !== undefined) return null;
  return (
    <Box flexDirection="column">
      {lines.map((text, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a line is its place on the screen
        <Line key={index} text={text} />
      ))}
    </Box>
  );
}

const Line = memo(({ text }: { readonly text: string }) => <Text wrap="truncate">{text === '' ? ' ' : text}</Text>);
