import { EventEmitter } from 'node:events';
import { render } from 'ink';
import { App, type AppProps } from './app.js';

/** Keys come through ink, which draws into nothing: the painter draws, see there for why. Returns what ends it. */
export function mount(props: AppProps, onCrash: (error: unknown) => void): () => void {
  const nowhere = Object.assign(new EventEmitter(), { columns: 80, rows: 24, isTTY: true, write: () => true });
  const instance = render(<App {...props} />, {
    stdout: nowhere as unknown as NodeJS.WriteStream,
    stderr: nowhere as unknown as NodeJS.WriteStream,
    stdin: process.stdin,
    exitOnCtrlC: false,
    patchConsole: false,
  });
  instance.waitUntilExit().catch(onCrash);
  return () => instance.unmount();
}
