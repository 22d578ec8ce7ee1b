import { examplePath } from './packageRoot.js';
import { explainNoTerminal, runTui } from './tui/start.js';

/** `slipway tui [run.yaml]`: 2 where there is no terminal to draw on. */
export async function openTui(file: string | undefined, ascii: boolean): Promise<0 | 2> {
  if (process.stdin.isTTY !== true || process.stdout.isTTY !== true) {
    explainNoTerminal(file);
    return 2;
  }
  await runTui({ file, example: examplePath(), ascii });
  return 0;
}
